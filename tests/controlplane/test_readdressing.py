"""A customer moves house before his order is picked: nodes are told anew, from where the new address is nearest."""

from __future__ import annotations

import pytest

from bodega.codec import parse_hub_event
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.errors import InvalidInput, Refused
from bodega_controlplane.api.http.models.orders import OrderOut
from bodega_controlplane.app import audit
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.ordering import orders, readdressing
from bodega_controlplane.app.views import GeoPoint, OrderView, Recipient
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import LISBON as IN_LISBON
from support.controlplane import POLICY, SHOP, deliver, rows_of
from support.controlplane import PORTO as IN_PORTO
from support.moved_order import (
    LISBON,
    PORTO,
    SKU,
    Hand,
    conflicts_of,
    look_after,
    news,
    order_now,
    place,
    two_nodes,
    works_of,
)

NAME = "Joana Mudada"


def there(place: GeoPoint, name: str = NAME) -> Recipient:
    return Recipient(name, ("Rua Nova 9",), "4000-001", "PT", place)


def readdress(store: Store, order_id: str, to: Recipient) -> OrderView:
    return store.write(lambda tx: readdressing.change_recipient(tx, SHOP, order_id, to, POLICY))[0]


def available(store: Store) -> dict[str, int]:
    rows = store.read(lambda tx: stock.list_availability(tx, [SKU], POLICY))
    return {row.node_id: row.available for row in rows}


def told(store: Store, node_id: str) -> list[str]:
    events = [parse_hub_event(row.body) for row in rows_of(store, schema.down_log) if row.node_id == node_id]
    works = {"fulfillment_order", "fulfillment_revoked"}
    return [
        event.fulfillment_order.recipient.name or "stop"
        for event in events
        if event.WhichOneof("fact") in works
    ]


def test_the_nearest_node_to_the_new_address_gets_it_and_the_old_one_stops(store: Store) -> None:
    lisbon, porto = two_nodes(store)
    order = place(store)
    after = readdress(store, order.order_id, there(IN_PORTO))
    assert (after.node_id, after.state) == (PORTO, OrderState.CONFIRMED)
    assert (told(store, LISBON)[1:], told(store, PORTO)) == (["stop"], [NAME])
    assert available(store) == {LISBON: 5, PORTO: 5}, "Lisbon may not have heard of it"
    Hand(lisbon, works_of(store, order.order_id)[0], order.order_id).stop()
    Hand(porto, works_of(store, order.order_id)[1], order.order_id, token=2).ship()
    deliver(store, *news(store, lisbon), *news(store, porto))
    assert order_now(store, order.order_id).state is OrderState.SHIPPED
    lines = "".join(entry.detail for entry in store.read(audit.list_audit))
    assert NAME not in lines


def test_the_same_node_takes_its_promise_along_though_it_has_no_unit_more(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=5, porto=0)
    order = place(store, 3)
    assert available(store)[LISBON] == 0
    after = readdress(store, order.order_id, there(IN_LISBON))
    assert after.node_id == LISBON
    assert told(store, LISBON)[1:] == ["stop", NAME]
    assert available(store)[LISBON] == 0, "3 are promised, not 6 and not none"
    first, second = works_of(store, order.order_id)
    Hand(lisbon, first, order.order_id).stop()
    Hand(lisbon, second, order.order_id, token=2).ship()
    deliver(store, *news(store, lisbon))
    assert order_now(store, order.order_id).state is OrderState.SHIPPED
    assert conflicts_of(store) == []


def test_the_same_address_again_changes_nothing(store: Store) -> None:
    two_nodes(store)
    order = place(store)
    once = readdress(store, order.order_id, there(IN_PORTO))
    assert readdress(store, order.order_id, there(IN_PORTO)) == once
    assert len(works_of(store, order.order_id)) == 2


def test_what_was_begun_keeps_its_address(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store)
    lisbon.advance(works_of(store, order.order_id)[0], order.order_id, FulfillmentState.PICKING)
    deliver(store, *news(store, lisbon))
    with pytest.raises(Refused) as refused:
        readdress(store, order.order_id, there(IN_PORTO))
    assert refused.value.code == "work-begun"
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    with pytest.raises(Refused) as refused:
        readdress(store, order.order_id, there(IN_PORTO))
    assert refused.value.code == "cancel-requested"


def test_a_node_that_ships_to_the_old_address_all_the_same_is_found_out(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store)
    readdress(store, order.order_id, there(IN_LISBON))
    Hand(lisbon, works_of(store, order.order_id)[0], order.order_id).ship()
    deliver(store, *news(store, lisbon))
    assert [kind for _, kind, *_ in conflicts_of(store)] == ["two_nodes_claim"]
    look_after(store)
    assert told(store, LISBON)[-1] == "stop"
    assert order_now(store, order.order_id).state is OrderState.SHIPPED


def test_nobody_can_send_it_there_and_it_goes_where_it_was_to_go(store: Store) -> None:
    two_nodes(store, porto=0)
    order = place(store)
    with pytest.raises(InvalidInput) as invalid:
        readdress(store, order.order_id, Recipient("", (), "", "Portugal", GeoPoint(91, 0)))
    assert len(invalid.value.faults) >= 4
    before = [row.recipient for row in rows_of(store, schema.orders)]
    store.write(lambda tx: tx.connection.exec_driver_sql("UPDATE node SET lost_to_seq = 99") and None)
    with pytest.raises(Refused) as refused:
        readdress(store, order.order_id, there(IN_PORTO))
    assert refused.value.code == "insufficient-stock"
    assert [row.recipient for row in rows_of(store, schema.orders)] == before
    assert len(told(store, LISBON)) == 1


def test_an_order_that_waits_has_only_its_address_changed(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=0, porto=0)
    order = place(store, backorder=True)
    after = readdress(store, order.order_id, there(IN_PORTO))
    assert after.state is OrderState.BACKORDERED
    assert OrderOut.of(after) != OrderOut.of(order), "its ETag differs, even within the same millisecond"
    assert readdress(store, order.order_id, there(IN_PORTO)) == after, "the same again changes nothing"
    lisbon.shelve(SKU, 9)
    deliver(store, *news(store, lisbon))
    look_after(store)
    assert told(store, LISBON) == [NAME]
