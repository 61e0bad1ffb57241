"""An order that another instance changes between two queries of ours: what is read of it always fits together.

Only on PostgreSQL, where several write at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.codec import parse_hub_event
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.tables import IllegalTransition
from bodega_controlplane.app.deciding import conflict_life
from bodega_controlplane.app.ordering import aggregate, orders, upkeep
from bodega_controlplane.store import orders as order_rows
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import OPERATOR, POLICY, NodeByHand, deliver, open_test_store, rows_of, settle
from support.meanwhile import meanwhile
from support.moved_order import (
    HUB,
    LISBON,
    NOW,
    PORTO,
    SKU,
    later,
    look_after,
    move,
    news,
    order_now,
    place,
    two_nodes,
    works_of,
)

THREE_NODES = (LISBON, PORTO, "braga-01")

pytestmark = pytest.mark.postgres

# More than any of these transactions makes before it holds something.
QUERIES = 9


@pytest.fixture
def store(postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    opened = open_test_store(postgres_url, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("number", range(QUERIES))
def test_every_assignment_that_is_read_is_whole(store: Store, number: int) -> None:
    two_nodes(store)
    order = place(store)

    def look(tx: Transaction) -> aggregate.Order:
        with meanwhile(tx, number, lambda: move(store, order.order_id, PORTO)):
            return aggregate.look_at(tx, order.order_id)

    seen, _ = store.write(look)
    assert [work.node_id for work in seen.works] in ([LISBON], [LISBON, PORTO])
    assert seen.parts[1].works[0].lines


@pytest.mark.parametrize("number", range(QUERIES))
def test_a_cancel_stops_whoever_has_the_order_when_it_is_held(store: Store, number: int) -> None:
    two_nodes(store)
    order = place(store)
    queries: list[list[str]] = []

    def move_it_once() -> None:
        if len(queries) == 1 and not any("FOR UPDATE" in query for query in queries[0]):
            move(store, order.order_id, PORTO)

    def cancel(tx: Transaction) -> orders.OrderView:
        with meanwhile(tx, number, move_it_once) as before:
            queries.append(before)
            return orders.cancel_order(tx, OPERATOR, order.order_id)

    view, _ = store.write(cancel)
    assert (view.state, view) == (OrderState.CANCEL_REQUESTED, order_now(store, order.order_id))
    stopped = [
        fact
        for fact in told(store, LISBON, PORTO)
        if fact[1] not in ("node_profile", "sku", "fulfillment_order")
    ]
    if len(works_of(store, order.order_id)) == 1:
        assert stopped == [(LISBON, "cancel_requested")]
    else:
        assert stopped == [(LISBON, "fulfillment_revoked"), (PORTO, "cancel_requested")]


@pytest.mark.parametrize("number", range(3))
def test_a_conflict_is_decided_once(store: Store, number: int) -> None:
    lisbon, _ = two_nodes(store, porto=0)
    place(store, 4)
    lisbon.move("count_down", SKU, 8, source="A-01-01")
    deliver(store, *news(store, lisbon))
    conflict_id = rows_of(store, schema.conflict)[0].conflict_id
    queries: list[list[str]] = []

    def decide(tx: Transaction, decision: str) -> None:
        conflict_life.resolve(tx, OPERATOR, conflict_id, decision)

    def somebody_else_decides() -> None:
        if not any("FOR UPDATE" in query for query in queries[0]):
            store.write(lambda tx: decide(tx, "theirs"))

    def ours(tx: Transaction) -> None:
        with meanwhile(tx, number, somebody_else_decides) as before:
            queries.append(before)
            decide(tx, "ours")

    if number == 0:
        with pytest.raises(IllegalTransition):
            store.write(ours)
    else:
        store.write(ours)
    assert [row.decision for row in rows_of(store, schema.conflict)] == ["ours" if number else "theirs"]
    assert [row.action for row in rows_of(store, schema.audit)].count("conflict.resolved") == 1


@pytest.mark.parametrize("number", range(QUERIES))
@pytest.mark.parametrize("clock_ms", [-10, 10])
def test_what_was_handed_back_is_given_to_one_node_by_one_of_two_instances(
    store: Store, number: int, clock_ms: int
) -> None:
    settle(store, SKU, node_ids=THREE_NODES)
    nodes = [NodeByHand(node_id) for node_id in THREE_NODES]
    for node in nodes:
        node.shelve(SKU, 10)
        deliver(store, node.delivery())
    order = place(store)
    lisbon = next(node for node in nodes if node.node_id == order.node_id)
    lisbon.advance(works_of(store, order.order_id)[0], order.order_id, FulfillmentState.HANDED_BACK)
    deliver(store, *news(store, lisbon))
    (job,) = store.read(lambda tx: upkeep.due(tx, later(HUB, clock_ms), POLICY, NOW))
    queries: list[list[str]] = []

    def the_other_is_quicker() -> None:
        if len(queries) == 1 and not any("FOR UPDATE" in query for query in queries[0]):
            look_after(store)

    def mine(tx: Transaction) -> bool:
        with meanwhile(tx, number, the_other_is_quicker) as before:
            queries.append(before)
            return job.run(tx)

    store.write(mine)
    works = store.read(lambda tx: order_rows.work_of(tx, [order.order_id]))[order.order_id]
    assert [work.state for work in works] == ["handed_back", "assigned"]


def told(store: Store, *node_ids: str) -> list[tuple[str, str]]:
    """Which node was told what, node by node."""
    rows = [(row.node_id, row.body) for row in rows_of(store, schema.down_log)]
    return [
        (node_id, str(parse_hub_event(body).WhichOneof("fact")))
        for node_id in node_ids
        for of, body in rows
        if of == node_id
    ]
