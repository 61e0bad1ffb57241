"""Count a bin, blind: go there, scan what lies there or say how many, CMD-DONE. Every scan is kept at once.

Where goods moved meanwhile, or shelf and book differ by much, the same lines are counted again at once. The prompt
never says what the book has. Quick reconciling shares the scans of goods and numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bodega.limits import QUANTITY_MAX
from bodega.limits_floor import COUNT_LINES_MAX
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.count.doing import Choosing, Counting
from bodega_agent.rules.floor.count.effects import BeginRound, EndRound, KeepLine, Result
from bodega_agent.rules.floor.count.facts import Count, CountFacts, Line, Place
from bodega_agent.rules.floor.count.judge import Look, Verdict, verdict_of
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.prompt import Tone, units
from bodega_agent.rules.floor.scans import BinScan, ItemScan, NumberScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Lost


def start(session: Session, facts: CountFacts) -> Answer:
    """CMD-COUNT: the bin that this device has left half counted first, else the most urgent one."""
    if facts.count is not None:
        count = facts.count
        return say(at_count(session, FloorStep.COUNT_ITEM, count), facts, f"Going on with {count.bin_id}.")
    return say(session.at(FloorStep.COUNT_BIN, doing=Choosing()), facts, "Counting.")


def suggested(session: Session, facts: CountFacts) -> Place | None:
    """Where to count next: what was skipped comes at the end; what somebody counts now does not come."""
    skipped = session.doing.skipped if isinstance(session.doing, Choosing) else ()
    free = [place for place in facts.places if not place.busy]
    order = {bin_id: place for place, bin_id in enumerate(skipped)}
    return min(free, key=lambda place: order.get(place.bin_id, -1), default=None)


def skip(session: Session, facts: CountFacts) -> Answer:
    """CMD-SKIP: another bin first."""
    place = suggested(session, facts)
    if place is None:
        return refuse(session, facts, "There is nothing to skip.")
    skipped = session.doing.skipped if isinstance(session.doing, Choosing) else ()
    kept = (*(bin_id for bin_id in skipped if bin_id != place.bin_id), place.bin_id)[-COUNT_LINES_MAX:]
    return say(replace(session, doing=Choosing(kept)), facts, f"{place.bin_id} comes later.")


def into_bin(session: Session, _scan: BinScan, facts: CountFacts) -> Answer:
    """Any bin may be counted, whether it is due or not."""
    return begin(session, facts, FloorStep.COUNT_ITEM)


def accept(session: Session, facts: CountFacts) -> Answer:
    """CMD-ACCEPT: begin at a place without a label, such as the dock."""
    place = suggested(session, facts)
    if place is None or place.label:
        return refuse(session, facts, "Scan the bin itself.")
    return begin(session, facts, FloorStep.COUNT_ITEM)


def begin(session: Session, facts: CountFacts, step: FloorStep) -> Answer:
    """A round begins at the scanned place, unless somebody else counts there."""
    place, count = facts.scanned, facts.opens
    assert place is not None, "the facts of a bin scan name its place"
    assert count is not None, "and the count that it opens"
    if place.busy:
        return refuse(session, facts, f"{place.bin_id} is being counted at {place.busy}.")
    return _next_round(session, facts, step, count, f"{place.bin_id}.")


def _next_round(
    session: Session,
    facts: CountFacts,
    step: FloorStep,
    count: Count,
    said: str,
    effects: tuple[Effect, ...] = (),
) -> Answer:
    scope = () if count.whole else tuple(line.key for line in count.lines)
    began = BeginRound(count.count_id, count.bin_id, count.cause, count.round, scope)
    tone = Tone.ASK if count.round > 1 else None
    return say(
        at_count(session, step, count),
        replace(facts, count=count),
        said,
        effects=(*effects, began),
        tone=tone,
    )


def at_count(session: Session, step: FloorStep, count: Count) -> Session:
    """The session in a count; a number is about its line if it has only one."""
    key = count.lines[0].key if len(count.lines) == 1 and not count.whole else ("", "")
    return session.at(step, bin_id=count.bin_id, doing=Counting(count.count_id, count.round, *key))


def settle(session: Session, facts: CountFacts) -> Session | Lost:
    """A count that has ended, or that somebody else goes on with, is not this session's any more."""
    doing = session.doing
    if not isinstance(doing, Counting):
        return session
    if facts.count is None or (facts.count.count_id, facts.count.round) != (doing.count_id, doing.round):
        return Lost(f"The count of {session.bin_id} goes on elsewhere.")
    return session


def item(session: Session, scan: ItemScan, facts: CountFacts) -> Answer:
    """One more of it lies there, or a case more; expired and damaged goods lie there, too."""
    count = count_of(facts)
    lots = {scan.lot} if scan.lot or not scan.lot_tracked else set(facts.lots)
    if len(lots) != 1:
        return refuse(session, facts, f"{scan.name} needs its lot: scan the code with the lot (AI 10).")
    if scan.lacks_serial:
        return refuse(session, facts, needs_serial(scan))
    key = (scan.sku_id, lots.pop())
    line = count.line(key) or Line(*key, scan.name, 0, (scan.gtin,), serial_tracked=scan.serial_tracked)
    if not count.whole and count.line(key) is None:
        return refuse(session, facts, f"{line.title} is not counted here now.")
    if scan.serial in line.serials and scan.serial:
        return refuse(session, facts, f"{scan.serial} is counted already.")
    if count.line(key) is None and len(count.lines) >= COUNT_LINES_MAX:
        return refuse(session, facts, f"{COUNT_LINES_MAX} lines are enough for one count: CMD-DONE.")
    if line.counted + scan.quantity > QUANTITY_MAX:
        return refuse(session, facts, f"{QUANTITY_MAX} are too many.")
    found = replace(
        line, counted=line.counted + scan.quantity, seen=True, serials=(*line.serials, *scan.serials)
    )
    return _keep(session, facts, found)


def number(session: Session, scan: NumberScan, facts: CountFacts) -> Answer:
    """So many lie there in all, of what was scanned last."""
    doing = session.doing
    assert isinstance(doing, Counting), "a count is remembered by its id"
    line = count_of(facts).line((doing.sku_id, doing.lot))
    if line is None:
        return refuse(session, facts, "Of what? Scan the thing first.")
    if line.serial_tracked and scan.value:
        return refuse(session, facts, f"{line.name} is counted by its serials: scan each unit's own code.")
    return _keep(session, facts, replace(line, counted=scan.value, seen=True, serials=()))


def _keep(session: Session, facts: CountFacts, line: Line) -> Answer:
    count, doing = count_of(facts), session.doing
    assert isinstance(doing, Counting), "a count is remembered by its id"
    others = tuple(other for other in count.lines if other.key != line.key)
    kept = KeepLine(count.count_id, count.round, *line.key, line.counted, line.serials)
    return say(
        replace(session, doing=replace(doing, sku_id=line.sku_id, lot=line.lot)),
        replace(facts, count=replace(count, lines=(*others, line))),
        f"{units(line.counted, line.title)} so far.",
        effects=(kept,),
    )


def same_bin(session: Session, scan: BinScan, facts: CountFacts) -> Answer:
    """A bin scan while goods are due: the same one reminds, another one must wait."""
    if scan.bin_id == session.bin_id:
        return say(session, facts, f"You are at {scan.bin_id}.")
    return refuse(session, facts, f"First end {session.bin_id}: CMD-DONE.")


def done(session: Session, facts: CountFacts) -> Answer:
    """CMD-DONE: lines are booked, held for a lead, or counted again at once."""
    count = count_of(facts)
    judged = [(line, verdict_of(look_at(line), facts.recount, facts.approve)) for line in count.lines]
    ended = EndRound(count.count_id, count.round, tuple(result_of(*one) for one in judged))
    again = tuple(line for line, verdict in judged if verdict in {Verdict.MOVED, Verdict.AGAIN})
    if again:
        return again_from(session, facts, again, ended, FloorStep.COUNT_ITEM)
    held = sum(verdict is Verdict.HOLD for _line, verdict in judged)
    said = f"{count.bin_id} is counted."
    said += f" {held} of its lines wait for a lead." if held else ""
    session = session.at(FloorStep.COUNT_BIN, doing=Choosing())
    return say(session, replace(facts, count=None), said, effects=(ended,))


def again_from(
    session: Session, facts: CountFacts, again: Sequence[Line], ended: EndRound, step: FloorStep
) -> Answer:
    """The next round begins at once: of these lines only, from zero, and from a new basis."""
    count = count_of(facts)
    moved = "; ".join(f"{line.title}: {line.moved}" for line in again if line.moved)
    said = f"Goods moved while you counted ({moved}). Count again." if moved else "Please count again."
    lines = tuple(
        replace(line, counted=0, seen=False, serials=(), moved="", looks=line.looks + (not line.moved))
        for line in again
    )
    following = replace(count, round=count.round + 1, whole=False, lines=lines)
    return _next_round(session, facts, step, following, said, (ended,))


def look_at(line: Line) -> Look:
    """The line as it is judged."""
    return Look(line.counted, line.book, line.seen, line.looks, bool(line.moved))


def result_of(line: Line, verdict: Verdict) -> Result:
    """The verdict as the store gets it."""
    return Result(line.sku_id, line.lot, line.counted, line.book, verdict, line.serials)


def count_of(facts: CountFacts) -> Count:
    """The count that the session is about."""
    assert facts.count is not None, "a session without its count is lost"
    return facts.count
