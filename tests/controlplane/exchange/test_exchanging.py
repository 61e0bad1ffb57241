"""A shop without developers: orders and a catalogue as files in, answers and shipments as files out."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bodega.core.lifecycles import FulfillmentState
from bodega.errors import InFlight, InvalidInput, Unavailable
from bodega.limits_hub import EXCHANGE_ORDERS_MAX
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import GeoPoint
from bodega_controlplane.exchange.folder import FolderExchange
from bodega_controlplane.exchange.order_files import read_orders
from bodega_controlplane.exchange.places import Places
from bodega_controlplane.services.exchange import ExchangeService
from bodega_controlplane.store import exchange as rows
from bodega_controlplane.store import schema
from support.controlplane import SECRET_NAME, NodeByHand, deliver, make_hub, rows_of, settle

PLACES = Places({("PT", "1"): GeoPoint(38.7, -9.1)})
ORDERS = f"""\
reference,sku_id,quantity,name,address,postal_code,country
W-1,TEA,2,{SECRET_NAME},Rua do Segredo 7|2.o Esq.,1200-001,PT
W-1,MUG,1,,,,
W-2,TEA,0,João,Rua 1,1200-001,PT
W-3,TEA,1,Ana,Rua 2,1200-001,PT
W-4,COFFEE,1,Ana,Rua 2,1200-001,PT
W-5,TEA,900,Ana,Rua 2,1200-001,PT
W-6,TEA,1,Ana,Rua 2,9000-017,PT
"""


class Shop:
    """A shop with its folder, and the service that carries its files."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub, self.folder = hub, folder
        self.node = NodeByHand()
        self.exchange = FolderExchange(folder, settled_s=0, lease_s=0)
        self.service = ExchangeService(hub, self.exchange, "storefront", PLACES.find, keep_s=1e9)

    async def put(self, name: str, text: str | bytes) -> dict[str, list[dict[str, str]]]:
        """Drop a file, let the service look; what is in the outbox afterwards, by the end of its name."""
        path = self.folder / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return await self.look()

    async def look(self) -> dict[str, list[dict[str, str]]]:
        """One round; rows of what is new in the outbox."""
        before = set((self.folder / "outbox").glob("*"))
        await self.service.round()
        new = sorted(set((self.folder / "outbox").glob("*")) - before)
        return {path.name: list(csv.DictReader(io.StringIO(path.read_text()))) for path in new}


@pytest.fixture
def shop(database: str, tmp_path: Path) -> Iterator[Shop]:
    hub = make_hub(database, tmp_path)
    settle(hub._store, "TEA", "MUG")
    found = Shop(hub, tmp_path / "exchange")
    found.node.shelve("TEA", 40)
    found.node.shelve("MUG", 40)
    deliver(hub._store, found.node.delivery())
    yield found
    hub.close()


def ending(files: dict[str, list[dict[str, str]]], end: str) -> list[dict[str, str]]:
    """The rows of the one file with this ending."""
    (rows,) = [rows for name, rows in files.items() if name.endswith(end)]
    return rows


async def test_good_orders_are_taken_and_each_bad_one_is_told_with_its_row(shop: Shop) -> None:
    files = await shop.put("orders-monday.csv", ORDERS)
    acks = {row["reference"]: row for row in ending(files, ".ack.csv")}
    assert {name: row["outcome"] for name, row in acks.items()} == {
        "W-1": "accepted",
        "W-2": "refused",
        "W-3": "accepted",
        "W-4": "refused",
        "W-5": "refused",
        "W-6": "refused",
    }
    assert acks["W-1"]["state"] == "confirmed"
    assert acks["W-5"]["code"] == "insufficient-stock"
    wrong = [(row["line"], row["reference"], row["column"]) for row in ending(files, ".errors.csv")]
    assert ("4", "W-2", "quantity") in wrong
    assert ("6", "W-4", "sku_id") in wrong
    assert ("8", "W-6", "latitude") in wrong
    assert len(rows_of(shop.hub._store, schema.orders)) == 2
    assert [path.name.partition(".")[0] for path in (shop.folder / "done").iterdir()] == ["orders-monday"]


async def test_the_same_file_again_places_nothing_twice_and_is_answered_alike(shop: Shop) -> None:
    first = await shop.put("orders.csv", ORDERS)
    (shop.folder / "outbox").rename(shop.folder / "read")
    again = await shop.put("orders.csv", ORDERS)
    assert again == first
    assert len(rows_of(shop.hub._store, schema.orders)) == 2


async def test_a_reference_that_says_something_else_later_is_refused(shop: Shop) -> None:
    await shop.put("orders.csv", ORDERS)
    files = await shop.put("orders.csv", ORDERS.replace("W-1,TEA,2", "W-1,TEA,3"))
    (refused,) = [row for row in ending(files, ".ack.csv") if row["reference"] == "W-1"]
    assert (refused["outcome"], refused["code"]) == ("refused", "idempotency-mismatch")


async def test_a_crash_between_the_orders_and_their_answer_places_nothing_twice(shop: Shop) -> None:
    answered = shop.exchange.put_away

    async def crash(*_arguments: object, **_more: object) -> None:
        raise OSError(5, "Input/output error", "outbox")

    shop.exchange.put_away = crash  # type: ignore[method-assign]  # the disk fails, once
    with pytest.raises(OSError, match="Input/output"):
        await shop.put("orders.csv", ORDERS)
    shop.exchange.put_away = answered  # type: ignore[method-assign]  # it works again
    files = await shop.look()
    assert [row["outcome"] for row in ending(files, ".ack.csv")].count("accepted") == 2
    assert len(rows_of(shop.hub._store, schema.orders)) == 2


async def test_two_instances_at_the_same_file_place_each_order_once(shop: Shop) -> None:
    (shop.folder / "inbox").mkdir(parents=True)
    (shop.folder / "inbox" / "orders.csv").write_text(ORDERS)
    arrived = await shop.exchange.take()
    assert arrived is not None
    other = Shop(shop.hub, shop.folder)
    works = [one.service._work_on(arrived) for one in (shop, other)]
    ended = await asyncio.gather(*works, return_exceptions=True)
    assert all(one is None or isinstance(one, InFlight) for one in ended), (
        "one may have to wait for the other"
    )
    await shop.look()
    assert len(rows_of(shop.hub._store, schema.orders)) == 2
    (ack,) = (shop.folder / "outbox").glob("*.ack.csv")
    assert ack.read_text().count("accepted") == 2


async def test_a_file_holds_a_bounded_number_of_orders() -> None:
    rows = [f"W-{number},TEA,1" for number in range(EXCHANGE_ORDERS_MAX)]
    text = "\n".join(["reference,sku_id,quantity", *rows])
    assert len(read_orders(text, is_csv=True)) == EXCHANGE_ORDERS_MAX
    with pytest.raises(InvalidInput):
        read_orders(f"{text}\nONE-MORE,TEA,1", is_csv=True)


async def test_orders_as_json_say_the_same(shop: Shop) -> None:
    order = {
        "reference": "J-1",
        "lines": [{"sku_id": "TEA", "quantity": 1}],
        "recipient": {
            "name": "Ana",
            "address": ["Rua 2"],
            "country": "PT",
            "location": {"latitude": 38.7, "longitude": -9.1},
        },
        "ship_by": "2026-12-01T17:00:00Z",
        "pickup": None,
        "parts_max": 2,
    }
    files = await shop.put("orders.json", json.dumps({"orders": [order, {"reference": "J-2"}, 7]}))
    outcomes = [(row["reference"], row["outcome"]) for row in ending(files, ".ack.csv")]
    assert outcomes == [("J-1", "accepted"), ("J-2", "refused"), ("", "refused")]
    columns = {row["column"] for row in ending(files, ".errors.csv") if row["reference"] == "J-2"}
    assert columns == {"lines", "recipient"}


@pytest.mark.parametrize(
    ("name", "body", "problem"),
    [
        ("orders.csv", b"", "is a required column"),
        ("orders.csv", b"reference,sku_id,quantity\n", "has no orders"),
        ("orders.csv", b'reference,sku_id,quantity\n"W-1,TEA,1\n', "is not CSV"),
        ("orders.json", b"{", "is not JSON"),
        ("orders.csv", "referência".encode("latin-1"), "is not UTF-8 text"),
        ("prices.csv", b"sku,price\n", "must be called"),
        ("orders.csv", b"x" * (16 * 1024 * 1024 + 1), "is larger than"),
    ],
)
async def test_a_file_that_can_not_be_read_is_put_aside_with_the_reason(
    shop: Shop, name: str, body: bytes, problem: str
) -> None:
    files = await shop.put(name, body)
    assert any(problem in row["problem"] for row in ending(files, ".errors.csv"))
    assert len(list((shop.folder / "failed").iterdir())) == 1


async def test_spreadsheets_write_semicolons_and_a_mark_at_the_beginning(shop: Shop) -> None:
    text = (
        "\ufeffreference;sku_id;quantity;name;address;postal_code;country;latitude;longitude\r\n"
        "S-1;TEA;1;Ana;Rua 2;1000;PT;38,72;-9,13\r\n"
    )
    assert [row["outcome"] for row in ending(await shop.put("orders.csv", text), ".ack.csv")] == ["accepted"]


async def test_good_rows_of_a_catalogue_are_taken_and_bad_ones_are_told(shop: Shop) -> None:
    text = "sku_id,name,gtins\nCUP,A cup,\nPOT,,\nTEA,Tea,5601234567891\nJUG,A jug,\n"
    files = await shop.put("catalogue.csv", text)
    assert [row["reference"] for row in ending(files, ".ack.csv")] == ["CUP", "JUG"]
    assert {row["line"] for row in ending(files, ".errors.csv")} == {"3", "4"}
    assert {row.sku_id for row in rows_of(shop.hub._store, schema.sku)} == {"CUP", "JUG", "MUG", "TEA"}


@pytest.mark.parametrize("inside", ["\v", "\u2028", "\x1c"])
async def test_what_some_call_the_end_of_a_line_does_not_move_the_faults_to_rows_that_are_right(
    shop: Shop, inside: str
) -> None:
    text = f"sku_id,name,gtins\r\nPOT,Two{inside}lines,\r\nCUP,A cup,\r\nCAN,,\r\nJUG,A jug,\r\n"
    files = await shop.put("catalogue.csv", text)
    assert [row["reference"] for row in ending(files, ".ack.csv")] == ["CUP", "JUG"]
    assert {row["line"] for row in ending(files, ".errors.csv")} == {"2", "4"}


async def test_a_row_of_several_lines_that_is_wrong_is_left_out_whole(shop: Shop) -> None:
    text = (
        'sku_id,name,gtins\nPOT,,"5601234567892\n5601234567908,x"\nCUP,A cup,\nCAN,,"\n,A can,"\nJUG,A jug,\n'
    )
    files = await shop.put("catalogue.csv", text)
    assert [row["reference"] for row in ending(files, ".ack.csv")] == ["CUP", "JUG"]
    assert {row["line"] for row in ending(files, ".errors.csv")} == {"2", "5"}


async def test_a_shipment_is_told_once_with_its_parcel_and_a_quiet_order_not_at_all(shop: Shop) -> None:
    acks = ending(await shop.put("orders.csv", ORDERS), ".ack.csv")
    order_id = acks[0]["order_id"]
    assert await shop.look() == {}
    (work,) = [row for row in rows_of(shop.hub._store, schema.fulfillment_order) if row.order_id == order_id]
    shop.node.record(
        parcel_advanced={
            "sscc": "095212340000000082",
            "fulfillment_order_id": work.fulfillment_order_id,
            "state": "closed",
            "carrier": "northpost",
            "service": "PARCEL",
            "tracking_number": "RA473124829PT",
        }
    )
    for state in (FulfillmentState.PICKING, FulfillmentState.PICKED, FulfillmentState.PACKED):
        shop.node.advance(work.fulfillment_order_id, order_id, state, sscc="095212340000000082")
    shop.node.advance(
        work.fulfillment_order_id, order_id, FulfillmentState.LABELLED, sscc="095212340000000082"
    )
    shop.node.advance(
        work.fulfillment_order_id,
        order_id,
        FulfillmentState.SHIPPED,
        (1, 2, 0),
        (2, 1, 0),
        sscc="095212340000000082",
    )
    deliver(shop.hub._store, shop.node.delivery(2), now_ms=shop.hub.now_ms())
    files = await shop.look()
    assert list(files) == ["shipments-000000001.csv"]
    assert [
        (row["reference"], row["state"], row["sku_id"], row["shipped"])
        for row in files["shipments-000000001.csv"]
    ] == [
        ("W-1", "shipped", "TEA", "2"),
        ("W-1", "shipped", "MUG", "1"),
    ]
    assert {row["tracking_numbers"] for row in files["shipments-000000001.csv"]} == {"RA473124829PT"}
    assert await shop.look() == {}
    later = sa.update(schema.orders).values(updated_at_ms=shop.hub.now_ms() + 1_000)
    await shop.hub.run(lambda tx: tx.connection.execute(later) and None)
    assert await shop.look() == {}, "it has changed in nothing that the shop is told"


async def test_a_file_that_was_made_and_not_written_is_written_under_its_name(shop: Shop) -> None:
    await shop.hub.run(lambda tx: rows.add_file(tx, "storefront", b"rows", 1))
    await shop.look()
    assert (shop.folder / "outbox" / "shipments-000000001.csv").read_bytes() == b"rows"
    (kept,) = rows_of(shop.hub._store, schema.EXCHANGE_TABLES[2])
    assert (kept.body, kept.written_ms > 0) == (b"", True)


async def test_while_the_database_is_away_a_file_waits_and_is_taken_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_fn: object) -> None:
        raise Unavailable("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(shop.hub, "run", away)
        with pytest.raises(Unavailable):
            await shop.put("orders.csv", ORDERS)
    assert len(ending(await shop.look(), ".ack.csv")) == 6
