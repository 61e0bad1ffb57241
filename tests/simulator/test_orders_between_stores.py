"""Orders between a real hub and real nodes that are out of touch: both sell, one is moved, both ship. No mock, no wire.

Both sides selling the same stock in a partition cannot happen: each promises from rights that it holds alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from bodega.core.conflicts.table import CASES
from bodega.core.ledger import Goods
from bodega.core.lifecycles import OrderState
from bodega.errors import Refused
from bodega_agent.store import work
from bodega_controlplane.app.goods.rights import GRANT
from bodega_controlplane.app.ordering import upkeep
from bodega_controlplane.app.ordering.reassigning import Move, reassign
from bodega_controlplane.store import schema
from support.controlplane import OPERATOR, POLICY, rows_of
from support.moved_order import HUB, NOW, conflicts_of, order_now
from support.promising import SHELF
from support.rights_world import SKU, RightsNode, RightsWorld
from support.worked_order import bring_to

STOCK = 9


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RightsWorld]:
    """A hub, and two nodes with so many units each."""
    made = RightsWorld(tmp_path, STOCK)
    yield made
    made.close()


def sold(promise: Callable[[int], None]) -> int:
    """Promise one unit after the other until that is refused; how many were."""
    for number in range(10 * STOCK):
        try:
            promise(number)
        except Refused:
            return number
    return 10 * STOCK


def walk_in(node: RightsNode, number: int) -> None:
    """Somebody at the counter wants one."""
    node.reserve(f"P-{number}", 1, 0)


def test_both_sides_sell_all_that_they_may_in_a_partition_and_no_unit_is_sold_twice(
    world: RightsWorld,
) -> None:
    for node in world.nodes:
        world.move(GRANT, node, f"q-{node.node_id}", 4)
        world.bring_down(node, 0, 9)
    # From here on nobody hears of anybody.
    sold_by_hub = sold(lambda _number: world.order(1))
    sold_by_nodes = [sold(partial(walk_in, node)) for node in world.nodes]
    assert sold_by_nodes == [4, 4]
    assert sold_by_hub == 2 * (STOCK - 4 - POLICY.safety_stock)
    for node in world.nodes:
        world.drain(node)
    for node in world.nodes:
        assert node.standing().shortfall == 0
    assert conflicts_of(world.hub) == []
    assert CASES["same_stock_sold_twice"].sentence.startswith("Cannot happen")


def given_to_lisbon(world: RightsWorld) -> tuple[str, RightsNode, RightsNode]:
    """An order of 3 that Lisbon has; and then, without Lisbon's knowing, Porto."""
    world.order(3)
    (row,) = rows_of(world.hub, schema.orders)
    by_id = {node.node_id: node for node in world.nodes}
    old = by_id.pop(row.node_id)
    (new,) = by_id.values()
    world.bring_down(old, 0, 99)
    move = Move(row.order_id, "the node is flooded")
    world.hub.write(lambda tx: reassign(tx, OPERATOR, move, POLICY))
    return row.order_id, old, new


def ship(node: RightsNode) -> None:
    """Everything that the node was asked for."""

    def job(tx) -> None:
        order = work.most_urgent(tx)
        assert order is not None
        bring_to(tx, "shipped", order.fulfillment_order_id, Goods(SKU, 3), SHELF)

    node.ask(job)


def look_after(world: RightsWorld) -> None:
    for job in world.hub.read(lambda tx: upkeep.due(tx, HUB, POLICY, NOW)):
        world.hub.write(job.run)


def settle_down(world: RightsWorld) -> None:
    """Everybody hears everything."""
    for _ in range(3):
        for node in world.nodes:
            world.drain(node)
        look_after(world)
    assert world.refused_or_parked() == 0


def states_at_nodes(world: RightsWorld) -> set[str]:
    sql = "SELECT state FROM fulfillment_order"
    return {str(row[0]) for node in world.nodes for row in node.ask(lambda tx: list(tx.execute(sql)))}


def test_a_node_that_did_not_hear_of_the_move_ships_and_the_other_is_stopped(world: RightsWorld) -> None:
    order_id, old, _new = given_to_lisbon(world)
    ship(old)
    settle_down(world)
    assert order_now(world.hub, order_id).state is OrderState.SHIPPED
    assert states_at_nodes(world) == {"shipped", "cancelled"}
    assert [kind for _, kind, *_ in conflicts_of(world.hub)] == ["two_nodes_claim"]
    for node in world.nodes:
        assert world.hub_stock(node).reserved == 0


@pytest.mark.parametrize("first", [0, 1])
def test_both_ship_before_they_hear_of_each_other(world: RightsWorld, first: int) -> None:
    order_id, old, new = given_to_lisbon(world)
    ship(old)
    world.bring_down(new, 0, 99)
    ship(new)
    world.bring_up((old, new)[first], 0, 99)
    settle_down(world)
    after = order_now(world.hub, order_id)
    assert (after.state, len(after.parcels), after.lines[0].shipped) == (OrderState.SHIPPED, 2, 6)
    assert sorted(kind for _, kind, *_ in conflicts_of(world.hub)) == [
        "duplicate_shipment",
        "two_nodes_claim",
    ]


def test_a_node_that_hears_of_the_move_in_time_puts_everything_back(world: RightsWorld) -> None:
    order_id, old, new = given_to_lisbon(world)

    def pick(tx) -> None:
        order = work.most_urgent(tx)
        assert order is not None
        bring_to(tx, "packed", order.fulfillment_order_id, Goods(SKU, 3), SHELF)

    old.ask(pick)
    settle_down(world)
    assert states_at_nodes(world) == {"cancelled", "assigned"}
    assert world.hub_stock(old).reserved == 0
    ship(new)
    settle_down(world)
    assert order_now(world.hub, order_id).state is OrderState.SHIPPED
    assert conflicts_of(world.hub) == []
