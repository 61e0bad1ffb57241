"""A database of version 4, in which an order had one part and promises were kept by order, goes on as one of today."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.parts import PartState
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import PageRequest
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store, open_store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import SHOP, deliver, promises, rows_of
from support.moved_order import LISBON, PORTO, Hand, move, news, order_now, place, two_nodes, works_of
from support.older_schema import back_to
from support.tree import ROOT

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
    again.close()


# Written by the program of version 4 (tests/data/hub/version_4.sql): what became of an order -> it, and its part.
BECAME = {
    "untouched": (OrderState.CONFIRMED, PartState.ASSIGNED, 0),
    "shipped": (OrderState.SHIPPED, PartState.SHIPPED, 3),
    "short": (OrderState.PARTIALLY_SHIPPED, PartState.SHIPPED, 2),
    "moved": (OrderState.CONFIRMED, PartState.ASSIGNED, 0),
    "twice": (OrderState.SHIPPED, PartState.SHIPPED, 6),
    "cancelled": (OrderState.CANCELLED, PartState.CANCELLED, 0),
    "handed_back": (OrderState.HANDED_BACK, PartState.HANDED_BACK, 0),
    "nothing": (OrderState.UNFULFILLABLE, PartState.UNFULFILLABLE, 0),
    "asked": (OrderState.CANCEL_REQUESTED, PartState.ASSIGNED, 0),
}


def test_a_database_that_version_4_has_written_is_brought_into_parts(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "hub.db")) as connection:
        connection.executescript((ROOT / "tests/data/hub/version_4.sql").read_text(encoding="utf-8"))
    store = open_store("sqlite", tmp_path)
    views = store.read(lambda tx: orders.list_orders(tx, PageRequest())).rows
    assert {
        view.reference: (view.state, *(part.state for part in view.parts), view.lines[0].shipped)
        for view in views
    } == BECAME
    by_name = {view.reference: view for view in views}
    (old,) = promises(store, superseded=True)[:1]
    assert old.order_id == by_name["moved"].order_id
    assert (old.node_id, old.quantity, old.posted) == (LISBON, 3, 3)
    assert sum(row.quantity for row in promises(store)) == 3 * len(views)

    def faults(tx: Transaction) -> list[object]:
        return list(tx.connection.exec_driver_sql("PRAGMA foreign_key_check"))

    def refers(tx: Transaction) -> list[str]:
        return [str(row[2]) for row in tx.connection.exec_driver_sql("PRAGMA foreign_key_list(order_line)")]

    def forget_the_node(tx: Transaction) -> None:
        tx.connection.execute(sa.update(schema.orders).values(node_id=""))

    assert (store.read(faults), store.read(refers)) == ([], ["orders"])
    store.write(forget_the_node)
    asked = store.write(lambda tx: orders.cancel_order(tx, SHOP, by_name["asked"].order_id))[0]
    assert asked.state is OrderState.CANCEL_REQUESTED, "it was asked for before"
    store.close()
