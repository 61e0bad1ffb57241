"""Commerce events: written with the change, numbered after the commit without gaps, read by cursor."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bodega.core.lifecycles import FulfillmentState
from bodega.errors import InvalidInput
from bodega.limits_events import EVENTS_KEPT_S, STOCK_TOLD_EVERY_MS
from bodega.v1 import floor_pb2
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.telling import events
from bodega_controlplane.app.telling.numbering import number
from bodega_controlplane.app.telling.views import EventPage
from bodega_controlplane.app.views import PageRequest
from bodega_controlplane.rules.telling import TYPES, types_of
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import (
    OPERATOR,
    POLICY,
    SECRET_NAME,
    SHOP,
    deliver,
    open_test_store,
    order_draft,
    rows_of,
)
from support.moved_order import (
    LISBON,
    PARCELS,
    PORTO,
    SKU,
    Hand,
    move,
    news,
    place,
    two_nodes,
    works_of,
)

NOW = SHOP.now_ms + 200_000


def numbered(store: Store, now_ms: int = NOW) -> None:
    while store.write(lambda tx: number(tx, now_ms, POLICY))[0]:
        pass


def told(store: Store, after: str = "", size: int = 500, **about: object) -> EventPage:
    return store.read(lambda tx: events.list_events(tx, PageRequest(size, after), **about))


def types(store: Store, *kinds: str) -> list[str]:
    return [one.type for one in told(store, types=kinds).events]


def test_an_order_is_told_from_its_placing_to_its_parcel(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store)
    hand = Hand(lisbon, works_of(store, order.order_id)[0], order.order_id)
    sscc = PARCELS[LISBON]
    lisbon.advance(hand.work_id, order.order_id, FulfillmentState.PICKING)
    deliver(store, *news(store, lisbon))
    lisbon.record(
        parcel_advanced=floor_pb2.ParcelAdvanced(
            sscc=sscc,
            fulfillment_order_id=hand.work_id,
            state="closed",
            carrier="northpost",
            service="STANDARD",
            tracking_number="RA000000005PT",
        )
    )
    hand.ship()
    deliver(store, *news(store, lisbon))
    numbered(store)
    assert types(store, "order.*", "fulfillment.*") == [
        "order.placed",
        "fulfillment.assigned",
        "order.in_fulfillment",
        "order.shipped",
        "fulfillment.shipped",
    ]
    (shipped,) = told(store, types=("fulfillment.shipped",)).events
    assert shipped.data["parcels"] == [
        {"sscc": sscc, "carrier": "northpost", "service": "STANDARD", "tracking_number": "RA000000005PT"}
    ]
    (whole,) = told(store, types=("order.shipped",)).events
    assert (whole.data["reference"], whole.data["state"]) == ("R-1", "shipped")
    assert whole.data["lines"] == [
        {"line": 1, "kit_line": 0, "sku_id": SKU, "quantity": 3, "shipped": 3, "short": 0}
    ]
    assert not any(SECRET_NAME in row.data or "Segredo" in row.data for row in rows_of(store, schema.event))


def test_every_path_tells_whatever_changes_the_row(store: Store) -> None:
    """No use case has to remember it: the database itself leaves the draft."""
    two_nodes(store)
    order = place(store)
    moved = move(store, order.order_id, PORTO)
    assert moved.node_id == PORTO
    by_hand = sa.update(schema.orders).values(state="unfulfillable", updated_at_ms=NOW)
    store.write(lambda tx: tx.connection.execute(by_hand))
    numbered(store)
    assert types(store, "order.*", "fulfillment.*") == [
        "order.placed",
        "fulfillment.assigned",
        "fulfillment.assigned",
        "order.unfulfillable",
    ]
    at = [one.data["node_id"] for one in told(store, types=("fulfillment.assigned",)).events]
    assert at == [LISBON, PORTO]


def test_what_is_rolled_back_is_never_told(store: Store) -> None:
    two_nodes(store)
    numbered(store)
    before = len(rows_of(store, schema.event))

    def half(tx: Transaction) -> None:
        orders.place_order(tx, SHOP, order_draft((SKU, 1)), POLICY)
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        store.write(half)
    numbered(store)
    assert len(rows_of(store, schema.event)) == before


def test_numbers_have_no_gaps_while_many_commit_at_once(store: Store) -> None:
    two_nodes(store, lisbon=200)
    numbered(store)

    def one(turn: int) -> None:
        place(store, 1, reference=f"R-{turn}")
        store.write(lambda tx: number(tx, NOW, POLICY))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(30)))
    numbered(store, NOW + STOCK_TOLD_EVERY_MS)
    seqs = [row.seq for row in rows_of(store, schema.event)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert types(store, "order.placed") == ["order.placed"] * 30
    assert rows_of(store, schema.event_draft) == []


@pytest.mark.postgres
def test_a_commit_that_comes_late_is_told_after_those_that_overtook_it(
    postgres_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Its draft has a lower number than some that were told already; a poller must not miss it."""
    store = open_test_store(postgres_url, tmp_path)
    request.addfinalizer(store.close)
    two_nodes(store)
    numbered(store)
    cursor = told(store).next_cursor
    placing = sa.insert(schema.event_draft).values(kind="stock", subject="LATE", word="", at_ms=0)

    def late(tx: Transaction) -> None:
        tx.connection.execute(placing)
        place(store)
        numbered(store)
        assert [one.type for one in told(store, cursor, types=("order.*",)).events] == ["order.placed"]

    store.write(late)
    seen = told(store).next_cursor
    numbered(store, NOW + STOCK_TOLD_EVERY_MS)
    assert "LATE" in [one.data["sku_id"] for one in told(store, seen).events]


def test_stock_is_told_when_it_has_changed_and_not_more_often_than_so(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=10, porto=10)
    numbered(store)
    (first,) = told(store, types=("stock.*",)).events
    # Each node keeps 2 of its 10.
    assert first.data == {"sku_id": SKU, "sellable": 20, "reserved": 0, "available": 16}
    for turn in range(4):
        place(store, 1, reference=f"R-{turn}")
        numbered(store, NOW + 10)
    assert len(told(store, types=("stock.*",)).events) == 1
    numbered(store, NOW + STOCK_TOLD_EVERY_MS)
    assert told(store, types=("stock.*",)).events[-1].data["available"] == 12
    # Units that go from one shelf to another are no news.
    lisbon.move("move", SKU, 1, source="A-01-01", target="A-01-02")
    deliver(store, *news(store, lisbon))
    numbered(store, NOW + 5 * STOCK_TOLD_EVERY_MS)
    assert len(told(store, types=("stock.*",)).events) == 2


def test_a_cancel_gives_its_units_back_and_the_stock_says_so(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store)
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    lisbon.advance(works_of(store, order.order_id)[0], order.order_id, FulfillmentState.CANCELLED)
    numbered(store)
    deliver(store, *news(store, lisbon))
    numbered(store, NOW + STOCK_TOLD_EVERY_MS)
    assert types(store, "order.*", "fulfillment.cancelled") == [
        "order.placed",
        "order.cancel_requested",
        "order.cancelled",
        "fulfillment.cancelled",
    ]
    assert [one.data["available"] for one in told(store, types=("stock.*",)).events] == [13, 16]


def test_an_order_that_waits_for_stock_says_so_and_which_part_of_it(store: Store) -> None:
    two_nodes(store)
    order = place(store)

    def wait(tx: Transaction, state: str, of_order: str) -> None:
        for table, word in ((schema.order_part, state), (schema.orders, of_order)):
            mine = sa.update(table).where(table.c.order_id == order.order_id)
            tx.connection.execute(mine.values(state=word))

    store.write(lambda tx: wait(tx, "backordered", "backordered"))
    store.write(lambda tx: wait(tx, "assigned", "confirmed"))
    numbered(store)
    assert types(store, "order.*", "part.*") == [
        "order.placed",
        "part.backordered",
        "order.backordered",
        "order.confirmed",
    ]
    (part,) = told(store, types=("part.*",)).events
    assert (part.data["part"], part.data["lines"]) == (1, [{"line": 1, "quantity": 3}])


def test_an_order_that_begins_to_wait_at_once_is_told_as_both() -> None:
    assert types_of("placed", "confirmed") == ("order.placed",)
    assert types_of("placed", "preordered") == ("order.placed", "order.preordered")
    assert set(types_of("placed", "preordered")) <= set(TYPES)


def test_a_return_and_its_refund_are_told(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store)
    line = floor_pb2.ReturnAdvanced.Line(sku_id=SKU, quantity=1, grade="new", disposition="sellable")
    about = {"return_id": "RET-1", "order_id": order.order_id}
    for state, lines in (("open", []), ("open", [line]), ("closed", [line])):
        lisbon.record(return_advanced=floor_pb2.ReturnAdvanced(**about, state=state, lines=lines))
    lisbon.record(refund_due=floor_pb2.RefundDue(**about, lines=[line]))
    deliver(store, *news(store, lisbon))
    numbered(store)
    assert types(store, "return.*", "refund.due") == ["return.received", "refund.due"]
    for one in told(store, types=("return.*", "refund.due")).events:
        assert one.data["reference"] == "R-1"
        assert one.data["lines"] == [
            {"sku_id": SKU, "quantity": 1, "grade": "new", "disposition": "sellable"}
        ]


def test_a_poller_reads_everything_once_however_small_its_pages_are(store: Store) -> None:
    two_nodes(store)
    for turn in range(7):
        place(store, 1, reference=f"R-{turn}")
    numbered(store)
    seen, cursor, more = [], "", True
    while more:
        page = told(store, cursor, size=3)
        seen += [one.event_id for one in page.events]
        cursor, more = page.next_cursor, page.has_more
    assert seen == [row.event_id for row in rows_of(store, schema.event)]
    assert told(store, cursor) == EventPage((), cursor, has_more=False)
    place(store, 1, reference="R-8")
    numbered(store)
    assert told(store, cursor).events[0].type == "order.placed"
    assert told(store, events.LATEST).events == ()


def test_a_channel_reads_its_own_orders_and_the_stock(store: Store) -> None:
    two_nodes(store)
    place(store, 1)
    other = replace(SHOP, channel="market")
    store.write(lambda tx: orders.place_order(tx, other, order_draft((SKU, 1)), POLICY))
    numbered(store)
    for channel in ("storefront", "market"):
        mine = told(store, channel=channel).events
        assert {one.data["channel"] for one in mine if "channel" in one.data} == {channel}
        assert "stock.changed" in [one.type for one in mine]
        # What it may not see it has passed over: the cursor does not wait there.
        assert told(store, channel=channel).next_cursor == told(store).next_cursor


def test_one_page_looks_at_so_many_events_and_goes_on_where_it_stopped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a rare type a page may be empty; who goes on while there is more finds every one of them."""
    monkeypatch.setattr(events, "EVENTS_SCANNED_PER_PAGE_MAX", 2)
    two_nodes(store)
    place(store, 1)
    place(store, 1)
    numbered(store)
    head = told(store, events.LATEST).next_cursor
    seen, cursor, more, pages = [], "", True, 0
    while more:
        page = told(store, cursor, types=("order.placed",))
        seen += [one.data["reference"] for one in page.events]
        cursor, more, pages = page.next_cursor, page.has_more, pages + 1
    assert (seen, cursor) == (["R-1", "R-1"], head)
    assert pages == -(-int(head.split("_")[1]) // 2)


@pytest.mark.parametrize(
    ("cursor", "code"),
    [
        ("evt_99_00000000", "cursor-unknown"),
        ("x" * 64, "cursor-unknown"),
        ("evt_1_00000000", "cursor-expired"),
    ],
)
def test_a_cursor_that_can_not_be_gone_on_from_is_refused_with_what_to_do(
    store: Store, cursor: str, code: str
) -> None:
    """After a restore of the hub, too: the same number is another event there, and has another id."""
    two_nodes(store)
    place(store, 1)
    numbered(store)
    place(store, 1)
    numbered(store, NOW + EVENTS_KEPT_S * 1000)
    long_after = replace(OPERATOR, now_ms=NOW + EVENTS_KEPT_S * 1000 + 1)
    store.write(lambda tx: events.trim(tx, long_after))
    with pytest.raises(InvalidInput) as refused:
        told(store, cursor)
    assert refused.value.code == code
    assert "oldest event kept" in refused.value.hint
    assert told(store).events


def test_types_that_there_are_not_are_all_named(sqlite_store: Store) -> None:
    with pytest.raises(InvalidInput) as refused:
        told(sqlite_store, types=("order.placed", "order.eaten", "weather.*", "*"))
    assert [fault.where for fault in refused.value.faults] == ["types[1]", "types[2]", "types[3]"]


def test_an_event_of_too_many_bytes_is_told_without_its_lists(sqlite_store: Store) -> None:
    two_nodes(sqlite_store)
    order = place(sqlite_store)
    rows = [
        {"order_id": order.order_id, "line": line, "sku_id": SKU, "quantity": 1} for line in range(2, 2_000)
    ]
    sqlite_store.write(lambda tx: tx.insert_many(schema.order_line, rows))
    numbered(sqlite_store)
    (placed,) = told(sqlite_store, types=("order.placed",)).events
    assert "lines" not in placed.data
    assert placed.data["order_id"] == order.order_id
    assert json.dumps(placed.data)
