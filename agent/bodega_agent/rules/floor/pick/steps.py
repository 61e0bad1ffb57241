"""Pick: claim an order, walk its bins, scan each unit; every item scan is durable at once.

Wrong bin, wrong item, wrong lot or too many: nothing moves, and the prompt says what is wanted. A camera
verdict never moves stock: it flags a line, and a person shows the goods again or accepts them by name.
"""

from __future__ import annotations

from dataclasses import replace

from bodega.core.ledger import Goods, stage_of
from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.pick.effects import AcceptCheck, Claim, Inspect, Pick, ShortLine, ShortShelf
from bodega_agent.rules.floor.pick.facts import PickFacts, Work
from bodega_agent.rules.floor.pick.work import (
    Task,
    finish_picking,
    less_on_shelf,
    place,
    task_of,
    with_waiting_check,
    without_check,
)
from bodega_agent.rules.floor.prompt import Tone, units
from bodega_agent.rules.floor.scans import BinScan, ItemScan, VerdictArrived
from bodega_agent.rules.floor.session import FloorStep, Session


def start(session: Session, facts: PickFacts) -> Answer:
    """CMD-PICK: this device's own order first, then the oldest that waits, then one that somebody left."""
    if facts.work is not None:
        said = f"Going on with order {facts.work.fulfillment_order_id}."
        return _go_on(session, facts.work, facts, said)
    if facts.next_work is not None:
        return _claim(session, facts.next_work, facts, "is yours.", take_over=False)
    if facts.left_work is not None:
        order = facts.left_work.fulfillment_order_id
        return say(session.at(FloorStep.TAKE_OVER, fulfillment_order_id=order), facts)
    return say(session, facts, "No order waits.")


def take_over(session: Session, facts: PickFacts) -> Answer:
    """CMD-ACCEPT on the question: the order of a device that is gone becomes this device's."""
    assert facts.left_work is not None, "a lost take-over never gets here"
    return _claim(session, facts.left_work, facts, "is yours now.", take_over=True)


def _claim(session: Session, work: Work, facts: PickFacts, said: str, *, take_over: bool) -> Answer:
    order = work.fulfillment_order_id
    state = work.state if take_over else FulfillmentState.PICKING
    claimed = replace(work, device=session.device, state=state)
    return _go_on(session, claimed, facts, f"Order {order} {said}", effects=(Claim(order, take_over),))


def into_bin(session: Session, scan: BinScan, facts: PickFacts) -> Answer:
    """A bin is scanned: the right one, or any one where the book knows none."""
    work = _work(facts)
    wanted = task_of(work, session.bin_id).bin_id
    if wanted and scan.bin_id != wanted:
        return refuse(session, facts, f"Bin {scan.bin_id} is not {wanted}.")
    return say(place(replace(session, bin_id=scan.bin_id), work, facts), facts, f"Bin {scan.bin_id}.")


def other_bin(session: Session, scan: BinScan, facts: PickFacts) -> Answer:
    """A bin scan while items are due: the same one reminds, another one is a mistake if the book knew."""
    if scan.bin_id == session.bin_id:
        return say(session, facts, f"Bin {scan.bin_id}.")
    if not task_of(_work(facts), session.bin_id).bin_id:
        return into_bin(session, scan, facts)
    return refuse(session, facts, f"You are not done at {session.bin_id}.")


def item(session: Session, scan: ItemScan, facts: PickFacts) -> Answer:
    """One or more units go from the bin to the order's stage, or nothing moves and the prompt says why."""
    work = _work(facts)
    if _is_shown_again(work, scan):
        return show_again(session, scan, facts)
    task = task_of(work, session.bin_id)
    lot = scan.lot or task.lot
    problem = _wrong(scan, work, task, session.bin_id)
    if problem:
        return refuse(session, facts, problem)
    order, line = work.fulfillment_order_id, task.line
    goods = Goods(scan.sku_id, scan.quantity, lot, serials=scan.serials)
    effects: list[Effect] = [Pick(order, line.line, goods, session.bin_id, scan.entered)]
    after = work.with_line(replace(line, picked=line.picked + scan.quantity))
    after = less_on_shelf(after, session.bin_id, scan.sku_id, lot, scan.quantity)
    if facts.vision is not VisionMode.OFF:
        effects.append(Inspect(order, line.line, scan.sku_id))
        after = with_waiting_check(after, line.line)
    stays = task.bin_id or scan.quantity < line.outstanding
    session = session if stays else replace(session, bin_id="")
    return _go_on(session, after, facts, f"Picked {units(scan.quantity, scan.name)}.", effects=tuple(effects))


def _wrong(scan: ItemScan, work: Work, task: Task, bin_id: str) -> str:
    line = task.line
    if scan.sku_id != line.sku_id:
        return f"{scan.name} is not {line.name}."
    if scan.expired:
        return f"Lot {scan.lot} of {scan.name} has expired: set it aside."
    here = {shelf.lot for shelf in work.shelves if (shelf.bin_id, shelf.sku_id) == (bin_id, scan.sku_id)}
    if scan.lot and task.bin_id and scan.lot not in here:
        return f"Lot {scan.lot} is not lot {task.lot}."
    if scan.lacks_serial:
        return needs_serial(scan)
    if scan.serial and scan.serial_place == stage_of(work.fulfillment_order_id):
        return f"{scan.serial} is picked already."
    if scan.quantity > line.outstanding:
        return f"{scan.quantity} are too many."
    return ""


def _is_shown_again(work: Work, scan: ItemScan) -> bool:
    lines = [work.line(check.line) for check in work.checks if check.flagged]
    return any(line.sku_id == scan.sku_id and not line.outstanding for line in lines)


def show_again(session: Session, scan: ItemScan, facts: PickFacts) -> Answer:
    """A doubted item is scanned again: the camera looks once more, nothing moves."""
    work = _work(facts)
    if not _is_shown_again(work, scan):
        return refuse(session, facts, f"{scan.name} is not wanted now.")
    line = next(
        line
        for check in work.checks
        if check.flagged and (line := work.line(check.line)).sku_id == scan.sku_id and not line.outstanding
    )
    asked = with_waiting_check(work, line.line)
    effect = Inspect(work.fulfillment_order_id, line.line, scan.sku_id)
    return say(session, replace(facts, work=asked), f"Looking at {line.name} again.", effects=(effect,))


def short(session: Session, facts: PickFacts) -> Answer:
    """CMD-SHORT: the shelf is empty. Its book goes to zero; other bins are tried; else the line is short."""
    work = _work(facts)
    task = task_of(work, session.bin_id)
    order, line = work.fulfillment_order_id, task.line
    effects: list[Effect] = []
    for shelf in work.shelves:
        if (shelf.bin_id, shelf.sku_id, shelf.lot) == (task.bin_id, line.sku_id, task.lot):
            goods = Goods(line.sku_id, shelf.quantity, shelf.lot)
            effects.append(ShortShelf(order, line.line, goods, shelf.bin_id))
            work = less_on_shelf(work, shelf.bin_id, line.sku_id, shelf.lot, shelf.quantity)
    said = f"{task.bin_id} is empty." if task.bin_id else ""
    if not any(shelf.sku_id == line.sku_id for shelf in work.shelves):
        for hopeless in [each for each in work.lines if each.sku_id == line.sku_id and each.outstanding]:
            effects.append(ShortLine(order, hopeless.line, hopeless.outstanding))
            work = work.with_line(replace(hopeless, short=hopeless.short + hopeless.outstanding))
        said = f"{said} {line.name} is short.".strip()
    if not task.bin_id:
        session = replace(session, bin_id="")
    return _go_on(session, work, facts, said, effects=tuple(effects))


def accept(session: Session, facts: PickFacts) -> Answer:
    """CMD-ACCEPT: a person has looked, and accepts the doubted line; recorded with the actor."""
    work = _work(facts)
    doubted = work.flagged()
    if doubted is None:
        return refuse(session, facts, "There is nothing to accept.")
    effect = AcceptCheck(work.fulfillment_order_id, doubted.line)
    said = f"{work.line(doubted.line).name} is accepted."
    return _go_on(session, without_check(work, doubted.line), facts, said, effects=(effect,))


def verdict(session: Session, scan: VerdictArrived, facts: PickFacts) -> Answer:
    """The camera has answered; a pass may be the last thing that picking waited for."""
    work = _work(facts)
    if scan.fulfillment_order_id != work.fulfillment_order_id:
        return say(session, facts)
    doubted = next((check for check in work.checks if check.line == scan.line and check.flagged), None)
    if doubted is None or session.step in {FloorStep.PICK_CHECK, FloorStep.PACK}:
        return _go_on(session, work, facts, "")
    said = f"The camera doubts {work.line(scan.line).name}: look at it, then CMD-ACCEPT or show it again."
    return say(session, facts, said, tone=Tone.ASK)


def _go_on(
    session: Session, work: Work, facts: PickFacts, said: str, *, effects: tuple[Effect, ...] = ()
) -> Answer:
    work, finishing = finish_picking(work, facts)
    if work.state is FulfillmentState.SHORT:
        said = f"{said} Nothing of order {work.fulfillment_order_id} was on the shelf; it is closed as short."
        return say(session.idle(), replace(facts, work=None), said, effects=effects + finishing)
    facts = replace(facts, work=work)
    return say(place(session, work, facts), facts, said, effects=effects + finishing)


def _work(facts: PickFacts) -> Work:
    assert facts.work is not None, "a session that has lost its work never gets here"
    return facts.work
