"""What follows from facts that were applied, and needs other nodes or time: each step a transaction of its own.

Applying a journal locks its node and no other. So what it leads to elsewhere is done here, a moment later: an order
that lacks units, or that its node has handed back, moves to a node that has them, an assignment that somebody else has
shipped is stopped, an override whose time is over ends. Each may be asked again at any time, and after a crash the
next round goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

from bodega.core.conflicts.physical_shortfall import KIND as SHORTFALL
from bodega.core.conflicts.table import CASES
from bodega.core.deadline import BootTime
from bodega.core.floor_words import CARRIED
from bodega.core.lifecycles import ConflictState
from bodega.core.parts import ENDED, FINAL, PartState
from bodega.core.promise import ServiceClass
from bodega.errors import Refused
from bodega.host.log import get_logger
from bodega.limits import UPKEEP_ROWS_MAX
from bodega_controlplane.app.applying.shortfalls import lacking
from bodega_controlplane.app.deciding import conflict_life, overrides
from bodega_controlplane.app.ordering import aggregate, reassigning, waiting
from bodega_controlplane.app.ordering.aggregate import Order, Part
from bodega_controlplane.app.ordering.orders import lock_order
from bodega_controlplane.app.ordering.reassigning import Move
from bodega_controlplane.app.views import Caller
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import facts, orders, routing
from bodega_controlplane.store import overrides as override_rows
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


class Job(NamedTuple):
    """Something to do in a transaction of its own; `run` says whether it was done, or must wait for something."""

    name: str
    run: Callable[[Transaction], bool]


ACTOR = "hub"
# The rule of a part that its node has given back: a parcel goes where routing says, but to no node that has lately not
# found all of it, and an order is given out ASSIGNMENTS_PER_ORDER_MAX times at most; a pickup waits for a person. If no
# node can have it, it waits for stock, where the order's terms allow that, and else it is over.
HANDED_BACK = "handed_back@1"
_NO_NODE = frozenset({"insufficient-stock", reassigning.TOO_OFTEN})


# A parcel that nobody has begun leaves a node that is down; and, once, one that had to be sent by now.
NODE_DOWN = "node_down@1"
LATE = "late@1"


def due(
    tx: Transaction, caller: Caller, policy: Policy, now: BootTime, down: Collection[str] = ()
) -> list[Job]:
    """What is to be done now; each job looks again before it does anything. `down`: nodes whose lease is over."""
    jobs = [
        Job(f"stop {work.fulfillment_order_id}", partial(_stop, caller=caller, work=work))
        for work in orders.work_to_be_stopped(tx, UPKEEP_ROWS_MAX)
    ]
    jobs += [
        Job(
            f"look at {conflict_id}",
            partial(look_again, caller=caller, conflict_id=conflict_id, policy=policy),
        )
        for conflict_id in shortfalls_to_look_at(tx)
    ]
    jobs += [
        Job(f"give {row.order_id}/{row.part}", partial(_give, caller=caller, row=row, policy=policy))
        for row in orders.open_parts(tx, {PartState.HANDED_BACK}, UPKEEP_ROWS_MAX)
        if row.method in CARRIED
    ]
    jobs += [
        Job(
            f"fetch {row.order_id}/{row.part}",
            partial(_fetch, caller=caller, row=row, policy=policy, down=down),
        )
        for row in orders.untouched_parts(tx, caller.now_ms, down, UPKEEP_ROWS_MAX)
    ]
    jobs += [
        Job(
            f"serve {one.order_id}/{one.part}",
            partial(waiting.serve, caller=caller, waiting=one, policy=policy),
        )
        for one in waiting.due(tx, caller, policy)
    ]
    if override_rows.any_to_look_at(tx, now):
        jobs.append(Job("expire overrides", partial(_expire, caller=caller, now=now)))
    return jobs


def _stop(tx: Transaction, caller: Caller, work: Row) -> bool:
    reassigning.stop(tx, caller, work.order_id, work.fulfillment_order_id, work.reason)
    return True


def _give(tx: Transaction, caller: Caller, row: Row, policy: Policy) -> bool:
    """A part that its node has handed back goes to another one; if none can have it, that is said."""
    part = aggregate.look_at(tx, row.order_id).parts[row.part]
    if part.state is not PartState.HANDED_BACK:
        return True
    before = part.newest.node_id if part.newest else "nobody"
    move = Move(row.order_id, f"{before} has not sent it", by_rule=HANDED_BACK, part=row.part)
    try:
        reassigning.reassign(tx, caller, move, policy, part)
    except Refused as refusal:
        if refusal.code not in _NO_NODE:
            return False
        reassigning.give_up(tx, caller, row.order_id, row.part, refusal.code)
    return True


def _fetch(tx: Transaction, caller: Caller, row: Row, policy: Policy, down: Collection[str]) -> bool:
    """Take a part from a node that is down or late and give it to another one; it stays if none can have it."""
    part = aggregate.look_at(tx, row.order_id).parts[row.part]
    newest = part.newest
    if part.state is not PartState.ASSIGNED or newest is None or newest.node_id != row.node_id:
        return True
    rule, reason = (
        (NODE_DOWN, f"nothing is heard of {row.node_id}")
        if row.node_id in down
        else (LATE, f"{row.node_id} should have sent it by now")
    )
    if rule == LATE and _was_late_before(tx, part):
        return False
    avoid = dict.fromkeys(down, "nothing is heard of it")
    move = Move(row.order_id, reason, by_rule=rule, part=row.part, avoid=avoid)
    return _move(tx, caller, move, policy, part)


def _was_late_before(tx: Transaction, part: Part) -> bool:
    late = [move for move in routing.moves_of(tx, part.order.order_id) if move.decided_by == LATE]
    return any(work.fencing_token in move.tokens for work in part.works for move in late)


def _expire(tx: Transaction, caller: Caller, now: BootTime) -> bool:
    overrides.expire_due(tx, caller, now)
    return True


def shortfalls_to_look_at(tx: Transaction) -> list[str]:
    """Open shortfalls of orders, those of the most urgent orders first, then as they arose."""
    rows = facts.conflicts(tx, UPKEEP_ROWS_MAX, state=ConflictState.OPEN.value, kind=SHORTFALL)
    found = {row.order_id: row for row in orders.by_ids(tx, {row.order_id for row in rows} - {""})}
    ranked = [
        (list(ServiceClass).index(ServiceClass(order.service_class)), order.placed_at_ms, row.conflict_id)
        for row in rows
        if (order := found.get(row.order_id)) is not None
    ]
    return [conflict_id for _, _, conflict_id in sorted(ranked)]


def look_again(tx: Transaction, caller: Caller, conflict_id: str, policy: Policy) -> bool:
    """One order that lacked units: does it still, and can another node serve it now? Else it waits for a person."""
    row = facts.conflict(tx, conflict_id)
    if row is None or row.state != ConflictState.OPEN:
        return True
    order = aggregate.look_at(tx, row.order_id)
    if _settled(tx, row, order):
        # Nothing is resolved by what may just be changing.
        outcome = _settled(tx, row, lock_order(tx, row.order_id, row.node_id))
    else:
        outcome = _moved(tx, caller, row, order, policy)
    if outcome:
        conflict_life.resolve(tx, caller, conflict_id, outcome)
    return bool(outcome)


def _settled(tx: Transaction, row: Row, order: Order) -> str:
    """Why nothing is lacking any more; empty if it is."""
    if order.state in FINAL:
        return f"order {row.order_id} is {order.state}"
    if _part_at(order, row) is None:
        return f"order {row.order_id} was moved to {order.node_id}"
    if not lacking(tx, row.node_id, row.sku_id).get(row.order_id):
        return f"{row.node_id} holds all of it again"
    return ""


def _part_at(order: Order, row: Row) -> Part | None:
    return next((part for part in order.parts.values() if _waits_at(part, row)), None)


def _waits_at(part: Part, row: Row) -> bool:
    """Whether it is the part that a shortfall is about."""
    work = part.newest
    lines = work.lines.values() if work is not None and work.node_id == row.node_id else ()
    return part.state not in ENDED and any(line.sku_id == row.sku_id for line in lines)


def _moved(tx: Transaction, caller: Caller, row: Row, order: Order, policy: Policy) -> str:
    """Move the part if that may be, and say where to; empty if it stays."""
    part = _part_at(order, row)
    assert part is not None, "it is not settled"
    move = Move(row.order_id, row.effect, by_rule=CASES[SHORTFALL].rule, part=part.number)
    if not _move(tx, caller, move, policy, part):
        return ""
    newest = aggregate.look_at(tx, row.order_id).parts[part.number].newest
    return f"order {row.order_id} was moved to {newest.node_id if newest else 'nobody'}"


def _move(tx: Transaction, caller: Caller, move: Move, policy: Policy, part: Part) -> bool:
    """Whether it was moved; if not, it waits for stock or for a person."""
    try:
        reassigning.reassign(tx, caller, move, policy, part)
    except Refused as refusal:
        log.debug("order_stays", order_id=move.order_id, code=refusal.code, reason=refusal.message)
        return False
    return True
