"""Orders that no carrier takes, or that a node gives back: fetched, waited for in vain, sent from elsewhere."""

from __future__ import annotations

from hashlib import sha256

import pytest

from bodega.codec import parse_hub_event
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.errors import InvalidInput, Refused
from bodega.limits import ASSIGNMENTS_PER_ORDER_MAX
from bodega.v1 import orders_pb2
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import OrderView, PickupDraft
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, POLICY, SHOP, NodeByHand, deliver, order_draft, rows_of
from support.moved_order import (
    LISBON,
    PORTO,
    SKU,
    Hand,
    look_after,
    move,
    news,
    order_now,
    place,
    two_nodes,
    works_of,
)

F = FulfillmentState
SSCC = "1" * 18
CODE = "7731"


def placed_pickup(store: Store, units: int = 3) -> OrderView:
    """A customer comes to Lisbon for it."""
    draft = order_draft((SKU, units))
    fetched = PickupDraft(LISBON, CODE, hold_ms=60_000)
    draft = type(draft)(draft.reference, draft.lines, draft.recipient, method="pickup", pickup=fetched)
    return store.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))[0]


def told(store: Store, node_id: str) -> list[orders_pb2.FulfillmentOrder]:
    """The work that a node was given."""
    bodies = [row.body for row in rows_of(store, schema.down_log) if row.node_id == node_id]
    events = map(parse_hub_event, bodies)
    return [event.fulfillment_order for event in events if event.HasField("fulfillment_order")]


def staged(store: Store, node: NodeByHand, order: OrderView) -> Hand:
    """The node has picked it, put it into a bag, and the bag waits."""
    hand = Hand(node, works_of(store, order.order_id)[0], order.order_id)
    hand.pick()
    for state in (F.PACKED, F.LABELLED, F.STAGED):
        node.advance(hand.work_id, order.order_id, state, sscc=SSCC)
    deliver(store, *news(store, node))
    return hand


def handed_back(store: Store, node: NodeByHand, order: OrderView, number: int = 0) -> None:
    """The node gives its assignment back: it has not found what it should."""
    work = works_of(store, order.order_id)[number]
    node.advance(work, order.order_id, F.PICKING, token=number + 1)
    node.advance(work, order.order_id, F.HANDED_BACK, (1, 0, 3), token=number + 1)
    deliver(store, *news(store, node))


def available(store: Store) -> dict[str, int]:
    rows = store.read(lambda tx: stock.list_availability(tx, [SKU], POLICY))
    return {row.node_id: row.available for row in rows}


def test_a_node_can_check_the_code_of_a_pickup_and_can_not_tell_it(store: Store) -> None:
    two_nodes(store)
    order = placed_pickup(store)
    (work,) = told(store, LISBON)
    expected = sha256(f"{work.fulfillment_order_id}:{CODE}".encode()).digest()
    assert (work.method, work.pickup.code_sha256, work.pickup.hold_ms) == ("pickup", expected, 60_000)
    assert CODE.encode() not in work.SerializeToString()
    assert CODE not in repr(order)
    assert not any(CODE in row.detail for row in rows_of(store, schema.audit))


def test_a_pickup_is_promised_only_where_the_customer_comes(store: Store) -> None:
    two_nodes(store, lisbon=4)
    with pytest.raises(Refused, match="enough stock"):
        placed_pickup(store, units=3)
    assert placed_pickup(store, units=2).node_id == LISBON


def test_a_pickup_is_ready_and_then_collected(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = placed_pickup(store)
    hand = staged(store, lisbon, order)
    assert order_now(store, order.order_id).state is OrderState.READY_FOR_PICKUP
    lisbon.advance(hand.work_id, order.order_id, F.COLLECTED, (1, 3, 0), sscc=SSCC)
    deliver(store, *news(store, lisbon))
    after = order_now(store, order.order_id)
    assert (after.state, after.lines[0].shipped) == (OrderState.COLLECTED, 3)


def test_a_pickup_of_which_some_was_missing_is_collected_in_part(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = placed_pickup(store)
    hand = staged(store, lisbon, order)
    lisbon.advance(hand.work_id, order.order_id, F.COLLECTED, (1, 2, 1), sscc=SSCC)
    deliver(store, *news(store, lisbon))
    assert order_now(store, order.order_id).state is OrderState.PARTIALLY_COLLECTED


@pytest.mark.parametrize(
    ("cancelled", "after"), [(False, OrderState.NOT_COLLECTED), (True, OrderState.CANCELLED)]
)
def test_what_nobody_came_for_is_over_and_its_units_can_be_sold_again(
    store: Store, cancelled: bool, after: OrderState
) -> None:
    lisbon, _ = two_nodes(store)
    order = placed_pickup(store)
    hand = staged(store, lisbon, order)
    if cancelled:
        store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    lisbon.advance(hand.work_id, order.order_id, F.EXPIRED)
    lisbon.move("put_away", SKU, 3, source=f"STAGE-{hand.work_id}", target="A-01-01")
    deliver(store, *news(store, lisbon))
    assert order_now(store, order.order_id).state is after
    assert available(store)[LISBON] == 8


def test_a_box_that_is_opened_again_has_no_parcel_number_any_more(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store)
    hand = Hand(lisbon, works_of(store, order.order_id)[0], order.order_id)
    hand.pick()
    lisbon.advance(hand.work_id, order.order_id, F.PACKED, sscc=SSCC)
    deliver(store, *news(store, lisbon))
    assert order_now(store, order.order_id).parcels == (SSCC,)
    lisbon.advance(hand.work_id, order.order_id, F.PICKED)
    deliver(store, *news(store, lisbon))
    assert order_now(store, order.order_id).parcels == ()


def test_a_parcel_that_its_node_hands_back_goes_to_another_node_by_itself(store: Store) -> None:
    lisbon, porto = two_nodes(store)
    order = place(store)
    handed_back(store, lisbon, order)
    assert order_now(store, order.order_id).state is OrderState.HANDED_BACK
    look_after(store)
    after = order_now(store, order.order_id)
    assert (after.state, after.node_id) == (OrderState.CONFIRMED, PORTO)
    assert [(line.quantity, line.short) for line in after.lines] == [(3, 0)]
    (work,) = told(store, PORTO)
    assert work.fencing_token == 2
    Hand(porto, work.fulfillment_order_id, order.order_id, token=2).ship()
    deliver(store, *news(store, porto))
    assert order_now(store, order.order_id).state is OrderState.SHIPPED
    facts = [parse_hub_event(row.body) for row in rows_of(store, schema.down_log) if row.node_id == LISBON]
    assert not any(event.HasField("fulfillment_revoked") for event in facts), "it has stopped already"


def test_it_does_not_go_back_to_a_node_that_has_handed_it_back_and_waits_for_stock_elsewhere(
    store: Store,
) -> None:
    lisbon, porto = two_nodes(store)
    order = place(store, backorder=True)
    handed_back(store, lisbon, order)
    look_after(store)
    handed_back(store, porto, order, number=1)
    look_after(store)
    after = order_now(store, order.order_id)
    assert (after.state, len(works_of(store, order.order_id))) == (OrderState.BACKORDERED, 2)
    assert move(store, order.order_id, to=LISBON).node_id == LISBON, "a person may say so all the same"


def test_a_node_without_stock_gets_nothing_until_it_has_some(store: Store) -> None:
    lisbon, porto = two_nodes(store, porto=0)
    order = place(store, backorder=True)
    handed_back(store, lisbon, order)
    look_after(store)
    assert order_now(store, order.order_id).state is OrderState.BACKORDERED
    porto.shelve(SKU, 9)
    deliver(store, *news(store, porto))
    look_after(store)
    after = order_now(store, order.order_id)
    assert (after.node_id, after.state) == (PORTO, OrderState.CONFIRMED)


def test_an_order_that_may_not_wait_is_over_when_no_node_can_have_it(store: Store) -> None:
    lisbon, porto = two_nodes(store, porto=0)
    order = place(store)
    handed_back(store, lisbon, order)
    look_after(store)
    after = order_now(store, order.order_id)
    assert (after.state, after.lines[0].short) == (OrderState.UNFULFILLABLE, 3)
    porto.shelve(SKU, 9)
    deliver(store, *news(store, porto))
    look_after(store)
    assert order_now(store, order.order_id).state is OrderState.UNFULFILLABLE
    assert told(store, PORTO) == []


def test_a_pickup_that_is_handed_back_waits_for_a_person_who_says_where(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = placed_pickup(store)
    handed_back(store, lisbon, order)
    look_after(store)
    assert order_now(store, order.order_id).state is OrderState.HANDED_BACK
    with pytest.raises(Refused) as refused:
        move(store, order.order_id)
    assert refused.value.code == "pickup-waits"
    assert move(store, order.order_id, to=PORTO).state is OrderState.CONFIRMED
    (work,) = told(store, PORTO)
    expected = sha256(f"{work.fulfillment_order_id}:{CODE}".encode()).digest()
    assert work.pickup.code_sha256 == expected, "hashed anew, for the work that it is now"


def test_a_handed_back_order_is_cancelled_at_once_because_nobody_has_it(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = placed_pickup(store)
    handed_back(store, lisbon, order)
    cancelled = store.write(lambda tx: orders.cancel_order(tx, OPERATOR, order.order_id))[0]
    assert cancelled.state is OrderState.CANCELLED
    assert available(store) == {LISBON: 8, PORTO: 8}
    look_after(store)
    assert order_now(store, order.order_id).state is OrderState.CANCELLED


def test_an_order_is_not_given_on_for_ever(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bodega_controlplane.app.ordering.reassigning.ASSIGNMENTS_PER_ORDER_MAX", 1)
    lisbon, _ = two_nodes(store)
    order = place(store)
    handed_back(store, lisbon, order)
    look_after(store)
    assert order_now(store, order.order_id).state is OrderState.UNFULFILLABLE
    assert ASSIGNMENTS_PER_ORDER_MAX > 1


def test_what_an_order_says_of_how_it_is_served_reaches_its_node(store: Store) -> None:
    two_nodes(store)
    draft = order_draft((SKU, 3), service_class="next_day")
    draft = type(draft)(
        draft.reference, draft.lines, draft.recipient, "next_day", ship_complete=True, ship_by_ms=5_000
    )
    order = store.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))[0]
    (work,) = told(store, LISBON)
    assert (work.service_class, work.ship_complete, work.ship_by_ms) == ("next_day", True, 5_000)
    assert (work.method, work.placed_at_ms) == ("parcel", order.placed_at_ms)


def test_a_code_that_is_refused_is_not_repeated_in_the_refusal(store: Store) -> None:
    two_nodes(store)
    draft = order_draft((SKU, 3))
    draft = type(draft)(
        draft.reference,
        draft.lines,
        draft.recipient,
        method="locker",
        pickup=PickupDraft(LISBON, "secret code!"),
    )
    with pytest.raises(InvalidInput) as refused:
        store.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))
    assert [fault.where for fault in refused.value.faults] == ["pickup.code"]
    assert "secret" not in str(refused.value.faults)
