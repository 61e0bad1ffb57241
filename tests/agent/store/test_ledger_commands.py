"""Ledger commands on a real node: what each refuses and why, and how they meet the floor's orders."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bodega.codec import parse_node_event
from bodega.core.commands import decode
from bodega.errors import BodegaError, InvalidInput, NotFound, Refused
from bodega.v1 import catalogue_pb2, stock_pb2
from bodega_adapters.framing.check_digit import make_sscc
from bodega_agent.store import rights, work
from bodega_agent.store.commands import run
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context
from support.node_under_test import HubPen, gtin, opened_store

SSCC = make_sscc(3, "9521234", 5000)
TEA, MILK, CAMERA, SET, CASE = 1, 2, 3, 4, 77


class Node:
    """A node with tea (cases of 12), milk (lots, expiry), cameras (serials) and a set of one camera and two teas."""

    def __init__(self, store: Store) -> None:
        self.store, self.hub = store, HubPen(store)
        self._ids = itertools.count(1)

    async def stocked(self) -> Node:
        await self.hub.profile()
        case = catalogue_pb2.Unit(unit="case", base_units=12, gtins=[gtin(CASE)])
        await self.hub.sku_of("TEA", TEA, units=[case], units_version=7)
        await self.hub.sku_of("MILK", MILK, lot_tracked=True, expiry_tracked=True)
        await self.hub.sku_of("CAMERA", CAMERA, serial_tracked=True)
        parts = [
            catalogue_pb2.KitComponent(sku_id="TEA", quantity=2),
            catalogue_pb2.KitComponent(sku_id="CAMERA", quantity=1),
        ]
        await self.hub.sku_of("SET", SET, components=parts)
        return self

    async def do(self, command: str, **fields: Any) -> dict[str, Any]:
        body = {"command": command, "cmd_id": f"c{next(self._ids)}", **fields}
        return await self.store.write(lambda tx: run(tx, Context("control", actor="ana"), decode(body)))

    async def held(self, sku_id: str) -> dict[str, int]:
        rows = await self.store.read(Reader.stock)
        return {row["bin"]: row["quantity"] for row in rows if row["sku_id"] == sku_id}

    async def facts(self, after: int = 0) -> list[Any]:
        rows = await self.store.read(lambda reader: reader.journal(after, 1_000))
        return [parse_node_event(row["body"]) for row in rows]


@contextmanager
def node_in(folder: Path) -> Iterator[Node]:
    with opened_store(folder) as store:
        yield Node(store)


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"sku_id": "TEA", "quantity": 1, "unit": "pallet"}, "unit", "use one of each, case"),
    ({"sku_id": "TEA", "quantity": 90_000, "unit": "case"}, "quantity", "1080000 base units"),
    ({"sku_id": "TEA", "quantity": 1, "lot": "L1"}, "lot", "has no lots"),
    ({"sku_id": "TEA", "quantity": 1, "serials": ["S1"]}, "serials", "has no serial numbers"),
    ({"sku_id": "MILK", "quantity": 1}, "lot", "is kept by lot"),
    ({"sku_id": "MILK", "quantity": 1, "lot": "L1"}, "expiry", "is new here"),
    ({"sku_id": "CAMERA", "quantity": 2, "serials": ["S1"]}, "serials", "one serial for each unit: 2, not 1"),
    ({"sku_id": "CAMERA", "quantity": 1}, "serials", "one serial for each unit"),
    ({"sku_id": "CAMRA", "quantity": 1}, "sku_id", "did you mean CAMERA"),
    ({"gtin": gtin(999), "quantity": 1}, "gtin", "no SKU"),
    ({"gtin": gtin(CASE), "quantity": 1, "unit": "each"}, "unit", "means one case"),
    ({"sku_id": "TEA", "quantity": 1, "bin_id": "A-01-1"}, "bin_id", "did you mean A-01-01"),
]


@pytest.mark.parametrize(
    ("goods", "field", "words"), BAD, ids=lambda value: value if isinstance(value, str) else ""
)
async def test_what_can_not_be_meant_is_refused_with_its_field_and_writes_nothing(
    tmp_path: Path, goods: dict[str, Any], field: str, words: str
) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        with pytest.raises(InvalidInput) as refusal:
            await node.do("receive", **goods)
        (fault,) = refusal.value.faults
        assert fault.where == field
        assert words in fault.problem
        assert refusal.value.hint
        assert await node.facts() == []


async def test_all_faults_of_all_lines_are_told_at_once(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        lines = [
            {"sku_id": "MILK", "quantity": 1, "unit": "case", "serials": ["S1"]},
            {"sku_id": "CAMERA", "quantity": 1, "serials": ["S1"]},
            {"sku_id": "CAMERA", "quantity": 1, "serials": ["S1"]},
        ]
        with pytest.raises(InvalidInput) as refusal:
            await node.do("put_away", to_bin_id="nowhere", lines=lines)
        wheres = [fault.where for fault in refusal.value.faults]
        assert wheres == ["lines[0].unit", "lines[0].serials", "lines[0].lot", "serials", "to_bin_id"]


async def test_a_case_by_its_gtin_is_base_units_and_what_was_entered_is_kept(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        done = await node.do("receive", gtin=gtin(CASE), quantity=2)
        assert done["goods"] == [
            {"sku_id": "TEA", "quantity": 24, "entered": {"quantity": 2, "unit": "case"}}
        ]
        (event,) = await node.facts()
        (entered,) = event.movement.entered
        assert (entered.quantity, entered.unit, entered.units_version) == (2, "case", 7)


async def test_a_lot_keeps_its_expiry_and_needs_it_once(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        await node.do("receive", sku_id="MILK", lot="L1", quantity=1, expiry="2027-03-31")
        await node.do("receive", sku_id="MILK", lot="L1", quantity=1)
        learned = [[(lot.lot, lot.expiry) for lot in event.movement.lots] for event in await node.facts()]
        assert learned == [[("L1", "2027-03-31")], []]
        await node.do("put_away", sku_id="MILK", lot="L2", quantity=1, to_bin_id="A-01-01")
        assert (await node.held("MILK"))["A-01-01"] == 1, (
            "goods in hand are recorded, their label seen or not"
        )


async def test_a_unit_with_a_serial_is_in_one_place_and_comes_in_once(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        await node.do("receive", sku_id="CAMERA", quantity=1, serials=["S1"])
        with pytest.raises(Refused, match="already in DOCK"):
            await node.do("return", sku_id="CAMERA", quantity=1, serials=["S1"])
        done = await node.do(
            "move", sku_id="CAMERA", quantity=1, serials=["S1"], from_bin_id="A-01-01", to_bin_id="A-01-02"
        )
        assert [(found["bin_id"], found["difference"]) for found in done["discrepancies"]] == [
            ("DOCK", -1),
            ("A-01-01", 1),
        ]
        assert await node.held("CAMERA") == {"A-01-02": 1}
        await node.do("count", sku_id="CAMERA", quantity=1, serials=["S1"], bin_id="B-02-01")
        assert await node.held("CAMERA") == {"B-02-01": 1}, "a count says where it is, and so where it is not"


async def test_a_count_is_absolute_and_settles_what_was_open(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        await node.do("scrap", sku_id="TEA", quantity=3, bin_id="A-01-01", reason="wet")
        done = await node.do("count", sku_id="TEA", quantity=1, unit="case", bin_id="A-01-01")
        assert (done["book"], done["difference"], await node.held("TEA")) == (0, 12, {"A-01-01": 12})
        closed = (await node.facts())[-1].discrepancy_closed
        assert (closed.bin_id, list(closed.opened), closed.reason) == ("A-01-01", ["1/2"], "counted")
        again = await node.do("count", sku_id="TEA", quantity=12, bin_id="A-01-01")
        assert (again["seqs"], again["difference"]) == ([], 0)


async def test_a_correction_undoes_one_event_once_and_names_it(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        await node.do("receive", sku_id="TEA", quantity=5)
        await node.do("correct", event="1/1", reason="typed twice")
        assert await node.held("TEA") == {}
        movement = (await node.facts())[-1].movement
        assert (movement.command, movement.corrects, movement.reason) == ("correct", "1/1", "typed twice")
        with pytest.raises(Refused, match="corrected already, by event 2"):
            await node.do("correct", event="1/1", reason="again")
        for event, family in (("1/99", NotFound), ("2/1", NotFound)):
            with pytest.raises(family):
                await node.do("correct", event=event, reason="no such event")


async def test_a_kit_takes_exactly_its_parts(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        await node.do("count", sku_id="TEA", quantity=4, bin_id="A-01-01")
        await node.do("count", sku_id="CAMERA", quantity=1, serials=["S1"], bin_id="A-01-01")
        with pytest.raises(InvalidInput, match="needs one serial"):
            await node.do("kit", sku_id="SET", quantity=1, bin_id="A-01-01")
        camera = {"sku_id": "CAMERA", "quantity": 1, "serials": ["S1"]}
        with pytest.raises(InvalidInput, match="need exactly 1 CAMERA, 2 TEA"):
            await node.do("kit", sku_id="SET", quantity=1, bin_id="A-01-01", parts=[camera])
        with pytest.raises(InvalidInput, match="is no kit"):
            await node.do("kit", sku_id="TEA", quantity=1, bin_id="A-01-01")
        parts = [camera, {"sku_id": "TEA", "quantity": 2}]
        await node.do("kit", sku_id="SET", quantity=1, bin_id="A-01-01", to_bin_id="A-01-02", parts=parts)
        assert (await node.held("SET"), await node.held("TEA"), await node.held("CAMERA")) == (
            {"A-01-02": 1},
            {"A-01-01": 2},
            {},
        )
        await node.do("unkit", sku_id="SET", quantity=1, bin_id="A-01-02", parts=parts)
        assert (await node.held("TEA"), await node.held("CAMERA")) == (
            {"A-01-01": 2, "A-01-02": 2},
            {"A-01-02": 1},
        )


async def test_a_pick_of_more_than_the_order_asks_for_is_refused_lines_taken_together(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        order = await node.hub.fulfillment_order(1, ("TEA", 2), ("TEA", 1))
        two = {"sku_id": "TEA", "quantity": 2}
        with pytest.raises(InvalidInput) as refusal:
            await node.do("pick", fulfillment_order_id=order, bin_id="A-01-01", lines=[two, two])
        assert refusal.value.code == "more-than-asked"
        assert "is 4 of TEA, order FO-1 still asks for 3" in refusal.value.faults[0].problem
        assert await node.facts() == []
        await node.do("pick", fulfillment_order_id=order, bin_id="A-01-01", sku_id="TEA", quantity=3)
        (shown,) = await node.store.read(Reader.orders)
        assert [(line["quantity"], line["picked"]) for line in shown["lines"]] == [(2, 2), (1, 1)]
        with pytest.raises(InvalidInput, match="still asks for 0"):
            await node.do("pick", fulfillment_order_id=order, bin_id="A-01-01", sku_id="TEA", quantity=1)


async def test_goods_of_an_open_order_leave_only_with_the_order(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        order = await node.hub.fulfillment_order(1, ("TEA", 2))
        picked = await node.do("pick", fulfillment_order_id=order, bin_id="A-01-01", sku_id="TEA", quantity=1)
        with pytest.raises(InvalidInput, match="belongs to order FO-1"):
            await node.do("move", from_bin_id="STAGE-FO-1", to_bin_id="A-01-01", sku_id="TEA", quantity=1)
        with pytest.raises(Refused, match="serves order FO-1, which is picking"):
            await node.do("correct", event=f"1/{picked['seqs'][0]}", reason="wrong order")
        with pytest.raises(BodegaError, match="'pack' is not possible in state 'picking'"):
            await node.do("pack", fulfillment_order_id=order)


async def test_an_order_is_picked_and_packed_by_commands_and_its_label_is_queued(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.hub.profile()
        await node.stocked()
        order = await node.hub.fulfillment_order(1, ("TEA", 2))
        for _ in range(2):
            await node.do("pick", fulfillment_order_id=order, bin_id="A-01-01", sku_id="TEA", quantity=1)
        await node.do("pack", fulfillment_order_id=order)
        (shown,) = await node.store.read(Reader.orders)
        assert (shown["state"], await node.held("TEA")) == ("packed", {f"PARCEL-{shown['sscc']}": 2})
        (label,) = await node.store.read(Reader.labels)
        assert (label["sscc"], label["state"]) == (shown["sscc"], "queued")


async def test_an_order_that_is_not_here_is_neither_picked_nor_packed(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        with pytest.raises(NotFound, match="no fulfillment order 'FO-9'"):
            await node.do("pack", fulfillment_order_id="FO-9")
        with pytest.raises(NotFound, match="no fulfillment order 'FO-9'"):
            await node.do("pick", fulfillment_order_id="FO-9", bin_id="A-01-01", sku_id="TEA", quantity=1)
        assert await node.facts() == []


async def test_an_order_that_a_scanner_has_claimed_stays_with_its_flow(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        order = await node.hub.fulfillment_order(1, ("TEA", 1))
        await node.store.write(lambda tx: work.claim(tx, Context("c", device="scanner-1"), order))
        await node.do("pick", fulfillment_order_id=order, bin_id="A-01-01", sku_id="TEA", quantity=1)
        (shown,) = await node.store.read(Reader.orders)
        assert (shown["state"], shown["device"]) == ("picking", "scanner-1")


async def test_a_parcel_that_is_no_orders_is_packed_unpacked_and_shipped_by_its_number(
    tmp_path: Path,
) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        await node.do("receive", sku_id="TEA", quantity=3)
        await node.do("pack", bin_id="DOCK", sscc=SSCC)
        assert await node.held("TEA") == {f"PARCEL-{SSCC}": 3}
        await node.do("unpack", sscc=SSCC, to_bin_id="DOCK", sku_id="TEA", quantity=1)
        await node.do("ship", sscc=SSCC)
        assert await node.held("TEA") == {"DOCK": 1}
        with pytest.raises(Refused, match="nothing in PARCEL"):
            await node.do("ship", sscc=SSCC)


async def test_the_last_unit_asked_for_by_many_at_once_goes_to_exactly_one(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        await node.do("count", sku_id="TEA", quantity=5, bin_id="A-01-01")
        granted = stock_pb2.RightsGranted(transfer_id="T", sku_id="TEA", quantity=1)
        await node.store.write(lambda tx: rights.take(tx, Context("hub"), granted))
        asked = [node.do("reserve", reservation_id=f"R{n}", sku_id="TEA", quantity=1) for n in range(40)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert len(refused) == 39
        assert {error.code for error in refused} == {"insufficient-rights"}


async def test_two_lines_of_one_basket_for_one_sku_are_summed(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.stocked()
        await node.do("count", sku_id="TEA", quantity=50, bin_id="A-01-01")
        granted = stock_pb2.RightsGranted(transfer_id="T", sku_id="TEA", quantity=12)
        await node.store.write(lambda tx: rights.take(tx, Context("hub"), granted))
        lines = [
            {"reservation_id": "R1", "sku_id": "TEA", "quantity": 1},
            {"reservation_id": "R2", "sku_id": "TEA", "quantity": 1, "unit": "case"},
        ]
        with pytest.raises(Refused, match="13 asked, 12 may be promised"):
            await node.do("reserve", lines=lines)
        await node.do("reserve", lines=lines[1:])
        done = await node.do("post", reservation_id="R2", quantity=10, bin_id="A-01-01")
        assert (done["posted"], done["voided"], await node.held("TEA")) == (10, 2, {"A-01-01": 40})


async def test_a_node_that_has_not_heard_of_its_bins_takes_every_name(tmp_path: Path) -> None:
    with node_in(tmp_path) as node:
        await node.hub.sku(TEA)
        await node.do("receive", sku_id="SKU-1", quantity=1, bin_id="anywhere")
        assert await node.held("SKU-1") == {"anywhere": 1}


def test_units_that_lie_where_they_would_be_brought_to_are_nothing_new(tmp_path: Path) -> None:
    async def work() -> None:
        with node_in(tmp_path) as node:
            await node.stocked()
            goods = {"sku_id": "CAMERA", "quantity": 2, "serials": ["S1", "S2"]}
            await node.do("receive", **goods)
            again = await node.do("receive", **goods)
            assert (again["seqs"], "S1, S2: at DOCK already" in again["note"]) == ([], True)
            assert await node.held("CAMERA") == {"DOCK": 2}
            with pytest.raises(Refused, match=r"'S1' .* is already in DOCK"):
                await node.do("receive", **goods, bin_id="A-01-01")
            with pytest.raises(Refused):
                await node.do("receive", sku_id="CAMERA", quantity=2, serials=["S1", "S3"])

    asyncio.run(work())
