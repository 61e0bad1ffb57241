"""An order moves to another node: a higher fencing token there, a revocation here, in one transaction.

The old node may be out of touch and may ship all the same, so what was promised at it stays reserved there until it
has said that it stopped or shipped; what was promised at the new one is promised beside it. No unit is promised twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.conflicts.two_nodes_claim import joined
from bodega.core.floor_words import Method
from bodega.core.lifecycles import FULFILLMENT, ORDER, FulfillmentState, OrderState, ReservationState
from bodega.core.routing.inputs import Line
from bodega.errors import NotFound, Refused
from bodega.limits import ASSIGNMENTS_PER_ORDER_MAX, REASSIGN_COOLDOWN_MS
from bodega.v1 import journal_pb2
from bodega_controlplane.app import wire
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.deciding import overrides
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.ordering.choosing import Decided, Question, choose, hold_promise, insufficient
from bodega_controlplane.app.ordering.orders import get_order, lock_order
from bodega_controlplane.app.routing import records
from bodega_controlplane.app.views import Caller, OrderView
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import nodes, orders
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Contended, Transaction


@dataclass(frozen=True, slots=True)
class Move:
    """An order to move: to `node_id`, or where the routing rule says; `by_rule` names the rule that asks, if any."""

    order_id: str
    reason: str
    node_id: str = ""
    by_rule: str = ""


def reassign(tx: Transaction, caller: Caller, move: Move, policy: Policy) -> OrderView:
    """Take an order from its node, or from none where that has handed it back, and give it to another one.

    A rule moves only what nobody works on, no pickup, and not twice within REASSIGN_COOLDOWN_MS unless it was handed
    back; a person may move what is under way, and says where a pickup goes. Raises InvalidInput, NotFound, Refused
    ("order-final", "cancel-requested", "work-begun", "kept-at-node", "moved-lately", "moved-too-often",
    "there-already", "pickup-waits", "insufficient-stock").
    """
    _check(tx, move)
    before = get_order(tx, move.order_id)
    question = Question(
        tuple(Line(one.line, one.sku_id, one.quantity) for one in before.lines),
        wire.recipient_from_json(orders.for_the_node(tx, move.order_id).recipient),
        before.channel,
        before.method,
        before.service_class,
        before.ship_complete,
        before.ship_by_ms,
        only=move.node_id,
        passed_over=_passed_over(tx, move, before),
    )
    choice = choose(tx, caller, question, policy)
    chosen = [share.node_id for share in choice.shares]
    order = lock_order(tx, move.order_id, *chosen)
    if order.node_id != before.node_id:
        raise Contended(f"order {move.order_id} has just been moved")
    works = orders.work_of(tx, [move.order_id])[move.order_id]
    _refuse(tx, caller, move, order, works)
    if not chosen:
        raise insufficient(choice, "nothing was moved; receive stock elsewhere, or let the order ship short")
    hold_promise(tx, question.lines, choice, policy)
    _write(tx, caller, move, order, works, choice, chosen[0])
    return get_order(tx, move.order_id)


def _passed_over(tx: Transaction, move: Move, order: OrderView) -> dict[str, str]:
    """Nodes that it does not go to, and why: where it is; and for a rule, those that have handed it back."""
    gave_up = FulfillmentState.HANDED_BACK
    works = orders.work_of(tx, [order.order_id])[order.order_id] if move.by_rule else []
    found = {work.node_id: "has handed it back" for work in works if work.state == gave_up}
    return {**found, order.node_id: "has it now"}


def _check(tx: Transaction, move: Move) -> None:
    faults = Faults()
    faults.text("reason", move.reason)
    if move.node_id:
        faults.subject_token("node_id", move.node_id)
    faults.raise_if_any("the move")
    if move.node_id and nodes.by_id(tx, move.node_id) is None:
        raise NotFound(f"there is no node '{move.node_id}'", hint="list the nodes: bodegactl nodes ls")


def _refuse(tx: Transaction, caller: Caller, move: Move, order: OrderView, works: list[Row]) -> None:
    """Raise Refused with everything that forbids this move now."""
    if order.state in ORDER.terminal:
        raise Refused(
            f"order {order.order_id} is {order.state.value.replace('_', ' ')} already", code="order-final"
        )
    if order.state is OrderState.CANCEL_REQUESTED:
        raise Refused(
            f"order {order.order_id} is being cancelled",
            code="cancel-requested",
            hint="wait for its node's answer",
        )
    if move.node_id == order.node_id:
        raise Refused(f"order {order.order_id} is at {order.node_id} already", code="there-already")
    if order.method != Method.PARCEL and (move.by_rule or not move.node_id):
        raise Refused(
            f"the customer of order {order.order_id} comes to {order.node_id}",
            code="pickup-waits",
            hint=f"agree on another place first: bodegactl orders reassign {order.order_id} --to NODE",
        )
    overrides.refuse_if_kept(tx, order.order_id)
    if len(works) >= ASSIGNMENTS_PER_ORDER_MAX:
        raise Refused(
            f"order {order.order_id} was moved {len(works) - 1} times already",
            code="moved-too-often",
            hint="cancel it and place it again",
        )
    if not move.by_rule or works[-1].state == FulfillmentState.HANDED_BACK:
        return
    if works[-1].state != FulfillmentState.ASSIGNED:
        raise Refused(
            f"{order.node_id} has begun order {order.order_id}",
            code="work-begun",
            hint="a person may move it all the same: bodegactl orders reassign",
        )
    moved = orders.reassignments_of(tx, order.order_id)[:1]
    # A clock that was set back never blocks a move; the number of assignments is bounded in any case.
    if moved and 0 <= caller.now_ms - moved[0].decided_at_ms < REASSIGN_COOLDOWN_MS:
        raise Refused(f"order {order.order_id} was moved a short while ago", code="moved-lately")


def _write(
    tx: Transaction,
    caller: Caller,
    move: Move,
    order: OrderView,
    works: list[Row],
    choice: Decided,
    node_id: str,
) -> None:
    work_id, token = new_id("F", caller.now_ms), works[-1].fencing_token + 1
    if FulfillmentState(works[-1].state) not in FULFILLMENT.terminal:
        revoke(tx, caller, works[-1], token, f"given to {node_id}")
    # What the old node found short is its own matter: the new one is asked for all of it.
    orders.save_lines(
        tx, [{"order_id": order.order_id, "line": one.line, "shipped": 0, "short": 0} for one in order.lines]
    )
    lines = get_order(tx, order.order_id).lines
    given = orders.for_the_node(tx, order.order_id)._asdict()
    event = journal_pb2.HubEvent(fulfillment_order=wire.work_message(work_id, token, given, lines))
    seq = outbox.post(tx, caller, node_id, [event], cmd_id=work_id, correlation_id=order.order_id)
    work = {
        "fulfillment_order_id": work_id,
        "order_id": order.order_id,
        "node_id": node_id,
        "state": FULFILLMENT.start.value,
        "fencing_token": token,
        "sscc": "",
        "updated_at_ms": caller.now_ms,
        "assigned_event": outbox.name_of(tx, node_id, seq),
    }
    decision = {
        "order_id": order.order_id,
        "fencing_token": token,
        "from_node_id": order.node_id,
        "node_id": node_id,
        "rule": choice.rule,
        "reason": move.reason,
        "decided_by": move.by_rule or caller.actor,
        "candidates": "[]",
        "decided_at_ms": caller.now_ms,
    }
    held = orders.reservations_of(tx, [order.order_id]).get(order.order_id, [])
    revoked = [
        {
            "fulfillment_order_id": works[-1].fulfillment_order_id,
            **{name: getattr(row, name) for name in ("line", "order_id", "node_id", "sku_id", "quantity")},
            **{name: getattr(row, name) for name in ("posted", "voided", "state")},
        }
        for row in held
    ]
    fresh = {"node_id": node_id, "posted": 0, "voided": 0, "state": ReservationState.PENDING.value}
    promised = [{"order_id": row.order_id, "line": row.line, **fresh} for row in held]
    orders.reassign(tx, work, decision, revoked, promised)
    records.keep(
        tx, caller, order.order_id, choice, decided_by=move.by_rule or caller.actor, reason=move.reason
    )
    states = [*(FulfillmentState(row.state) for row in works), FULFILLMENT.start]
    after = joined(states, cancel_asked=False, in_full=False)
    orders.save_orders(
        tx, [{"order_id": order.order_id, "state": after.value, "updated_at_ms": caller.now_ms}]
    )
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="order.reassigned",
        subject=order.order_id,
        detail={
            "from": order.node_id,
            "to": node_id,
            "fencing_token": token,
            "rule": move.by_rule or "person",
        },
    )


def revoke(tx: Transaction, caller: Caller, work: Row, token: int, reason: str) -> None:
    """Tell a node that its work is not its any more; only `token` and above may ship the order."""
    event = journal_pb2.FulfillmentRevoked(
        fulfillment_order_id=work.fulfillment_order_id,
        order_id=work.order_id,
        fencing_token=token,
        reason=reason,
    )
    events = [journal_pb2.HubEvent(fulfillment_revoked=event)]
    cmd_id = f"revoke-{work.fulfillment_order_id}"
    seq = outbox.post(tx, caller, work.node_id, events, cmd_id=cmd_id, correlation_id=work.order_id)
    name = outbox.name_of(tx, work.node_id, seq)
    orders.save_work(tx, [{"fulfillment_order_id": work.fulfillment_order_id, "revoked_event": name}])


def stop(tx: Transaction, caller: Caller, order_id: str, fulfillment_order_id: str, reason: str) -> None:
    """Revoke an assignment because another node has shipped the order; nothing if it has ended or was told already."""
    lock_order(tx, order_id)
    for work in orders.work_of(tx, [order_id])[order_id]:
        is_this = work.fulfillment_order_id == fulfillment_order_id
        if is_this and FulfillmentState(work.state) not in FULFILLMENT.terminal and not work.revoked_event:
            revoke(tx, caller, work, work.fencing_token + 1, reason)
    orders.stopped(tx, fulfillment_order_id)
