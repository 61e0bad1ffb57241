"""Pick: walk the bins, scan each unit or type how many; every scan of an item is durable at once.

Wrong bin, wrong item, wrong lot or too many: nothing moves, and the prompt says what is wanted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from bodega.core.ledger import Entered, Goods, stage_of
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.pick.camera import is_shown_again, show_again
from bodega_agent.rules.floor.pick.doing import InHand, LastScan, MayBeEmpty, doing_of
from bodega_agent.rules.floor.pick.effects import Inspect, Pick
from bodega_agent.rules.floor.pick.facts import PickFacts, Shelf, ZeroCheck
from bodega_agent.rules.floor.pick.going import go_on, walk_on
from bodega_agent.rules.floor.pick.walk import (
    Task,
    changed,
    less_on_shelf,
    lines_for,
    orders_of,
    shelves_of,
    task_of,
)
from bodega_agent.rules.floor.pick.work import of_no_bin, with_waiting_check
from bodega_agent.rules.floor.prompt import units
from bodega_agent.rules.floor.scans import BinScan, ItemScan, NumberScan
from bodega_agent.rules.floor.session import Session


class _Taken(NamedTuple):
    """Goods that leave a bin for the orders of a task."""

    name: str
    lot: str
    quantity: int
    serials: tuple[str, ...] = ()
    entered: Entered | None = None


def into_bin(session: Session, scan: BinScan, facts: PickFacts) -> Answer:
    """A bin is scanned: the right one, or any one where the book knows none."""
    wanted = _task(session, facts).bin_id
    if wanted and scan.bin_id != wanted:
        return refuse(session, facts, f"Bin {scan.bin_id} is not {wanted}.")
    there = replace(session, bin_id=scan.bin_id, doing=of_no_bin(doing_of(session.doing)))
    return walk_on(there, facts, f"Bin {scan.bin_id}.")


def other_bin(session: Session, scan: BinScan, facts: PickFacts) -> Answer:
    """A bin scan while items are due: the same one reminds, another one is a mistake if the book knew."""
    if scan.bin_id == session.bin_id:
        return say(session, facts, f"Bin {scan.bin_id}.")
    if not _task(session, facts).bin_id:
        return into_bin(session, scan, facts)
    return refuse(session, facts, f"You are not done at {session.bin_id}.")


def item(session: Session, scan: ItemScan, facts: PickFacts) -> Answer:
    """One or more units go from the bin to the stage of their orders, or nothing moves and the prompt says why."""
    if is_shown_again(facts, scan):
        return show_again(session, scan, facts)
    task = _task(session, facts)
    problem = _wrong(session, scan, facts, task)
    if problem:
        return refuse(session, facts, problem)
    lot = scan.lot or task.lot
    doing, before = doing_of(session.doing), doing_of(session.doing).last
    same = before is not None and (before.sku_id, before.lot) == (scan.sku_id, lot)
    counted = scan.quantity + (before.units if before and same else 0)
    last = LastScan(scan.sku_id, lot, counted)
    session = replace(session, doing=replace(doing, last=last))
    return _take(session, facts, task, _Taken(scan.name, lot, scan.quantity, scan.serials, scan.entered))


def number(session: Session, scan: NumberScan, facts: PickFacts) -> Answer:
    """So many units in all of what was scanned last here: the rest of them is booked as if it had been scanned."""
    task, last = _task(session, facts), doing_of(session.doing).last
    if last is None or last.sku_id != task.line.sku_id:
        return refuse(session, facts, "Scan the item first, then type how many.")
    if task.line.serial_tracked:
        return refuse(session, facts, f"Scan each {task.line.name}: every unit has its own code.")
    more = scan.value - last.units
    if more <= 0:
        return refuse(session, facts, f"{last.units} are picked already.")
    if more > _wanted(facts, task):
        return refuse(session, facts, f"{scan.value} are too many.")
    doing = replace(doing_of(session.doing), last=replace(last, units=scan.value))
    taken = _Taken(task.line.name, last.lot, more)
    return _take(replace(session, doing=doing), facts, task, taken)


def _take(session: Session, facts: PickFacts, task: Task, taken: _Taken) -> Answer:
    """Units of the task, for whoever is served first."""
    effects: list[Effect] = []
    doing, left, sku_id = doing_of(session.doing), taken.quantity, task.line.sku_id
    for work, line in lines_for(facts, task):
        if not left:
            break
        quantity = min(left, line.outstanding)
        left -= quantity
        order = work.fulfillment_order_id
        goods = Goods(sku_id, quantity, taken.lot, serials=taken.serials)
        entered = taken.entered if quantity == taken.quantity else None
        effects.append(Pick(order, line.line, goods, session.bin_id, entered))
        known = next(one for one in (*orders_of(facts),) if one.fulfillment_order_id == order)
        after = known.with_line(replace(line, picked=line.picked + quantity))
        if facts.vision is not VisionMode.OFF:
            effects.append(Inspect(order, line.line, sku_id))
            after = with_waiting_check(after, line.line)
        facts = changed(facts, after)
    shelf = _shelf(facts, session.bin_id, sku_id, taken.lot)
    facts = less_on_shelf(facts, session.bin_id, sku_id, taken.lot, taken.quantity)
    if task.work.is_on_cart:
        order = task.work.fulfillment_order_id
        held = doing.in_hand.units if doing.in_hand else 0
        doing = replace(doing, in_hand=InHand(order, taken.name, held + taken.quantity))
    if shelf and shelf.quantity <= taken.quantity and _is_checked(shelf, facts):
        asked = MayBeEmpty(shelf.bin_id, sku_id, shelf.lot, taken.name, shelf.walk_order, shelf.first_out)
        doing = replace(doing, may_be_empty=asked)
    return go_on(
        replace(session, doing=doing),
        facts,
        f"Picked {units(taken.quantity, taken.name)}.",
        effects=tuple(effects),
    )


def _is_checked(shelf: Shelf, facts: PickFacts) -> bool:
    return facts.zero_check is ZeroCheck.ALL or (
        facts.zero_check is ZeroCheck.PICK_FACES and shelf.is_pick_face
    )


def _shelf(facts: PickFacts, bin_id: str, sku_id: str, lot: str) -> Shelf | None:
    here = (bin_id, sku_id, lot)
    return next((one for one in shelves_of(facts) if (one.bin_id, one.sku_id, one.lot) == here), None)


def _wrong(session: Session, scan: ItemScan, facts: PickFacts, task: Task) -> str:
    bin_id, doing = session.bin_id, doing_of(session.doing)
    if scan.sku_id != task.line.sku_id:
        return f"{scan.name} is not {task.line.name}."
    if scan.expired:
        return f"Lot {scan.lot} of {scan.name} has expired: set it aside."
    here = {one.lot for one in shelves_of(facts) if (one.bin_id, one.sku_id) == (bin_id, scan.sku_id)}
    if scan.lot and task.bin_id and scan.lot not in here and not doing.any_lot:
        return f"Lot {scan.lot} is not lot {task.lot}."
    if scan.lacks_serial:
        return needs_serial(scan)
    if scan.serial and scan.serial_place in {stage_of(one.fulfillment_order_id) for one in orders_of(facts)}:
        return f"{scan.serial} is picked already."
    if scan.quantity > _wanted(facts, task):
        return f"{scan.quantity} are too many."
    return ""


def _wanted(facts: PickFacts, task: Task) -> int:
    return sum(line.outstanding for _work, line in lines_for(facts, task))


def skip(session: Session, facts: PickFacts) -> Answer:
    """CMD-SKIP: the line goes to the end of the walk, not away."""
    task = _task(session, facts)
    sku_id = task.line.sku_id
    if all(line.sku_id == sku_id for one in orders_of(facts) for line in one.lines if line.outstanding):
        return refuse(session, facts, "That is all that is left.")
    doing = of_no_bin(doing_of(session.doing))
    doing = replace(doing, skipped=(*(other for other in doing.skipped if other != sku_id), sku_id))
    noted = NoteException(
        "line_skipped", "", task.work.fulfillment_order_id, task.bin_id, sku_id, task.lot, task.quantity
    )
    said = f"{task.line.name} comes at the end."
    return go_on(replace(session, doing=doing), facts, said, effects=(noted,))


def other_lot(session: Session, facts: PickFacts) -> Answer:
    """CMD-LOT: the lot that is wanted is not the one in hand. The bin's next lot is taken, or any that a label says."""
    task = _task(session, facts)
    sku_id, bin_id = task.line.sku_id, session.bin_id
    lots = sorted(
        (one.first_out, one.lot)
        for one in shelves_of(facts)
        if (one.bin_id, one.sku_id) == (bin_id, sku_id) and one.lot
    )
    if not task.lot and not lots:
        return refuse(session, facts, f"{task.line.name} has no lots here.")
    names = [lot for _first_out, lot in lots]
    following = names[(names.index(task.lot) + 1) % len(names)] if task.lot in names else ""
    doing = replace(doing_of(session.doing), lot=following, any_lot=True, last=None)
    said = f"Lot {following} instead of {task.lot}."
    if following == task.lot:
        said = "By the book no other lot is here. Scan a label that says its lot."
    noted = NoteException(
        "lot_changed", "", task.work.fulfillment_order_id, bin_id, sku_id, task.lot, task.quantity
    )
    return go_on(replace(session, doing=doing), facts, said, effects=(noted,))


def _task(session: Session, facts: PickFacts) -> Task:
    task = task_of(facts, session)
    assert task is not None, "at a bin something is to be picked"
    return task
