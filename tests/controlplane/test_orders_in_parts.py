"""Orders of several parts: split over nodes, with kits, waiting for stock or a date; each part has its own life."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.codec import parse_hub_event
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.parts import PartState
from bodega.errors import InvalidInput, Refused
from bodega.v1 import orders_pb2
from bodega_controlplane.app.goods import catalogue, stock
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import OrderDraft, OrderView, PickupDraft, SkuComponent
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import (
    OPERATOR,
    POLICY,
    SHOP,
    NodeByHand,
    deliver,
    order_draft,
    rows_of,
    settle,
    sku,
)
from support.moved_order import (
    HUB,
    LISBON,
    PORTO,
    SKU,
    Hand,
    later,
    look_after,
    move,
    news,
    order_now,
    place,
    two_nodes,
)

F = FulfillmentState


def told(store: Store, node_id: str) -> list[orders_pb2.FulfillmentOrder]:
    """The work that a node was given."""
    bodies = [row.body for row in rows_of(store, schema.down_log) if row.node_id == node_id]
    events = map(parse_hub_event, bodies)
    return [event.fulfillment_order for event in events if event.HasField("fulfillment_order")]


def available(store: Store, sku_id: str = SKU) -> dict[str, int]:
    rows = store.read(lambda tx: stock.list_availability(tx, [sku_id], POLICY))
    return {row.node_id: row.available for row in rows}


def placed(store: Store, draft: OrderDraft) -> OrderView:
    """What placing answers, whatever kind of order it is, is what reading it answers."""
    order = store.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))[0]
    assert store.read(lambda tx: orders.get_order(tx, order.order_id)) == order
    return order


def states(order: OrderView) -> list[tuple[str, PartState]]:
    return [(part.node_id, part.state) for part in order.parts]


def hand(store: Store, node: NodeByHand, order: OrderView, part: int) -> Hand:
    """A node's hands on a part of which it has all units of one line."""
    mine = order.parts[part - 1]
    (work,) = [w for w in told(store, node.node_id) if w.fulfillment_order_id == mine.fulfillment_order_id]
    units = mine.lines[0].quantity
    return Hand(node, work.fulfillment_order_id, order.order_id, units, work.fencing_token)


@pytest.fixture
def split(store: Store) -> tuple[NodeByHand, NodeByHand, OrderView]:
    """An order of 12, of which Lisbon has 8 to give and Porto the rest."""
    lisbon, porto = two_nodes(store, lisbon=10, porto=10)
    return lisbon, porto, place(store, 12, parts_max=2)


def test_what_no_node_has_alone_is_shared_if_the_order_may_be_split(
    store: Store, split: tuple[NodeByHand, NodeByHand, OrderView]
) -> None:
    _, _, order = split
    assert order.state is OrderState.CONFIRMED
    assert {part.node_id for part in order.parts} == {LISBON, PORTO}
    assert sum(part.lines[0].quantity for part in order.parts) == 12
    works = [*told(store, LISBON), *told(store, PORTO)]
    assert sorted(work.fencing_token for work in works) == [1, 2]
    assert sum(work.lines[0].quantity for work in works) == 12
    assert sum(available(store).values()) == 4
    with pytest.raises(Refused):
        place(store, 5, parts_max=1)


def test_each_part_ships_by_itself_and_the_order_with_the_last(
    store: Store, split: tuple[NodeByHand, NodeByHand, OrderView]
) -> None:
    lisbon, porto, order = split
    nodes = {LISBON: lisbon, PORTO: porto}
    first, second = order.parts
    hand(store, nodes[first.node_id], order, 1).ship()
    deliver(store, *news(store, nodes[first.node_id]))
    now = order_now(store, order.order_id)
    assert (now.state, now.lines[0].shipped) == (OrderState.IN_FULFILLMENT, first.lines[0].quantity)
    look_after(store)
    hand(store, nodes[second.node_id], order, 2).ship()
    deliver(store, *news(store, nodes[second.node_id]))
    now = order_now(store, order.order_id)
    assert (now.state, now.lines[0].shipped, len(now.parcels)) == (OrderState.SHIPPED, 12, 2)
    assert rows_of(store, schema.conflict) == [], "two parts are no duplicate"


def test_a_cancel_asks_every_node_and_ends_when_all_have_answered(
    store: Store, split: tuple[NodeByHand, NodeByHand, OrderView]
) -> None:
    lisbon, porto, order = split
    nodes = {LISBON: lisbon, PORTO: porto}
    first, second = order.parts
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    hand(store, nodes[first.node_id], order, 1).stop()
    deliver(store, *news(store, nodes[first.node_id]))
    assert order_now(store, order.order_id).state is OrderState.CANCEL_REQUESTED
    hand(store, nodes[second.node_id], order, 2).ship()
    deliver(store, *news(store, nodes[second.node_id]))
    assert order_now(store, order.order_id).state is OrderState.PARTIALLY_SHIPPED
    look_after(store)
    assert order_now(store, order.order_id).state is OrderState.PARTIALLY_SHIPPED, "nothing more is sent"


def test_one_part_is_moved_and_the_other_one_stays(
    store: Store, split: tuple[NodeByHand, NodeByHand, OrderView]
) -> None:
    lisbon, porto, order = split
    porto.shelve(SKU, 20)
    lisbon.shelve(SKU, 20)
    deliver(store, *news(store, porto), *news(store, lisbon))
    with pytest.raises(InvalidInput, match="in parts"):
        move(store, order.order_id)
    _, second = order.parts
    after = move(store, order.order_id, part=1)
    assert after.parts[0].node_id == second.node_id
    assert after.parts[1] == second
    assert len(told(store, second.node_id)) == 2


def test_a_short_parcel_is_completed_from_another_node(store: Store) -> None:
    lisbon, porto = two_nodes(store)
    order = place(store, 3)
    mine = hand(store, lisbon, order, 1)
    lisbon.advance(mine.work_id, order.order_id, F.PICKING)
    lisbon.move(
        "pick", SKU, 1, source="A-01-01", target=f"STAGE-{mine.work_id}", fulfillment_order_id=mine.work_id
    )
    for state in (F.PICKED, F.PACKED, F.LABELLED):
        lisbon.advance(mine.work_id, order.order_id, state, (1, 0, 2), sscc="1" * 18)
    lisbon.advance(mine.work_id, order.order_id, F.SHIPPED, (1, 1, 2), sscc="1" * 18)
    deliver(store, *news(store, lisbon))
    assert order_now(store, order.order_id).state is OrderState.IN_FULFILLMENT
    look_after(store)
    after = order_now(store, order.order_id)
    assert states(after) == [(LISBON, PartState.SHIPPED), (PORTO, PartState.ASSIGNED)]
    assert [part.lines[0].quantity for part in after.parts] == [1, 2]
    hand(store, porto, after, 2).ship()
    deliver(store, *news(store, porto))
    after = order_now(store, order.order_id)
    assert (after.state, after.lines[0].shipped, after.lines[0].short) == (OrderState.SHIPPED, 3, 0)


def with_kits(store: Store, breakfasts: int = 0) -> NodeByHand:
    """A node with 10 of each of two components, and whole kits if any."""
    settle(store, "TEA", "BREAD", node_ids=(LISBON,))
    kit = replace(sku("BREAKFAST"), components=(SkuComponent("TEA", 2), SkuComponent("BREAD", 1)))
    store.write(lambda tx: catalogue.upsert_skus(tx, OPERATOR, [kit]))
    node = NodeByHand(LISBON)
    for sku_id, units in (("TEA", 10), ("BREAD", 10), ("BREAKFAST", breakfasts)):
        if units:
            node.shelve(sku_id, units)
    deliver(store, *news(store, node))
    return node


def test_a_kit_that_nobody_has_made_up_is_served_by_its_components(store: Store) -> None:
    node = with_kits(store)
    order = placed(store, order_draft(("BREAKFAST", 3), ("TEA", 1)))
    assert [(one.line, one.sku_id, one.quantity, one.kit_line) for one in order.lines] == [
        (1, "BREAKFAST", 3, 0),
        (2, "TEA", 1, 0),
        (3, "TEA", 6, 1),
        (4, "BREAD", 3, 1),
    ]
    (work,) = told(store, LISBON)
    assert [(one.line, one.sku_id, one.quantity) for one in work.lines] == [
        (2, "TEA", 1),
        (3, "TEA", 6),
        (4, "BREAD", 3),
    ]
    assert (available(store, "TEA"), available(store, "BREAD")) == ({LISBON: 1}, {LISBON: 5})
    with pytest.raises(Refused) as refused:
        placed(store, order_draft(("TEA", 1), ("BREAKFAST", 1)))
    assert "TEA" in str(refused.value.faults), "what repeats a SKU is summed"
    for state in (F.PICKING, F.PICKED, F.PACKED, F.LABELLED):
        node.advance(work.fulfillment_order_id, order.order_id, state)
    node.advance(work.fulfillment_order_id, order.order_id, F.SHIPPED, (2, 1, 0), (3, 5, 1), (4, 3, 0))
    deliver(store, *news(store, node))
    look_after(store)
    after = order_now(store, order.order_id)
    assert after.state is OrderState.PARTIALLY_SHIPPED
    assert [(one.shipped, one.short) for one in after.lines] == [(2, 1), (1, 0), (5, 1), (3, 0)]


def test_a_kit_that_is_made_up_is_sold_as_it_is(store: Store) -> None:
    with_kits(store, breakfasts=5)
    order = placed(store, order_draft(("BREAKFAST", 3)))
    assert [(one.sku_id, one.quantity) for one in told(store, LISBON)[0].lines] == [("BREAKFAST", 3)]
    assert len(order.lines) == 1


def test_a_backorder_takes_what_is_there_and_waits_for_the_rest(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=5, porto=0)
    order = place(store, 8, backorder=True)
    assert states(order) == [(LISBON, PartState.ASSIGNED), ("", PartState.BACKORDERED)]
    assert [part.lines[0].quantity for part in order.parts] == [3, 5]
    assert (order.state, order.node_id) == (OrderState.BACKORDERED, LISBON)
    look_after(store)
    assert order_now(store, order.order_id) == order
    lisbon.shelve(SKU, 5)
    deliver(store, *news(store, lisbon))
    look_after(store)
    after = order_now(store, order.order_id)
    assert states(after) == [(LISBON, PartState.ASSIGNED), (LISBON, PartState.ASSIGNED)]
    assert available(store)[LISBON] == 0


def test_what_goes_together_waits_together(store: Store) -> None:
    two_nodes(store, lisbon=5, porto=0)
    order = place(store, 8, backorder=True, ship_complete=True)
    assert (states(order), order.state, order.node_id) == (
        [("", PartState.BACKORDERED)],
        OrderState.BACKORDERED,
        "",
    )
    assert available(store)[LISBON] == 3, "nothing is promised to who waits"


def test_stock_that_comes_goes_to_the_sooner_promised_then_to_the_older(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=0, porto=0)
    young = place(store, 4, after_ms=3, backorder=True)
    old = place(store, 4, after_ms=1, backorder=True)
    urgent = place(store, 4, after_ms=5, backorder=True, service_class="same_day")
    small = place(store, 1, after_ms=6, backorder=True)
    lisbon.shelve(SKU, 2 + 4 + 4 + 1)
    deliver(store, *news(store, lisbon))
    look_after(store, later(HUB, 10))
    served = {
        order.order_id
        for order in (young, old, urgent, small)
        if order_now(store, order.order_id).state is OrderState.CONFIRMED
    }
    assert served == {urgent.order_id, old.order_id, small.order_id}
    assert available(store)[LISBON] == 0


def test_a_preorder_is_promised_nothing_before_its_date_and_waits_for_stock_after_it(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=2, porto=0)
    date = SHOP.now_ms + 86_400_000
    early, second = (place(store, 3, not_before_ms=date) for _ in range(2))
    assert (early.state, states(early)) == (OrderState.PREORDERED, [("", PartState.PREORDERED)])
    lisbon.shelve(SKU, 3)
    deliver(store, *news(store, lisbon))
    look_after(store, later(HUB, 86_399_999))
    assert (order_now(store, early.order_id).state, available(store)[LISBON]) == (OrderState.PREORDERED, 3)
    look_after(store, later(HUB, 86_400_000))
    assert {order_now(store, one.order_id).state for one in (early, second)} == {
        OrderState.CONFIRMED,
        OrderState.BACKORDERED,
    }
    cancelled = store.write(lambda tx: orders.cancel_order(tx, SHOP, second.order_id))[0]
    final = order_now(store, cancelled.order_id).state
    assert final in {OrderState.CANCELLED, OrderState.CANCEL_REQUESTED}


def test_a_pickup_that_waits_is_served_where_its_customer_comes_to_and_nowhere_else(store: Store) -> None:
    _, porto = two_nodes(store, lisbon=10, porto=0)
    draft = replace(order_draft((SKU, 3)), method="pickup", pickup=PickupDraft(PORTO, "7731"), backorder=True)
    order = placed(store, draft)
    look_after(store)
    assert order_now(store, order.order_id).state is OrderState.BACKORDERED
    porto.shelve(SKU, 5)
    deliver(store, *news(store, porto))
    look_after(store)
    assert (order_now(store, order.order_id).node_id, len(told(store, PORTO))) == (PORTO, 1)


def test_a_waiting_order_is_cancelled_at_once(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=0, porto=0)
    order = place(store, backorder=True)
    assert (
        store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))[0].state is OrderState.CANCELLED
    )
    lisbon.shelve(SKU, 9)
    deliver(store, *news(store, lisbon))
    look_after(store)
    assert (order_now(store, order.order_id).state, told(store, LISBON)) == (OrderState.CANCELLED, [])
