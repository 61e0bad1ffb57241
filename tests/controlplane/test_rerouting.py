"""Parcels that nobody has begun leave a node that is down, or that should have sent them: once, and only those."""

from __future__ import annotations

from pathlib import Path

from bodega.core.deadline import BootTime
from bodega.core.floor_words import Method
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.limits import REASSIGN_COOLDOWN_MS
from bodega.v1.journal_pb2 import HubEvent
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering import decisions, upkeep
from bodega_controlplane.app.routing import records
from bodega_controlplane.app.views import Caller
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.services.upkeep import UpkeepService
from bodega_controlplane.store import nodes, routing, schema
from bodega_controlplane.store import orders as order_rows
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY, deliver, rows_of
from support.moved_order import (
    HUB,
    LISBON,
    NOW,
    PORTO,
    SKU,
    Hand,
    conflicts_of,
    later,
    look_after,
    news,
    order_now,
    place,
    two_nodes,
    works_of,
)


def look(store: Store, down: set[str], caller: Caller = HUB) -> None:
    for job in store.read(lambda tx: upkeep.due(tx, caller, POLICY, NOW, down)):
        store.write(job.run)


def at(store: Store, *order_ids: str) -> list[str]:
    return [order_now(store, one).node_id for one in order_ids]


def test_a_node_dies_with_ten_orders_and_all_but_those_it_has_begun_are_sent_by_another(store: Store) -> None:
    lisbon, porto = two_nodes(store, lisbon=100, porto=100)
    ids = [place(store, 2, after_ms=number).order_id for number in range(10)]
    for begun in ids[:2]:
        lisbon.advance(works_of(store, begun)[0], begun, FulfillmentState.PICKING)
    deliver(store, *news(store, lisbon))
    look(store, set())
    assert at(store, *ids) == [LISBON] * 10
    look(store, {LISBON})
    assert at(store, *ids) == [LISBON] * 2 + [PORTO] * 8
    newest = store.read(lambda tx: decisions.routes_of(tx, ids[9]))[0]
    assert (newest.decided_by, newest.reason) == ("node_down@1", f"nothing is heard of {LISBON}")
    for order_id in ids[2:]:
        Hand(porto, works_of(store, order_id)[1], order_id, units=2, token=2).ship()
    deliver(store, *news(store, porto))
    assert {order_now(store, one).state for one in ids[2:]} == {OrderState.SHIPPED}
    assert conflicts_of(store) == []


def test_it_stays_where_it_is_if_nobody_else_has_it_and_does_not_thrash(store: Store) -> None:
    _, porto = two_nodes(store, porto=0)
    order_id = place(store).order_id
    look(store, {LISBON})
    assert at(store, order_id) == [LISBON]
    porto.shelve(SKU, 9)
    deliver(store, *news(store, porto))
    look(store, {LISBON, PORTO})
    assert at(store, order_id) == [LISBON], "both are down"
    look(store, {LISBON})
    look(store, {PORTO})
    assert at(store, order_id) == [PORTO], "it was moved a moment ago"
    look(store, {PORTO}, later(HUB, REASSIGN_COOLDOWN_MS))
    assert at(store, order_id) == [LISBON]


def test_an_order_that_should_have_left_goes_elsewhere_once(store: Store) -> None:
    two_nodes(store)
    order_id = place(store, ship_by_ms=HUB.now_ms + 5_000).order_id
    look_after(store, later(HUB, 5_000))
    assert at(store, order_id) == [LISBON]
    look_after(store, later(HUB, 5_001))
    assert at(store, order_id) == [PORTO]
    look_after(store, later(HUB, 5_001 + 2 * REASSIGN_COOLDOWN_MS))
    assert at(store, order_id) == [PORTO], "it would be late anywhere"


def test_late_orders_that_nobody_can_have_do_not_hide_a_node_that_is_down(store: Store) -> None:
    two_nodes(store, lisbon=4, porto=100)
    late = [place(store, 3, number, ship_by_ms=HUB.now_ms + 1).order_id for number in range(2)]
    waits = place(store, 2, after_ms=5).order_id
    assert at(store, *late, waits) == [PORTO, PORTO, LISBON]

    def untouched(down: set[str], limit: int) -> list[str]:
        rows = store.read(lambda tx: order_rows.untouched_parts(tx, HUB.now_ms + 9, down, limit))
        return [row.order_id for row in rows]

    assert untouched({LISBON}, 1) == [waits, late[0]]
    assert untouched({LISBON, PORTO}, 9) == [*late, waits], "each once"
    assert untouched(set(), 9) == late


def test_what_a_courier_brings_is_routed_as_such_and_a_parcel_for_its_node(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    ids = [place(store, 2, after_ms=number, method=Method.COURIER.value).order_id for number in range(2)]
    told = [
        HubEvent.FromString(row.body).fulfillment_order.method
        for row in rows_of(store, schema.down_log)
        if HubEvent.FromString(row.body).HasField("fulfillment_order")
    ]
    assert told == ["parcel", "parcel"]
    (decided,) = store.read(lambda tx: routing.decisions_of(tx, ids[0]))
    inputs = records.inputs_of(decided)
    assert inputs is not None
    assert inputs.method == "courier"
    lisbon.advance(works_of(store, ids[0])[0], ids[0], FulfillmentState.HANDED_BACK)
    deliver(store, *news(store, lisbon))
    look(store, {LISBON})
    assert at(store, *ids) == [PORTO, PORTO], "handed back, and fetched from a node that is down"


async def test_the_service_sees_a_node_fall_silent(sqlite_store: Store, tmp_path: Path) -> None:
    store, now = sqlite_store, [0.0]
    two_nodes(store)
    order_id = place(store).order_id
    hub = Hub(store, load_hub_key(tmp_path), POLICY, boot_clock=lambda: BootTime("boot-1", 1))
    upkeep_service = UpkeepService(hub, clock=lambda: now[0], lease_s=60)
    while now[0] < 75:
        now[0] += 5
        at_ms = HUB.now_ms + int(now[0] * 1000)
        speaking = [PORTO] if now[0] > 10 else [LISBON, PORTO]
        for node_id in speaking:
            store.write(lambda tx, who=node_id, ms=at_ms: nodes.change(tx, who, last_contact_ms=ms))
        await upkeep_service.round()
        if now[0] == 65:
            assert at(store, order_id) == [LISBON]
    assert at(store, order_id) == [PORTO]
