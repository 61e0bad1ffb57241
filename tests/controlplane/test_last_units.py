"""Many callers want the last units at once: so many get them as there are, whichever database decides."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from bodega.core.parts import PartState
from bodega.errors import Refused
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import OrderView
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY, SHOP, NodeByHand, deliver, order_draft, promises, settle
from support.moved_order import LISBON, NODES, PORTO

CALLERS, LAST = 200, 3


def test_two_hundred_callers_for_the_last_units_of_two_nodes(store: Store) -> None:
    """Orders of two lines, of which one node alone holds the second: all of an order is promised, or nothing."""
    settle(store, "TEA", "SALT", node_ids=NODES)
    for node_id, salt in ((LISBON, LAST), (PORTO, 0)):
        node = NodeByHand(node_id)
        node.shelve("TEA", 500)
        if salt:
            node.shelve("SALT", salt + POLICY.safety_stock)
        deliver(store, node.delivery())

    def one(number: int) -> OrderView | None:
        draft = order_draft(("TEA", 1), ("SALT", 1), reference=f"R-{number}")
        try:
            return store.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))[0]
        except Refused:
            return None

    with ThreadPoolExecutor(16) as callers:
        placed = [order for order in callers.map(one, range(CALLERS)) if order is not None]
    assert len(placed) == LAST
    assert {part.state for order in placed for part in order.parts} == {PartState.ASSIGNED}
    assert Counter(row.sku_id for row in promises(store)) == {"TEA": LAST, "SALT": LAST}
