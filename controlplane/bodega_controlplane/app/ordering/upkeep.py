"""What follows from facts that were applied, and needs other nodes or time: each step a transaction of its own.

Applying a journal locks its node and no other. So what it leads to elsewhere is done here, a moment later: an order
that lacks units, or that its node has handed back, moves to a node that has them, an assignment that somebody else has
shipped is stopped, an override whose time is over ends. Each may be asked again at any time, and after a crash the
next round goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from bodega.core.conflicts.physical_shortfall import KIND as SHORTFALL
from bodega.core.conflicts.table import CASES
from bodega.core.deadline import BootTime
from bodega.core.lifecycles import ORDER, ConflictState, OrderState
from bodega.core.promise import ServiceClass
from bodega.errors import Refused
from bodega.host.log import get_logger
from bodega.limits import UPKEEP_ROWS_MAX
from bodega_controlplane.app.applying.shortfalls import lacking
from bodega_controlplane.app.deciding import conflict_life, overrides
from bodega_controlplane.app.ordering import reassigning
from bodega_controlplane.app.ordering.reassigning import Move
from bodega_controlplane.app.views import Caller
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import facts, orders
from bodega_controlplane.store import overrides as override_rows
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


class Job(NamedTuple):
    """Something to do in a transaction of its own; `run` says whether it was done, or must wait for something."""

    name: str
    run: Callable[[Transaction], bool]


ACTOR = "hub"
# The rule of an order that its node has given back: a parcel goes to the nearest node that has all of it and has not
# handed it back before, ASSIGNMENTS_PER_ORDER_MAX times at most; a pickup waits for a person.
HANDED_BACK = "handed_back@1"


def due(tx: Transaction, caller: Caller, policy: Policy, now: BootTime) -> list[Job]:
    """What is to be done now; each job looks again before it does anything."""
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
        Job(f"give {row.order_id}", partial(_give, caller=caller, row=row, policy=policy))
        for row in orders.handed_back(tx, UPKEEP_ROWS_MAX)
    ]
    if override_rows.any_to_look_at(tx, now):
        jobs.append(Job("expire overrides", partial(_expire, caller=caller, now=now)))
    return jobs


def _stop(tx: Transaction, caller: Caller, work: Row) -> bool:
    reassigning.stop(tx, caller, work.order_id, work.fulfillment_order_id, work.reason)
    return True


def _give(tx: Transaction, caller: Caller, row: Row, policy: Policy) -> bool:
    """An order that its node has handed back goes to another one, as soon as one has all of it."""
    order = orders.by_ids(tx, [row.order_id])[0]
    if order.state != OrderState.HANDED_BACK:
        return True
    return _move(
        tx, caller, Move(row.order_id, f"{row.node_id} has handed it back", by_rule=HANDED_BACK), policy
    )


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
    order = orders.by_ids(tx, [row.order_id])[0]
    if OrderState(order.state) in ORDER.terminal:
        outcome = f"order {row.order_id} is {order.state}"
    elif order.node_id != row.node_id:
        outcome = f"order {row.order_id} was moved to {order.node_id}"
    elif not lacking(tx, row.node_id, row.sku_id).get(row.order_id):
        outcome = f"{row.node_id} holds all of it again"
    else:
        outcome = _moved(tx, caller, row, policy)
    if outcome:
        conflict_life.resolve(tx, caller, conflict_id, outcome)
    return bool(outcome)


def _moved(tx: Transaction, caller: Caller, row: Row, policy: Policy) -> str:
    """Move the order if that may be, and say where to; empty if it stays."""
    move = Move(row.order_id, row.effect, by_rule=CASES[SHORTFALL].rule)
    if not _move(tx, caller, move, policy):
        return ""
    (moved,) = orders.by_ids(tx, [row.order_id])
    return f"order {row.order_id} was moved to {moved.node_id}"


def _move(tx: Transaction, caller: Caller, move: Move, policy: Policy) -> bool:
    """Whether it was moved; if not, it waits for stock or for a person."""
    try:
        reassigning.reassign(tx, caller, move, policy)
    except Refused as refusal:
        log.debug("order_stays", order_id=move.order_id, code=refusal.code, reason=refusal.message)
        return False
    return True
