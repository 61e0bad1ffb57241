"""A customer moves house before anybody has begun to pick: this hub says no, until orders can be re-routed for it."""

from __future__ import annotations

from bodega.errors import Refused
from bodega_controlplane.app.ordering.orders import lock_order
from bodega_controlplane.app.views import Caller, OrderView, Recipient
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store.transaction import Transaction


def change_recipient(
    tx: Transaction,
    caller: Caller,  # noqa: ARG001 - see the module: this hub says no to every change
    order_id: str,
    recipient: Recipient,  # noqa: ARG001 - as above
    policy: Policy,  # noqa: ARG001 - as above
) -> OrderView:
    """Send the order elsewhere. Raises NotFound, InvalidInput, Refused ("address-fixed")."""
    order = lock_order(tx, order_id)
    raise Refused(
        f"order {order_id} is {order.state.value.replace('_', ' ')}: its address can not be changed any more",
        code="address-fixed",
        hint="cancel it and place it again",
    )
