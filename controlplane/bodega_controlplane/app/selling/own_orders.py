"""A channel's own orders: for it, those of the others do not exist."""

from __future__ import annotations

from bodega.core.lifecycles import OrderState
from bodega.errors import NotFound
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import Caller, OrderView, Page, PageRequest
from bodega_controlplane.store.orders import Narrowed
from bodega_controlplane.store.transaction import Transaction


def one_of(tx: Transaction, caller: Caller, order_id: str) -> OrderView:
    """An order of the caller's channel. Raises NotFound, also for an order of another one."""
    try:
        order = orders.get_order(tx, order_id)
    except NotFound:
        order = None
    if order is None or order.channel != caller.channel:
        raise NotFound(f"there is no order '{order_id[:80]}'", hint="list the orders: GET /v1/orders")
    return order


def lock(tx: Transaction, caller: Caller, order_id: str) -> OrderView:
    """The same, as it is while nobody else can change it. Raises NotFound."""
    one_of(tx, caller, order_id)
    orders.lock_order(tx, order_id)
    return one_of(tx, caller, order_id)


def page_of(
    tx: Transaction,
    caller: Caller,
    page: PageRequest,
    state: OrderState | None = None,
    updated_since_ms: int | None = None,
) -> Page[OrderView]:
    """Newest first; with `updated_since_ms` those that changed then or later, by the time of that change.

    Raises InvalidInput for a token that is none.
    """
    return orders.list_orders(
        tx, page, state, Narrowed(channel=caller.channel, updated_since_ms=updated_since_ms)
    )
