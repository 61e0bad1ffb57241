"""Where fulfillment orders stand, derived from facts at every step and never remembered.

After a crash, a short pick or another device's scan the same functions say where to go on.
"""

from __future__ import annotations

from dataclasses import replace

from bodega.core.floor_words import Method
from bodega.core.ledger import stage_of
from bodega.core.lifecycles import FulfillmentEvent, FulfillmentState
from bodega_agent.rules.floor.effects import Effect, NoteException, OpenPutBack
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.pick.doing import NOTHING, Picking, doing_of
from bodega_agent.rules.floor.pick.effects import Advance, HandBack
from bodega_agent.rules.floor.pick.facts import Check, PickFacts, Work
from bodega_agent.rules.floor.pick.walk import Task, changed, orders_of, task_of
from bodega_agent.rules.floor.scans import CheckOutcome
from bodega_agent.rules.floor.session import PICK_STEPS, WORK_STEPS, FloorStep, Session
from bodega_agent.rules.floor.table import Lost

OPEN_STATES = frozenset({FulfillmentState.PICKING, FulfillmentState.PICKED, FulfillmentState.PACKED})
# Steps that ask about one shelf.
_ASKED_FOR = frozenset({FloorStep.PICK_SHORT, FloorStep.PICK_DAMAGED})


def is_lost(session: Session, facts: PickFacts) -> bool:
    """Whether the session works on an order that is not its to work on any more."""
    if session.step is FloorStep.TAKE_OVER:
        return _id_of(facts.left_work) != session.fulfillment_order_id
    if session.step not in WORK_STEPS:
        return False
    work = facts.work
    if work is None or work.fulfillment_order_id != session.fulfillment_order_id:
        return True
    if session.step in PICK_STEPS and work.batch and facts.walk:
        return False
    return work.device != session.device or work.state not in OPEN_STATES


def settle(session: Session, facts: PickFacts) -> Session | Lost:
    """Facts win: an order is at the step where it stands, and may be somebody else's by now."""
    if session.step is FloorStep.CART_TOTE:
        return _settled_cart(session, facts)
    if is_lost(session, facts):
        return Lost(f"Order {session.fulfillment_order_id} is not yours to work on any more.")
    if session.step in PICK_STEPS:
        return _settled_pick(session, facts)
    if session.step in WORK_STEPS and facts.work is not None:
        return place(session, facts.work, facts)
    return session


def _settled_cart(session: Session, facts: PickFacts) -> Session | Lost:
    if facts.next_works:
        return session if facts.walk else session.at(FloorStep.CART_TOTE)
    if facts.walk:
        return place_walk(session, facts)
    return Lost("No order waits any more.")


def _settled_pick(session: Session, facts: PickFacts) -> Session:
    doing = doing_of(session.doing)
    asked = _still_asked(doing, facts)
    session = session if asked == doing else replace(session, doing=asked)
    if _asks_why(session, facts) or (session.step is FloorStep.PICK_FULL and _is_open(facts.work)):
        return session
    return place_walk(session, facts)


def _asks_why(session: Session, facts: PickFacts) -> bool:
    """Whether the shelf that was asked about is still the one to pick from."""
    asked = doing_of(session.doing).asked_why
    if asked is None or session.step not in _ASKED_FOR:
        return False
    task = task_of(facts, session)
    return task is not None and (task.bin_id, task.line.sku_id, task.lot) == (
        asked.bin_id,
        asked.sku_id,
        asked.lot,
    )


def _still_asked(doing: Picking, facts: PickFacts) -> Picking:
    """Questions that have answered themselves are dropped."""
    held, missing = doing.in_hand, doing.missing
    if held and (_id_of(facts.work) != held.fulfillment_order_id or not _is_open(facts.work)):
        doing = replace(doing, in_hand=None)
    if facts.there:
        doing = replace(doing, may_be_empty=None)
    if missing and not any(
        work.fulfillment_order_id == missing.fulfillment_order_id and line.line == missing.line
        for work in orders_of(facts)
        for line in work.lines
        if line.outstanding and any(instead.spare for instead in line.substitutes)
    ):
        doing = replace(doing, missing=None)
    return doing


def _is_open(work: Work | None) -> bool:
    return work is not None and work.state in {FulfillmentState.PICKING, FulfillmentState.PICKED}


def _id_of(work: Work | None) -> str:
    return "" if work is None else work.fulfillment_order_id


def holds(work: Work, facts: PickFacts) -> bool:
    """Whether the camera holds the order back: blocking mode, and a check neither passed nor accepted."""
    return facts.vision is VisionMode.BLOCKING and bool(work.checks)


def place_walk(session: Session, facts: PickFacts) -> Session:
    """The session at the first question that waits for an answer, else at the next pick of its walk."""
    doing = doing_of(session.doing)
    if doing.missing:
        order = doing.missing.fulfillment_order_id
        return _at(session, FloorStep.PICK_SUBSTITUTE, order, session.bin_id, doing)
    task = task_of(facts, session)
    if doing.last is not None and not _goes_on(task, session.bin_id, doing):
        # All of it is taken here: whoever stays, stays for something else that lies in the same bin.
        doing = of_no_bin(doing)
        stays = task is not None and task.bin_id == session.bin_id
        session = session if stays else replace(session, bin_id="")
    if doing.last is None:
        if doing.in_hand:
            return _at(
                session, FloorStep.PICK_TOTE, doing.in_hand.fulfillment_order_id, session.bin_id, doing
            )
        if doing.may_be_empty:
            return _at(session, FloorStep.PICK_ZERO, session.fulfillment_order_id, session.bin_id, doing)
    if task is not None:
        order, bin_id = task.work.fulfillment_order_id, session.bin_id
        if bin_id and task.bin_id in {bin_id, ""}:
            return _at(session, FloorStep.PICK_ITEM, order, bin_id, doing)
        return _at(session, FloorStep.PICK_BIN, order, "", of_no_bin(doing))
    return _with_all_taken(session, facts, of_no_bin(doing))


def _goes_on(task: Task | None, bin_id: str, doing: Picking) -> bool:
    """Whether more of what was scanned last is taken now, for the same tote if there is one."""
    if task is None or doing.last is None or doing.may_be_empty or task.bin_id not in {bin_id, ""}:
        return False
    same_tote = not doing.in_hand or doing.in_hand.fulfillment_order_id == task.work.fulfillment_order_id
    return same_tote and task.line.sku_id == doing.last.sku_id


def _with_all_taken(session: Session, facts: PickFacts, doing: Picking) -> Session:
    held_back = next(iter(orders_of(facts)), None)
    if held_back is not None and (held_back.batch or holds(held_back, facts)):
        return _at(session, FloorStep.PICK_CHECK, held_back.fulfillment_order_id, "", doing)
    if facts.work is None or facts.work.batch:
        return session.idle()
    return place(session, facts.work, facts)


def of_no_bin(doing: Picking) -> Picking:
    """What is remembered away from a bin: no lot was chosen, nothing was scanned or asked about there."""
    return replace(doing, lot="", any_lot=False, last=None, asked_why=None)


def _at(session: Session, step: FloorStep, order: str, bin_id: str, doing: Picking) -> Session:
    kept = None if doing == NOTHING else doing
    return session.at(step, fulfillment_order_id=order, bin_id=bin_id, doing=kept)


def place(session: Session, work: Work, facts: PickFacts) -> Session:
    """The session at the step where one order stands that is picked alone, or is packed."""
    order = work.fulfillment_order_id
    if work.state is FulfillmentState.PACKED:
        return session.at(FloorStep.LABEL, fulfillment_order_id=order)
    if work.state is FulfillmentState.PICKED:
        return session.at(FloorStep.PACK, fulfillment_order_id=order)
    if work.outstanding:
        return place_walk(session, replace(facts, work=work))
    step = FloorStep.PICK_CHECK if holds(work, facts) else FloorStep.PACK
    return session.at(step, fulfillment_order_id=order)


def finish_picking(work: Work, facts: PickFacts) -> tuple[Work, tuple[Effect, ...]]:
    """How picking ends, if it does: once nothing is outstanding and no camera check holds the order back.

    An order of which all or nothing is wanted goes back to the hub with its first missing unit, and so does a parcel of
    which nothing is found: another node may have it. A pickup ends here, where its customer comes to.
    """
    if work.state is not FulfillmentState.PICKING:
        return work, ()
    if work.ship_complete and work.missing:
        return handed_back(work, "incomplete")
    if work.outstanding or holds(work, facts):
        return work, ()
    if work.picked:
        event, state = FulfillmentEvent.PICKS_DONE, FulfillmentState.PICKED
    elif work.method == Method.PARCEL:
        return handed_back(work, "nothing_found")
    else:
        event, state = FulfillmentEvent.NOTHING_FOUND, FulfillmentState.SHORT
    return replace(work, state=state), (Advance(work.fulfillment_order_id, event),)


def handed_back(work: Work, reason: str) -> tuple[Work, tuple[Effect, ...]]:
    """The hub gets the work again; what was picked is to be put back."""
    order = work.fulfillment_order_id
    effects: list[Effect] = [NoteException("handed_back", reason, order), HandBack(order)]
    if work.picked:
        effects.append(OpenPutBack(order, stage_of(order)))
    return replace(work, state=FulfillmentState.HANDED_BACK), tuple(effects)


def finish_walk(facts: PickFacts) -> tuple[PickFacts, tuple[Work, ...], tuple[Effect, ...]]:
    """Every order of the walk whose picking ends now, as it is then, and what that asks for."""
    ended: list[Work] = []
    effects: list[Effect] = []
    for work in orders_of(facts):
        after, asked = finish_picking(work, facts)
        if after.state is not work.state:
            ended.append(after)
            effects += asked
            facts = changed(facts, after)
    return facts, tuple(ended), tuple(effects)


def with_waiting_check(work: Work, line: int) -> Work:
    """The work as it is once the camera was asked about a line."""
    others = [check for check in work.checks if check.line != line]
    checks = sorted([*others, Check(line, CheckOutcome.WAITING)], key=lambda check: check.line)
    return replace(work, checks=tuple(checks))


def without_check(work: Work, line: int) -> Work:
    """The work once a line has passed or was accepted."""
    return replace(work, checks=tuple(check for check in work.checks if check.line != line))
