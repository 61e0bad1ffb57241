"""An order out of a file: placed once under its reference, however often the file comes."""

from __future__ import annotations

from bodega.errors import IdempotencyMismatch, InFlight
from bodega_controlplane.app.ordering.orders import get_order, place_order
from bodega_controlplane.app.selling import channels
from bodega_controlplane.app.views import Caller, OrderDraft, OrderView
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import exchange, idempotency
from bodega_controlplane.store.transaction import Transaction


def place_once(
    tx: Transaction, caller: Caller, draft: OrderDraft, policy: Policy, digest: bytes
) -> OrderView:
    """The order that was placed under this reference, now or before; `digest`: of what the file says of it.

    Raises what `place_order` raises (nothing is kept then, the same reference may come again), IdempotencyMismatch
    where the reference was another order's, InFlight while another instance works on it.
    """
    if not idempotency.claim(tx, [(caller.channel, f"exchange:{draft.reference}")]):
        raise InFlight("this reference is being worked on", hint="it is tried again")
    taken = exchange.taken(tx, caller.channel, draft.reference)
    if taken is not None:
        if taken.digest != digest:
            raise IdempotencyMismatch("this reference was used for another order", hint="use a new one")
        return get_order(tx, taken.order_id)
    # The channel's buffer stays with every node for its files too.
    view = place_order(tx, caller, draft, channels.policy_of(tx, caller.channel, policy))
    row = {
        "channel": caller.channel,
        "reference": draft.reference,
        "digest": digest,
        "order_id": view.order_id,
    }
    exchange.take(tx, row)
    return view
