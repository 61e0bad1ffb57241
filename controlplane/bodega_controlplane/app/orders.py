"""Orders."""

from __future__ import annotations

from bodega.core.lifecycles import OrderState
from bodega_controlplane.app.views import Caller, OrderDraft, OrderView, Page, PageRequest
from bodega_controlplane.rules.routing import RoutingPolicy
from bodega_controlplane.store.transaction import Transaction


def place_order(tx: Transaction, caller: Caller, draft: OrderDraft, policy: RoutingPolicy) -> OrderView:
    """Promise, route, and hand to a node.

    Raises InvalidInput with every fault (unknown SKU, quantity, recipient ...), Refused with code
    "insufficient-stock" and one fault per SKU when no node can serve it; then nothing is written.
    """
    raise NotImplementedError


def get_order(tx: Transaction, order_id: str) -> OrderView:
    """Raises NotFound."""
    raise NotImplementedError


def list_orders(tx: Transaction, page: PageRequest, state: OrderState | None = None) -> Page[OrderView]:
    """Newest first. Raises InvalidInput for a token that is none."""
    raise NotImplementedError


def cancel_order(tx: Transaction, caller: Caller, order_id: str) -> OrderView:
    """Ask the node to stop; repeating it while the cancel is on its way changes nothing.

    Raises NotFound, or Refused with code "order-final" for an order that is already final.
    """
    raise NotImplementedError
