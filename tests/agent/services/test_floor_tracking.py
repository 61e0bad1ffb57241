"""Units, lots, serials and expiry on the floor: what a barcode carries reaches the ledger, and guides the picker."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bodega.codec import parse_node_event
from bodega.core.commands import decode
from bodega.v1 import catalogue_pb2, stock_pb2
from bodega_adapters.ports import Scan
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.services.floor import FloorService
from bodega_agent.services.prompts import PromptBoard
from bodega_agent.store.commands import run
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context
from support.node_under_test import HubPen, gtin, opened_store, scan_text

CAMERA, MILK = 1, 2
CASE = 77


class Floor:
    """One scanner on the floor of a real store."""

    def __init__(self, store: Store) -> None:
        self.store, self.hub = store, HubPen(store)
        self._service = FloorService(
            store, PromptBoard("boot"), present=lambda: {"s1"}, vision=lambda: VisionMode.OFF
        )
        self._numbers = itertools.count(1)

    async def stocked(self) -> Floor:
        """Cameras with serials; milk with lots, expiry and cases of 12."""
        await self.hub.profile()
        await self.hub.sku_of("CAMERA", CAMERA, serial_tracked=True)
        case = catalogue_pb2.Unit(unit="case", base_units=12, gtins=[gtin(CASE)])
        await self.hub.sku_of(
            "MILK", MILK, lot_tracked=True, expiry_tracked=True, units=[case], units_version=3
        )
        return self

    async def scan(self, *texts: str) -> dict[str, Any]:
        """Scans in a row; the last answer. A GS1 text begins with FNC1."""
        shown: dict[str, Any] = {}
        for text in texts:
            number = next(self._numbers)
            shown = await self._service.handle(Scan(text.encode(), text, None, "s1", number, at_ms=number))
        return shown

    async def do(self, command: str, **fields: Any) -> None:
        """A ledger command, to set the scene."""
        body = {"command": command, "cmd_id": f"scene-{next(self._numbers)}", **fields}
        await self.store.write(lambda tx: run(tx, Context("scene"), decode(body)))

    async def movements(self) -> list[stock_pb2.Movement]:
        """Every movement in the journal."""
        rows = await self.store.read(lambda reader: reader.journal(0, 1_000))
        return [parse_node_event(row["body"]).movement for row in rows if row["fact"] == "movement"]

    async def serials(self) -> dict[str, str]:
        """Where each serial is."""
        rows = await self.store.write(
            lambda tx: list(tx.execute("SELECT serial, bin || external FROM serial"))
        )
        return dict(rows)


@contextmanager
def floor_in(folder: Path) -> Iterator[Floor]:
    with opened_store(folder) as store:
        yield Floor(store)


def milk(lot: str, expiry: str = "", ai: str = "17") -> str:
    return f"\x1d01{gtin(MILK)}" + (f"{ai}{expiry}" if expiry else "") + f"10{lot}"


def camera(serial: str) -> str:
    return f"\x1d01{gtin(CAMERA)}21{serial}"


async def test_a_case_counts_its_base_units_and_what_was_entered_is_kept(tmp_path: Path) -> None:
    with floor_in(tmp_path) as floor:
        await floor.stocked()
        shown = await floor.scan("CMD-RECEIVE", f"\x1d01{gtin(CASE)}1727013110L1\x1d302")
        assert "Received 24" in shown["text"]
        (movement,) = await floor.movements()
        assert movement.postings[1].quantity == 24
        entered = movement.entered[0]
        assert (entered.quantity, entered.unit, entered.units_version) == (2, "case", 3)
        assert [(seen.lot, seen.expiry) for seen in movement.lots] == [("L1", "2027-01-31")]


async def test_a_new_lot_needs_its_expiry_once_and_best_before_will_do(tmp_path: Path) -> None:
    with floor_in(tmp_path) as floor:
        await floor.stocked()
        shown = await floor.scan("CMD-RECEIVE", milk("L1"))
        assert (shown["tone"], "expiry" in shown["text"]) == ("error", True)
        assert (await floor.scan(milk("L1", "270200", ai="15")))["tone"] == "ok"
        assert (await floor.scan(milk("L1")))["tone"] == "ok"
        seen = [[(lot.lot, lot.expiry) for lot in movement.lots] for movement in await floor.movements()]
        assert seen == [[("L1", "2027-02-28")], []], (
            "day 00 is the last of the month; told once, known for ever"
        )


async def test_a_serial_is_received_once_moved_and_picked_once(tmp_path: Path) -> None:
    with floor_in(tmp_path) as floor:
        await floor.stocked()
        assert (await floor.scan("CMD-RECEIVE", scan_text(CAMERA)))["tone"] == "error", "which unit is it?"
        await floor.scan(camera("S1"), camera("S2"))
        assert "on the dock already" in (await floor.scan(camera("S1")))["text"]
        shown = await floor.scan("CMD-DONE", "CMD-PUTAWAY", camera("S1"), camera("S1"))
        assert "in your hand already" in shown["text"]
        await floor.scan(camera("S2"), "A-01-01", "CMD-DONE")
        assert await floor.serials() == {"S1": "A-01-01", "S2": "A-01-01"}
        await floor.hub.fulfillment_order(1, ("CAMERA", 2))
        shown = await floor.scan("CMD-PICK", "A-01-01", camera("S1"), camera("S1"))
        assert "picked already" in shown["text"]
        assert await floor.serials() == {"S1": "STAGE-FO-1", "S2": "A-01-01"}
        await floor.scan(camera("S2"), "CMD-PACK")
        assert set((await floor.serials()).values()) == {"PARCEL-395212340000000014"}


async def test_units_leave_for_put_away_from_where_the_book_has_their_serials(tmp_path: Path) -> None:
    with floor_in(tmp_path) as floor:
        await floor.stocked()
        await floor.do("receive", sku_id="CAMERA", quantity=2, serials=["S1", "S2"])
        await floor.do("put_away", sku_id="CAMERA", quantity=1, serials=["S1"], to_bin_id="A-01-01")
        await floor.hub.fulfillment_order(1, ("CAMERA", 1))
        await floor.do(
            "pick", sku_id="CAMERA", quantity=1, serials=["S1"], bin_id="A-01-01", fulfillment_order_id="FO-1"
        )
        await floor.hub.cancel(1)
        await floor.scan("CMD-PUTAWAY", camera("S1"), camera("S2"), "B-02-01")
        assert await floor.serials() == {"S1": "B-02-01", "S2": "B-02-01"}
        assert not await floor.store.write(lambda tx: tx.one("SELECT 1 FROM discrepancy"))


async def test_an_empty_shelf_has_no_serials_left(tmp_path: Path) -> None:
    with floor_in(tmp_path) as floor:
        await floor.stocked()
        await floor.do("count", sku_id="CAMERA", quantity=2, serials=["S1", "S2"], bin_id="A-01-01")
        await floor.hub.fulfillment_order(1, ("CAMERA", 1))
        await floor.scan("CMD-PICK", "A-01-01", "CMD-SHORT", "missing")
        assert set((await floor.serials()).values()) == {"adjustment:count"}


async def test_the_picker_is_led_to_what_expires_first_and_never_to_what_has_expired(tmp_path: Path) -> None:
    with floor_in(tmp_path) as floor:
        await floor.stocked()
        # The clock of this store has just begun: it is 1970.
        for bin_id, lot, expiry in (
            ("A-01-01", "GONE", "1969-12-31"),
            ("A-01-02", "LATE", "2027-06-30"),
            ("B-02-01", "EARLY", "2027-01-31"),
        ):
            await floor.do("receive", sku_id="MILK", quantity=3, lot=lot, expiry=expiry)
            await floor.do("put_away", sku_id="MILK", quantity=3, lot=lot, to_bin_id=bin_id)
        await floor.hub.fulfillment_order(1, ("MILK", 2))
        shown = await floor.scan("CMD-PICK")
        assert "B-02-01" in shown["text"]
        shown = await floor.scan("B-02-01", milk("GONE"))
        assert shown["tone"] == "error"
        assert "expired" in shown["text"]
        late = {"rule": "fefo", "sku_id": "MILK", "lot": "LATE", "reason": "asked for", "expires_after_s": 60}
        await floor.do("override", override_id="O-1", **late)
        assert "A-01-02" in (await floor.scan("CMD-CANCEL", "CMD-PICK"))["text"]
