"""A database of version 4, in which an order had one part and promises were kept by order, goes on as one of today."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.parts import PartState
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store, open_store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import SHOP, deliver, promises, rows_of
from support.moved_order import LISBON, PORTO, Hand, move, news, order_now, place, two_nodes, works_of
from support.older_schema import back_to

TABLES = ("orders", "order_line", "order_part", "part_line", "fulfillment_order", "fulfillment_line")


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All rows of orders but the times of their parts."""
    found = {name: [tuple(row) for row in rows_of(store, schema.metadata.tables[name])] for name in TABLES}
    return {**found, "order_part": [row[:3] for row in found["order_part"]]}


def test_orders_of_version_4_are_of_one_part_each_and_nothing_of_them_is_lost(
    database: str, tmp_path: Path
) -> None:
    store = open_store(database, tmp_path)
    lisbon, porto = two_nodes(store, lisbon=50, porto=50)
    untouched, shipped, moved, cancelled, handed_back = (place(store).order_id for _ in range(5))
    Hand(lisbon, works_of(store, shipped)[0], shipped).ship()
    Hand(lisbon, works_of(store, moved)[0], moved).pick()
    lisbon.advance(works_of(store, handed_back)[0], handed_back, FulfillmentState.HANDED_BACK)
    deliver(store, *news(store, lisbon))
    move(store, moved)
    store.write(lambda tx: orders.cancel_order(tx, SHOP, cancelled))
    before = everything(store)
    views = [order_now(store, one) for one in (untouched, shipped, moved, cancelled, handed_back)]
    assert {part.state for view in views for part in view.parts} == {
        PartState.ASSIGNED,
        PartState.SHIPPED,
        PartState.HANDED_BACK,
    }
    store.write(lambda tx: back_to(tx, 4))
    store.close()

    again = open_store(database, tmp_path)
    assert everything(again) == before
    assert [order_now(again, view.order_id) for view in views] == views
    assert [row.node_id for row in promises(again, superseded=True)] == [LISBON]
    # What was under way goes on: the cancel is answered, the new node ships, and somebody may be without a node.
    lisbon.advance(works_of(again, cancelled)[0], cancelled, FulfillmentState.CANCELLED)
    Hand(porto, works_of(again, moved)[1], moved, token=2).ship()
    deliver(again, *news(again, lisbon))
    deliver(again, *news(again, porto))
    assert order_now(again, cancelled).state is OrderState.CANCELLED
    assert (order_now(again, moved).state, order_now(again, moved).node_id) == (OrderState.SHIPPED, PORTO)

    def forget_the_node(tx: Transaction) -> None:
        tx.connection.execute(sa.update(schema.orders).values(node_id=""))

    again.write(forget_the_node)
    again.close()


def test_sqlite_still_refuses_lines_of_an_order_that_is_not_there(tmp_path: Path) -> None:
    """The table of orders was made anew: what refers to it must still be held to it."""
    store = open_store("sqlite", tmp_path)
    two_nodes(store)
    place(store)
    store.write(lambda tx: back_to(tx, 4))
    store.close()
    again = open_store("sqlite", tmp_path)

    def faults(tx: Transaction) -> list[object]:
        return list(tx.connection.exec_driver_sql("PRAGMA foreign_key_check"))

    assert again.read(faults) == []
    refers = again.read(lambda tx: list(tx.connection.exec_driver_sql("PRAGMA foreign_key_list(order_line)")))
    assert [row[2] for row in refers] == ["orders"]
    again.close()
