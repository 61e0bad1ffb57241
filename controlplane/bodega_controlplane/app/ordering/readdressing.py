"""An order goes to another address, as long as nobody has begun to pick it.

What a node was told holds until it is told something else, so each of its parts is given out anew under a higher
token, to the node that the routing rule chooses for the new address. Where that is the same node, the promise moves
with it. All of it is one transaction: the whole order has the new address, or none of it.
"""

from __future__ import annotations

from collections import Counter

from bodega.core.floor_words import CARRIED
from bodega.core.lifecycles import OrderState
from bodega.core.parts import UNTOUCHED, PartState
from bodega.errors import Refused
from bodega.limits import ASSIGNMENTS_PER_ORDER_MAX
from bodega_controlplane.app import wire
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.deciding import overrides
from bodega_controlplane.app.ordering import aggregate, assigning
from bodega_controlplane.app.ordering.aggregate import Order, Part, Work
from bodega_controlplane.app.ordering.choosing import Promise, choose, hold_promises, insufficient
from bodega_controlplane.app.ordering.order_checks import check_recipient
from bodega_controlplane.app.ordering.orders import get_order, lock_order, refuse_if_final
from bodega_controlplane.app.ordering.reassigning import TOO_OFTEN, question_of
from bodega_controlplane.app.routing import records
from bodega_controlplane.app.views import Caller, OrderView, Recipient
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import orders
from bodega_controlplane.store.transaction import Transaction

REASON = "it goes to another address"


def change_recipient(
    tx: Transaction, caller: Caller, order_id: str, recipient: Recipient, policy: Policy
) -> OrderView:
    """Send an order elsewhere, from other nodes if the rule says so; the same address again changes nothing.

    Raises InvalidInput with every fault, NotFound, Refused ("order-final", "cancel-requested", "work-begun",
    "moved-too-often", "insufficient-stock" where nobody can send it there); then nothing is changed.
    """
    faults = Faults()
    check_recipient(faults, recipient)
    faults.raise_if_any("the address")
    order = lock_order(tx, order_id)
    _refuse(order)
    told = wire.recipient_json(recipient)
    row = orders.for_the_node(tx, order_id)
    if row.recipient == told:
        return get_order(tx, order_id)
    orders.save_orders(tx, [{"order_id": order_id, "recipient": told}])
    for part in [part for part in order.parts.values() if part.state is PartState.ASSIGNED]:
        _give_anew(tx, caller, part, policy)
    order.follow()
    # No answer shows an address, so the time of the change is all by which the next ETag differs.
    aggregate.save(tx, max(caller.now_ms, row.updated_at_ms + 1), [order])
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="order.readdressed",
        subject=order_id,
        detail={"node_id": order.node_id, "fencing_token": order.newest_token},
    )
    return get_order(tx, order_id)


def _refuse(order: Order) -> None:
    refuse_if_final(order)
    if order.state is OrderState.CANCEL_REQUESTED:
        raise Refused(f"order {order.order_id} is being cancelled", code="cancel-requested")
    begun = [part for part in order.parts.values() if part.state not in UNTOUCHED]
    if begun:
        raise Refused(
            f"order {order.order_id} is {order.state.value.replace('_', ' ')} already: its address stands",
            code="work-begun",
            hint="cancel it, or have the carrier redirect the parcel",
        )
    assigned = [part for part in order.parts.values() if part.state is PartState.ASSIGNED]
    if sum(1 for _ in order.works) + len(assigned) > ASSIGNMENTS_PER_ORDER_MAX:
        raise Refused(
            f"order {order.order_id} was given out too often already",
            code=TOO_OFTEN,
            hint="cancel it and place it again",
        )


def _give_anew(tx: Transaction, caller: Caller, part: Part, policy: Policy) -> None:
    order, before = part.order, part.works[-1]
    stays = order.method not in CARRIED or overrides.is_kept(tx, order.order_id)
    question = question_of(tx, part, only=before.node_id if stays else "", its_own=_promised(before))
    choice = choose(tx, caller, question, policy)
    if len(choice.shares) != 1:
        raise insufficient(choice, "nothing was changed; the order still goes where it was to go")
    (share,) = choice.shares
    hold_promises(tx, [Promise(question, choice, policy)])
    assigning.take_back(tx, caller, before, order.newest_token + 1, REASON)
    if share.node_id == before.node_id:
        for line in before.lines.values():
            line.reservation = line.reservation.void()
    work = assigning.give(tx, caller, part, share)
    records.keep(
        tx,
        caller,
        order.order_id,
        choice,
        decided_by=caller.actor,
        reason=REASON,
        first_token=work.fencing_token,
    )


def _promised(work: Work) -> Counter[tuple[str, str]]:
    """(node, SKU) -> units promised to this assignment."""
    units: Counter[tuple[str, str]] = Counter()
    for line in work.lines.values():
        units[work.node_id, line.sku_id] += line.reservation.pending
    return units
