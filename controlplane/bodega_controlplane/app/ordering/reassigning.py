"""A part of an order moves to another node: a higher fencing token there, a revocation here, in one transaction.

The old node may be out of touch and may ship all the same, so what was promised at it stays reserved there until it
has said that it stopped or shipped; what was promised at the new one is promised beside it. No unit is promised twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bodega.core.floor_words import CARRIED
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.parts import AT_A_NODE, ENDED, FINAL, NOBODYS, PartState
from bodega.errors import FieldFault, InvalidInput, NotFound, Refused
from bodega.limits import ASSIGNMENTS_PER_ORDER_MAX, REASSIGN_COOLDOWN_MS
from bodega_controlplane.app import wire
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.deciding import overrides
from bodega_controlplane.app.ordering import aggregate, assigning
from bodega_controlplane.app.ordering.aggregate import LEFT, Order, Part
from bodega_controlplane.app.ordering.choosing import (
    Decided,
    Promise,
    Question,
    choose,
    hold_promises,
    insufficient,
)
from bodega_controlplane.app.ordering.orders import get_order, lock_order, refuse_if_final
from bodega_controlplane.app.routing import records
from bodega_controlplane.app.selling.channels import policy_of
from bodega_controlplane.app.views import Caller, OrderView
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import nodes, orders, routing
from bodega_controlplane.store.transaction import Contended, Transaction

TOO_OFTEN = "moved-too-often"


@dataclass(frozen=True, slots=True)
class Move:
    """A part of an order to move: to `node_id`, or where the routing rule says. `part` 0: the one that may move.

    `by_rule` names the rule that asks, if none but a rule does; `avoid`: node -> why it is not asked.
    """

    order_id: str
    reason: str
    node_id: str = ""
    by_rule: str = ""
    part: int = 0
    avoid: Mapping[str, str] = field(default_factory=dict)


def reassign(
    tx: Transaction, caller: Caller, move: Move, policy: Policy, part: Part | None = None
) -> OrderView:
    """Take a part of an order from its node, or from none where that has handed it back, and give it to another one.

    `part`: as the caller has looked at it and decided that it is to be moved; it is moved as it was then or not at all.
    A rule moves only what nobody works on, no pickup, not twice within REASSIGN_COOLDOWN_MS unless it was handed back,
    and leaves the buffer of the order's channel; a person may move what is under way, and says where a pickup goes.
    Raises InvalidInput, NotFound, Refused ("order-final", "cancel-requested", "work-begun", "kept-at-node",
    "moved-lately", "moved-too-often", "there-already", "pickup-waits", "insufficient-stock"); Contended where it has
    changed since.
    """
    _check(tx, move)
    part = part or _part(aggregate.look_at(tx, move.order_id), move)
    question = question_of(tx, part, only=move.node_id, passed_over=_passed_over(caller, move, part))
    if move.by_rule:
        # A rule eats into no channel's buffer; a person who has an order moved decides.
        policy = policy_of(tx, question.channel, policy)
    choice = choose(tx, caller, question, policy)
    order = lock_order(tx, move.order_id, *(share.node_id for share in choice.shares))
    now = order.parts.get(part.number)
    if now is None or _sign(now) != _sign(part):
        raise Contended(f"order {move.order_id} has just been moved")
    _refuse(tx, caller, move, now)
    if not choice.shares or (len(choice.shares) > 1 and not may_be_split(now)):
        raise insufficient(choice, "nothing was moved; receive stock elsewhere, or let the order ship short")
    hold_promises(tx, [Promise(question, choice, policy)])
    _write(tx, caller, move, now, choice)
    return get_order(tx, move.order_id)


def question_of(
    tx: Transaction,
    part: Part,
    *,
    only: str = "",
    passed_over: Mapping[str, str] | None = None,
    its_own: Mapping[tuple[str, str], int] | None = None,
) -> Question:
    """What routing is asked for a part of an order that was placed before."""
    row = orders.for_the_node(tx, part.order.order_id)
    return Question(
        assigning.lines_of(part),
        wire.recipient_from_json(row.recipient),
        row.channel,
        row.method,
        row.service_class,
        row.ship_complete,
        row.ship_by_ms,
        only=only,
        passed_over=passed_over or {},
        shares_max=row.parts_max if may_be_split(part) else 1,
        its_own=its_own or {},
    )


def may_be_split(part: Part) -> bool:
    """Only what no node can speak of: one that was told to stop may ship the whole of it."""
    return part.state in NOBODYS and part.is_settled


def _sign(part: Part) -> tuple[object, ...]:
    """Differs after every move and split."""
    return part.state in NOBODYS, len(part.works), tuple(sorted(part.quantities.items()))


def _part(order: Order, move: Move) -> Part:
    """The part that is meant. Raises InvalidInput where several may be, or there is no such part."""
    if move.part:
        part = order.parts.get(move.part)
        if part is None:
            raise InvalidInput(
                "the move can not be taken",
                faults=(FieldFault("part", f"is no part of order {order.order_id}: {move.part}"),),
            )
        return part
    going_on = [part for part in order.parts.values() if part.state not in ENDED]
    if len(going_on) > 1:
        fault = FieldFault("part", f"must say which of {', '.join(str(one.number) for one in going_on)}")
        raise InvalidInput(
            f"order {order.order_id} is served in parts",
            hint=f"list them: bodegactl orders show {order.order_id}",
            faults=(fault,),
        )
    return next(iter(going_on or order.parts.values()))


def _passed_over(caller: Caller, move: Move, part: Part) -> dict[str, str]:
    """Nodes that it does not go to, and why: where it is; for a rule, those that lately have not found all of it."""
    found = dict(move.avoid)
    for work in part.order.works if move.by_rule else ():
        lately = abs(caller.now_ms - work.updated_at_ms) < REASSIGN_COOLDOWN_MS
        if part.state is PartState.BACKORDERED and not lately:
            continue
        if work.state is FulfillmentState.HANDED_BACK:
            found[work.node_id] = "has handed it back"
        elif work.state in LEFT and any(line.short for line in work.lines.values()):
            found[work.node_id] = "has not found all of it"
    if part.state in AT_A_NODE and part.newest is not None:
        found[part.newest.node_id] = "has it now"
    return found


def _check(tx: Transaction, move: Move) -> None:
    faults = Faults()
    faults.text("reason", move.reason)
    if move.node_id:
        faults.subject_token("node_id", move.node_id)
    faults.raise_if_any("the move")
    if move.node_id and nodes.by_id(tx, move.node_id) is None:
        raise NotFound(f"there is no node '{move.node_id}'", hint="list the nodes: bodegactl nodes ls")


def _refuse(tx: Transaction, caller: Caller, move: Move, part: Part) -> None:
    """Raise Refused with everything that forbids this move now."""
    order, order_id = part.order, part.order.order_id
    refuse_if_final(order)
    if order.state is OrderState.CANCEL_REQUESTED:
        raise Refused(
            f"order {order_id} is being cancelled", code="cancel-requested", hint="wait for its node's answer"
        )
    if part.state in ENDED:
        raise Refused(f"part {part.number} of order {order_id} is {part.state} already", code="order-final")
    at = part.newest.node_id if part.newest is not None and part.state in AT_A_NODE else ""
    if move.node_id and move.node_id == at:
        raise Refused(f"order {order_id} is at {at} already", code="there-already")
    is_asked_by_rule = bool(move.by_rule) and part.state not in {PartState.BACKORDERED, PartState.PREORDERED}
    if order.method not in CARRIED and (is_asked_by_rule or not move.node_id):
        raise Refused(
            f"the customer of order {order_id} comes to {at or order.node_id}",
            code="pickup-waits",
            hint=f"agree on another place first: bodegactl orders reassign {order_id} --to NODE",
        )
    overrides.refuse_if_kept(tx, order_id)
    given_out = sum(1 for _ in order.works)
    if given_out >= ASSIGNMENTS_PER_ORDER_MAX:
        raise Refused(
            f"order {order_id} was given out {given_out} times already",
            code=TOO_OFTEN,
            hint="cancel it and place it again",
        )
    if not move.by_rule or part.state in NOBODYS:
        return
    if part.state is not PartState.ASSIGNED:
        raise Refused(
            f"{at} has begun order {order_id}",
            code="work-begun",
            hint="a person may move it all the same: bodegactl orders reassign",
        )
    if _moved_lately(tx, caller, part):
        raise Refused(f"order {order_id} was moved a short while ago", code="moved-lately")


def _moved_lately(tx: Transaction, caller: Caller, part: Part) -> bool:
    """Another instance may have a clock that is a little ahead; one that was set back by more blocks nothing."""
    tokens = [work.fencing_token for work in part.works]
    for move in routing.moves_of(tx, part.order.order_id):
        if any(token in move.tokens for token in tokens):
            return abs(caller.now_ms - move.decided_at_ms) < REASSIGN_COOLDOWN_MS
    return False


def _write(tx: Transaction, caller: Caller, move: Move, part: Part, choice: Decided) -> None:
    order, (first, *more) = part.order, choice.shares
    before = part.newest
    if before is not None:
        assigning.take_back(tx, caller, before, order.newest_token + 1, f"given to {first.node_id}")
    if more:
        part.ask_for(first.quantities)
    first_token = order.newest_token + 1
    for share in choice.shares:
        target = part if share is first else order.add_part(PartState.HANDED_BACK, share.quantities)
        assigning.give(tx, caller, target, share)
    by = move.by_rule or caller.actor
    records.keep(
        tx, caller, order.order_id, choice, decided_by=by, reason=move.reason, first_token=first_token
    )
    order.follow()
    aggregate.save(tx, caller.now_ms, [order])
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="order.reassigned",
        subject=order.order_id,
        detail={
            "part": part.number,
            "from": before.node_id if before is not None else "",
            "to": ", ".join(share.node_id for share in choice.shares),
            "fencing_token": order.newest_token,
            "rule": move.by_rule or "person",
        },
    )


def give_up(tx: Transaction, caller: Caller, order_id: str, number: int, why: str) -> None:
    """No node can have a part that nobody has: it waits for stock, where the order's terms allow that, or is over.

    What was given out as often as may be does not wait any more. Nothing if somebody has it by now.
    """
    order = lock_order(tx, order_id)
    part = order.parts[number]
    if part.state not in NOBODYS or order.state in FINAL:
        return
    waits = orders.by_ids(tx, [order_id])[0].backorder and why != TOO_OFTEN
    part.become(PartState.BACKORDERED if waits else PartState.UNFULFILLABLE)
    order.follow()
    aggregate.save(tx, caller.now_ms, [order])
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action=f"order.part_{part.state}",
        subject=order_id,
        detail={"part": number, "why": why},
    )


def stop(tx: Transaction, caller: Caller, order_id: str, fulfillment_order_id: str, reason: str) -> None:
    """Revoke an assignment because another node has shipped its part; nothing if it has ended or was told already."""
    order = lock_order(tx, order_id)
    for work in order.works:
        if work.fulfillment_order_id == fulfillment_order_id and not work.revoked_event:
            assigning.take_back(tx, caller, work, work.fencing_token + 1, reason)
    aggregate.save(tx, caller.now_ms, [order])
    orders.stopped(tx, fulfillment_order_id)
