"""Where a fulfillment order stands, derived from facts at every step and never remembered.

After a crash, a short pick or another device's scan the same function says where to go on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bodega.core.lifecycles import FulfillmentEvent, FulfillmentState
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.pick.effects import Advance
from bodega_agent.rules.floor.pick.facts import Check, PickFacts, Work, WorkLine
from bodega_agent.rules.floor.pick.plan import plan_of
from bodega_agent.rules.floor.scans import CheckOutcome
from bodega_agent.rules.floor.session import WORK_STEPS, FloorStep, Session
from bodega_agent.rules.floor.table import Lost

OPEN_STATES = frozenset({FulfillmentState.PICKING, FulfillmentState.PICKED, FulfillmentState.PACKED})


@dataclass(frozen=True, slots=True)
class Task:
    """The pick in hand. `bin_id` is empty when no bin holds it by the book: a person has to find it."""

    line: WorkLine
    lot: str
    bin_id: str
    quantity: int


def task_of(work: Work, bin_id: str) -> Task:
    """What to pick now, seen from a person who stands at `bin_id`; something must be outstanding."""
    plan = plan_of(work, at_bin=bin_id)
    if plan.steps:
        first = plan.steps[0]
        return Task(work.line(first.line), first.lot, first.bin_id, first.quantity)
    want = plan.unplaceable[0]
    return Task(work.line(want.line), "", "", want.quantity)


def is_lost(session: Session, facts: PickFacts) -> bool:
    """Whether the session works on an order that is not its to work on any more."""
    if session.step is FloorStep.TAKE_OVER:
        return _id_of(facts.left_work) != session.fulfillment_order_id
    if session.step not in WORK_STEPS:
        return False
    work = facts.work
    if work is None or work.fulfillment_order_id != session.fulfillment_order_id:
        return True
    return work.device != session.device or work.state not in OPEN_STATES


def settle(session: Session, facts: PickFacts) -> Session | Lost:
    """Facts win: an order is at the step where it stands, and may be somebody else's by now."""
    if is_lost(session, facts):
        return Lost(f"Order {session.fulfillment_order_id} is not yours to work on any more.")
    if session.step in WORK_STEPS and facts.work is not None:
        return place(session, facts.work, facts)
    return session


def _id_of(work: Work | None) -> str:
    return "" if work is None else work.fulfillment_order_id


def holds(work: Work, facts: PickFacts) -> bool:
    """Whether the camera holds the order back: blocking mode, and a check neither passed nor accepted."""
    return facts.vision is VisionMode.BLOCKING and bool(work.checks)


def place(session: Session, work: Work, facts: PickFacts) -> Session:
    """The session at the step where `work` stands; a scanned bin is kept while it is of use."""
    step, bin_id = _stand(session.bin_id, work, facts)
    return session.at(step, fulfillment_order_id=work.fulfillment_order_id, bin_id=bin_id)


def _stand(bin_id: str, work: Work, facts: PickFacts) -> tuple[FloorStep, str]:
    if work.state is FulfillmentState.PACKED:
        return FloorStep.LABEL, ""
    if work.state is FulfillmentState.PICKED:
        return FloorStep.PACK, ""
    if work.outstanding == 0:
        return (FloorStep.PICK_CHECK if holds(work, facts) else FloorStep.PACK), ""
    task = task_of(work, bin_id)
    if bin_id and task.bin_id in {bin_id, ""}:
        return FloorStep.PICK_ITEM, bin_id
    return FloorStep.PICK_BIN, ""


def finish_picking(work: Work, facts: PickFacts) -> tuple[Work, tuple[Effect, ...]]:
    """PICKS_DONE or NOTHING_FOUND once nothing is outstanding and no camera check holds it back."""
    if work.state is not FulfillmentState.PICKING or work.outstanding or holds(work, facts):
        return work, ()
    if work.picked:
        event, state = FulfillmentEvent.PICKS_DONE, FulfillmentState.PICKED
    else:
        event, state = FulfillmentEvent.NOTHING_FOUND, FulfillmentState.SHORT
    return replace(work, state=state), (Advance(work.fulfillment_order_id, event),)


def with_waiting_check(work: Work, line: int) -> Work:
    """The work as it is once the camera was asked about a line."""
    others = [check for check in work.checks if check.line != line]
    checks = sorted([*others, Check(line, CheckOutcome.WAITING)], key=lambda check: check.line)
    return replace(work, checks=tuple(checks))


def without_check(work: Work, line: int) -> Work:
    """The work once a line has passed or was accepted."""
    return replace(work, checks=tuple(check for check in work.checks if check.line != line))


def less_on_shelf(work: Work, bin_id: str, sku_id: str, lot: str, quantity: int) -> Work:
    """The shelves after `quantity` units left one of them; an empty shelf is left out."""
    shelves = []
    for shelf in work.shelves:
        if (shelf.bin_id, shelf.sku_id, shelf.lot) != (bin_id, sku_id, lot):
            shelves.append(shelf)
        elif shelf.quantity > quantity:
            shelves.append(replace(shelf, quantity=shelf.quantity - quantity))
    return replace(work, shelves=tuple(shelves))
