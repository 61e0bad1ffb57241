"""A shelf does not give what the plan says: why, and what then.

First another bin, one that the hub's bundle lets serve (`instead.py`); then another SKU, if the order allows one and a
person says yes; then the order goes without, or back to the hub: at once if all of it was wanted, or if a person
refuses the goods. A pickup that a person refuses is not given back: the customer comes to this node, and no other one
is asked by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bodega.core.ledger import Disposition, Goods
from bodega.core.routing.alone import is_forbidden
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.effects import Effect, KeepDecision, NoteException
from bodega_agent.rules.floor.pick import instead
from bodega_agent.rules.floor.pick.doing import AskedWhy, Missing, doing_of
from bodega_agent.rules.floor.pick.effects import SetAside, ShortLine, ShortShelf, SubstituteLine
from bodega_agent.rules.floor.pick.facts import PickFacts, Shelf, Substitute, Work, WorkLine
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
from bodega_agent.rules.floor.pick.work import handed_back, of_no_bin
from bodega_agent.rules.floor.prompt import units
from bodega_agent.rules.floor.scans import ItemScan, NumberScan, WordScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.words import Word

Effects = tuple[Effect, ...]


def short(session: Session, facts: PickFacts) -> Answer:
    """CMD-SHORT: the shelf does not give it, and the person is asked why; where no shelf is known, it is clear."""
    task = _task(session, facts)
    doing = of_no_bin(doing_of(session.doing))
    if not task.bin_id:
        return _note(replace(session, bin_id="", doing=doing), facts, task, Word.MISSING, "")
    asked = AskedWhy(task.bin_id, task.line.sku_id, task.lot)
    return say(replace(session, step=FloorStep.PICK_SHORT, doing=replace(doing, asked_why=asked)), facts)


def why(session: Session, scan: WordScan, facts: PickFacts) -> Answer:
    """The reason, one of REASONS."""
    act = _ACTS.get(scan.word)
    if act is None:
        return refuse(session, facts, f"'{scan.word}' is no reason why a shelf gives nothing.")
    return act(session, facts, _task(session, facts), scan.word)


def never_mind(session: Session, facts: PickFacts) -> Answer:
    """CMD-PICK: it is there after all."""
    return walk_on(_walking(session), facts)


def _empty(session: Session, facts: PickFacts, task: Task, reason: Word) -> Answer:
    """The book of the shelf goes to zero."""
    shelf = _shelf(facts, task)
    goods = Goods(shelf.sku_id, shelf.quantity, shelf.lot)
    effect = ShortShelf(task.work.fulfillment_order_id, task.line.line, goods, shelf.bin_id)
    facts = less_on_shelf(facts, shelf.bin_id, shelf.sku_id, shelf.lot, shelf.quantity)
    return _note(session, facts, task, reason, f"{shelf.bin_id} is empty.", (effect,))


def _all_expired(session: Session, facts: PickFacts, task: Task, reason: Word) -> Answer:
    """Whatever the shelf holds of this lot can not be sold any more."""
    quantity = _shelf(facts, task).quantity
    facts, effect = _set_aside(facts, task, quantity, Disposition.EXPIRED)
    said = f"{units(quantity, task.line.name)} in {task.bin_id} are set aside as expired."
    return _note(session, facts, task, reason, said, (effect,))


def _ask_how_many(session: Session, facts: PickFacts, _task: Task, _reason: Word) -> Answer:
    return say(replace(session, step=FloorStep.PICK_DAMAGED), facts)


def damaged(session: Session, scan: NumberScan, facts: PickFacts) -> Answer:
    """So many units are damaged: they are not for sale; the others on the shelf are."""
    task = _task(session, facts)
    if task.line.serial_tracked:
        return refuse(session, facts, f"Scan each damaged {task.line.name}: every unit has its own code.")
    if not scan.value:
        return never_mind(session, facts)
    facts, effect = _set_aside(facts, task, scan.value, Disposition.DAMAGED)
    said = f"{units(scan.value, task.line.name)} in {task.bin_id} are set aside as damaged."
    return _note(session, facts, task, Word.DAMAGED, said, (effect,))


def damaged_unit(session: Session, scan: ItemScan, facts: PickFacts) -> Answer:
    """A damaged unit with a code of its own."""
    task = _task(session, facts)
    if scan.sku_id != task.line.sku_id or scan.lacks_serial:
        return refuse(session, facts, f"That is no unit of {task.line.name} with its own code.")
    lot = scan.lot or task.lot
    facts, effect = _set_aside(facts, task, scan.quantity, Disposition.DAMAGED, lot, scan.serials)
    said = f"{units(scan.quantity, scan.name)} in {task.bin_id} are set aside as damaged."
    return _note(session, facts, task, Word.DAMAGED, said, (effect,))


def _set_aside(
    facts: PickFacts,
    task: Task,
    quantity: int,
    disposition: Disposition,
    lot: str = "",
    serials: tuple[str, ...] = (),
) -> tuple[PickFacts, Effect]:
    lot, sku_id = lot or task.lot, task.line.sku_id
    goods = Goods(sku_id, quantity, lot, serials=serials)
    effect = SetAside(task.work.fulfillment_order_id, goods, task.bin_id, disposition)
    return less_on_shelf(facts, task.bin_id, sku_id, lot, quantity), effect


def _pass_by(session: Session, facts: PickFacts, task: Task, reason: Word) -> Answer:
    """Nobody gets at the bin in this walk; what the book has there stays there."""
    doing = doing_of(session.doing)
    passed = replace(session, bin_id="", doing=replace(doing, passed=(*doing.passed, task.bin_id)))
    return _note(passed, facts, task, reason, f"{task.bin_id} is passed by.")


def _refuse_goods(session: Session, facts: PickFacts, task: Task, reason: Word) -> Answer:
    """The person will not send this: a parcel is given back to the hub, a pickup goes without it."""
    work, line = task.work, task.line
    if work.method in _FETCHED:
        after = _without(work, line)
        asked: Effects = (ShortLine(work.fulfillment_order_id, line.line, line.outstanding),)
    else:
        after, asked = handed_back(work, reason)
    back = f" Order {work.fulfillment_order_id} goes back to the hub." if work.method not in _FETCHED else ""
    said = f"{line.name} is refused.{back}"
    session = _walking(replace(session, bin_id=""))
    return go_on(session, changed(facts, after), said, effects=(_exception(task, reason), *asked))


_FETCHED = frozenset({"pickup", "locker"})


def _note(
    session: Session, facts: PickFacts, task: Task, reason: Word, said: str, effects: Effects = ()
) -> Answer:
    """The short pick is an exception with its reason; then other bins, and if there is none, what else can be done."""
    session = _walking(session)
    effects = (_exception(task, reason), *effects)
    sku_id, passed = task.line.sku_id, doing_of(session.doing).passed
    there = [shelf for shelf in shelves_of(facts, without=passed) if shelf.sku_id == sku_id]
    if not there:
        return _without_shelf(session, facts, sku_id, reason, said, effects)
    lacking = task.quantity - sum(one.quantity for one in there if (one.bin_id, one.lot) == _place(task))
    made = instead.decide(session, facts, task, reason) if lacking > 0 else None
    if made is None:
        return go_on(session, facts, said, effects=effects)
    effects = (*effects, KeepDecision.of(made))
    if made.choice.shares:
        return go_on(instead.follow(session, made, sku_id), facts, said, effects=effects)
    said = f"{said} No other bin may serve it: {made.why_not}.".strip()
    if is_forbidden(made.choice):
        return _short_by(lacking, session, facts, task, said, effects)
    return _without_shelf(session, facts, sku_id, reason, said, effects)


def _place(task: Task) -> tuple[str, str]:
    return task.bin_id, task.lot


def _short_by(
    lacking: int, session: Session, facts: PickFacts, task: Task, said: str, effects: Effects
) -> Answer:
    """What this shelf should have given is short, and no other one is asked: the last to be released goes without."""
    for work, line in reversed(lines_for(facts, task)):
        units_short = min(lacking, line.outstanding)
        if units_short:
            lacking -= units_short
            order = _by_id(facts, work.fulfillment_order_id)
            left = order.with_line(replace(order.line(line.line), short=line.short + units_short))
            effects += (ShortLine(work.fulfillment_order_id, line.line, units_short),)
            facts = changed(facts, left)
    return go_on(session, facts, f"{said} {task.line.name} is short.", effects=effects)


def _without_shelf(
    session: Session, facts: PickFacts, sku_id: str, reason: str, said: str, effects: Effects
) -> Answer:
    """No bin gives this SKU: each line that wants it is asked about, or is short."""
    name = ""
    for order in [work.fulfillment_order_id for work in orders_of(facts)]:
        work = _by_id(facts, order)
        for line in [one for one in work.lines if one.sku_id == sku_id and one.outstanding]:
            if _offer(line) is not None:
                missing = Missing(sku_id, reason, order, line.line)
                asked = replace(session, doing=replace(doing_of(session.doing), missing=missing))
                return go_on(asked, facts, said, effects=effects)
            name = line.name
            effects += (ShortLine(order, line.line, line.outstanding),)
            work = _without(work, line)
            facts = changed(facts, work)
    said = f"{said} {name} is short.".strip() if name else said
    return go_on(session, facts, said, effects=effects)


def _offer(line: WorkLine) -> Substitute | None:
    """What to send instead: the best SKU of which there are enough, else the best of which there are any."""
    enough = (one for one in line.substitutes if one.spare >= line.outstanding)
    some = (one for one in line.substitutes if one.spare > 0)
    return next(enough, None) or next(some, None)


def offered(session: Session, facts: PickFacts) -> tuple[Work, WorkLine, Substitute, int]:
    """What the session asks about: order, line, the SKU instead, and how many units of it."""
    missing = doing_of(session.doing).missing
    assert missing is not None, "without a missing line nobody is asked for a substitute"
    work = _by_id(facts, missing.fulfillment_order_id)
    line = work.line(missing.line)
    substitute = _offer(line)
    assert substitute is not None, "a line without a substitute is not asked about"
    return work, line, substitute, min(line.outstanding, substitute.spare)


def substitute(session: Session, scan: WordScan, facts: PickFacts) -> Answer:
    """Yes: another SKU takes the place of what is missing, what that lacks is asked again. No: the line is short."""
    work, line, instead, quantity = offered(session, facts)
    missing = doing_of(session.doing).missing
    assert missing is not None, "offered has asked for it"
    session = replace(session, doing=replace(doing_of(session.doing), missing=None))
    order = work.fulfillment_order_id
    if scan.word is Word.NO:
        facts = changed(facts, _without(work, line))
        effect: Effect = ShortLine(order, line.line, line.outstanding)
        said = f"{line.name} is short."
    elif scan.word is Word.YES:
        effect = SubstituteLine(order, line.line, line.sku_id, instead.sku_id, quantity)
        facts = changed(facts, with_substitute(work, line, instead, quantity))
        said = f"{instead.name} instead of {line.name}."
    else:
        return refuse(session, facts, f"'{scan.word}' is no answer.")
    return _without_shelf(_walking(session), facts, line.sku_id, missing.reason, said, (effect,))


def with_substitute(work: Work, line: WorkLine, instead: Substitute, quantity: int) -> Work:
    """The order once `quantity` units of a line are another SKU's, as a line of their own after all others."""
    added = WorkLine(
        max(one.line for one in work.lines) + 1,
        instead.sku_id,
        instead.name,
        instead.gtins,
        quantity,
        substitute_of=line.line,
    )
    left = replace(line, short=line.short + quantity, substitutes=_less(line.substitutes, instead, quantity))
    work = work.with_line(left)
    return replace(work, lines=(*work.lines, added))


def _less(substitutes: tuple[Substitute, ...], taken: Substitute, quantity: int) -> tuple[Substitute, ...]:
    return tuple(
        replace(one, spare=one.spare - quantity) if one.sku_id == taken.sku_id else one for one in substitutes
    )


def _without(work: Work, line: WorkLine) -> Work:
    return work.with_line(replace(line, short=line.short + line.outstanding))


def _by_id(facts: PickFacts, order: str) -> Work:
    return next(work for work in orders_of(facts) if work.fulfillment_order_id == order)


def _exception(task: Task, reason: Word) -> NoteException:
    order = task.work.fulfillment_order_id
    return NoteException(
        "short_pick", reason.value, order, task.bin_id, task.line.sku_id, task.lot, task.quantity
    )


def _shelf(facts: PickFacts, task: Task) -> Shelf:
    here = (task.bin_id, task.line.sku_id, task.lot)
    return next(one for one in shelves_of(facts) if (one.bin_id, one.sku_id, one.lot) == here)


def _walking(session: Session) -> Session:
    """No question is open any more: where the person stands is for the walk to say."""
    doing = replace(doing_of(session.doing), asked_why=None)
    return replace(session, step=FloorStep.PICK_BIN, doing=doing)


def _task(session: Session, facts: PickFacts) -> Task:
    task = task_of(facts, session)
    assert task is not None, "CMD-SHORT is said of a pick"
    return task


_Act = Callable[[Session, PickFacts, Task, Word], Answer]
_ACTS: Mapping[Word, _Act] = {
    Word.MISSING: _empty,
    Word.DAMAGED: _ask_how_many,
    Word.EXPIRED: _all_expired,
    Word.BLOCKED: _pass_by,
    Word.UNREADABLE: _pass_by,
    Word.REFUSED: _refuse_goods,
    Word.OTHER: _pass_by,
}
REASONS: tuple[str, ...] = tuple(word.value for word in _ACTS)
