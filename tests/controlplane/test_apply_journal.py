"""A node's journal arrives: what becomes of stock, orders, promises and people's rows."""

from __future__ import annotations

from bodega.core.sync import Verdict
from bodega_controlplane.app import orders, stock
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY, SHOP, NodeByHand, deliver, order_draft, settle


def test_main_path(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 10)
    (applied,) = deliver(store, node.delivery())
    assert applied.verdict is Verdict.APPLY
    order = store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 2), ("TEA", 1)), POLICY))[
        0
    ]
    (row,) = store.read(lambda tx: stock.list_availability(tx, ["TEA"], POLICY))
    assert (row.sellable, row.reserved, row.available) == (10, 3, 5)
    print(order, row)
