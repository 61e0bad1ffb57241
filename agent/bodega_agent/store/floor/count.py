"""Counting: facts, which reconciling shares, and effects."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.conflicts.count_races import disturbing, told
from bodega.limits_floor import COUNT_PLACES_AHEAD_MAX
from bodega_agent.rules import settings
from bodega_agent.rules.floor.count import effects as ask
from bodega_agent.rules.floor.count import steps
from bodega_agent.rules.floor.count.doing import Counting
from bodega_agent.rules.floor.count.facts import Count, CountFacts, Held, Key, Line, Place
from bodega_agent.rules.floor.count.judge import Cause, Tolerance
from bodega_agent.rules.floor.scans import BinScan, ControlScan, ItemScan, Kind
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.store import catalogue, count_places, count_rounds, counting, counts
from bodega_agent.store.count_rounds import book_at, held_of, place_of
from bodega_agent.store.counts import CountRow
from bodega_agent.store.floor import sessions
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.floor.look import Look
from bodega_agent.store.settings import settings_of
from bodega_agent.store.transaction import Context, Transaction

_CHOOSES = frozenset({FloorStep.COUNT_BIN, FloorStep.RECONCILE_BIN})


def facts(look: Look) -> CountFacts:
    """What the text of `rules.floor.count.facts` says of the step."""
    step, word = look.session.step, _word(look)
    known = CountFacts(count=count_of(look))
    # A round ends here: tolerances, and where to go next.
    ends = step is FloorStep.COUNT_ITEM and word == Kind.DONE
    if ends:
        known = with_tolerances(look, known)
    if step in {FloorStep.IDLE, FloorStep.COUNT_BIN} or ends:
        known = replace(known, places=_places(look))
    if step is FloorStep.COUNT_APPROVE or word == Kind.APPROVE:
        known = replace(known, held=_held(look.tx))
    return with_lots(look, with_scanned(look, known, word))


def with_tolerances(look: Look, known: CountFacts) -> CountFacts:
    """With the settings in force."""
    said = settings_of(look.tx)

    def number(name: str) -> int:
        return settings.number_of(said, name)

    return replace(
        known,
        recount=Tolerance(number(settings.RECOUNT_UNITS), number(settings.RECOUNT_PERCENT)),
        approve=Tolerance(number(settings.APPROVE_UNITS), number(settings.APPROVE_PERCENT)),
    )


def with_scanned(look: Look, known: CountFacts, word: str) -> CountFacts:
    """With the place that was scanned, or suggested and accepted, and the count that begins there."""
    if look.session.step not in _CHOOSES:
        return known
    bin_id = ""
    if isinstance(look.scan, BinScan):
        bin_id = look.scan.bin_id
    elif word == Kind.ACCEPT:
        suggested = steps.suggested(look.session, known)
        bin_id = suggested.bin_id if suggested else ""
    if not bin_id:
        return known
    opens = _opens(look, bin_id, reconcile=look.session.step is FloorStep.RECONCILE_BIN)
    label = catalogue.has_bin(look.tx, bin_id)
    return replace(known, scanned=Place(bin_id, opens.cause, _busy(look, bin_id), label), opens=opens)


def with_lots(look: Look, known: CountFacts) -> CountFacts:
    """With the lots of a scanned SKU that the book has at the counted place."""
    scan = look.scan
    if known.count is None or not isinstance(scan, ItemScan) or not scan.lot_tracked:
        return known
    keys = {line.key for line in known.count.lines}
    return replace(known, lots=tuple(sorted(lot for sku_id, lot in keys if sku_id == scan.sku_id)))


def _word(look: Look) -> str:
    return look.scan.word if isinstance(look.scan, ControlScan) else ""


def count_of(look: Look) -> Count | None:
    """The count that the session is about; at CMD-COUNT, the one that its device has left."""
    doing = look.session.doing
    if isinstance(doing, Counting):
        row = counts.find(look.tx, doing.count_id)
    elif look.session.step is FloorStep.IDLE and _word(look) == Kind.COUNT:
        mine = [row for row in counts.all_open(look.tx) if row.device == look.session.device]
        row = next((row for row in mine if row.cause != Cause.RECONCILE), None)
    else:
        return None
    if row is None or row.state != counts.OPEN:
        return None
    return _count(look.tx, row, ends=ends_round(look))


def ends_round(look: Look) -> bool:
    """Whether what moved is asked for: at the end of a round, and at the preview of a difference."""
    return _word(look) == Kind.DONE or look.session.step is FloorStep.RECONCILE_POST


def _count(tx: Transaction, row: CountRow, *, ends: bool) -> Count:
    rows = {(line.sku_id, line.lot): line for line in counts.lines_of(tx, row.count_id, row.round)}
    lines = []
    for line in _lines(tx, row.bin_id, tuple(rows), whole=row.whole):
        kept = rows.get(line.key)
        if kept is not None:
            line = replace(  # noqa: PLW2901  # the same line, with what was counted of it
                line, counted=kept.counted, seen=kept.seen, serials=kept.serials, looks=kept.looks
            )
        lines.append(replace(line, moved=_moved(tx, row, line)) if ends else line)
    return Count(row.count_id, row.bin_id, row.cause, row.round, row.whole, tuple(lines))


def _lines(tx: Transaction, bin_id: str, named: tuple[Key, ...], *, whole: bool) -> list[Line]:
    """Lines that were named, and of a whole bin all that the book has or somebody doubts there."""
    book = book_at(tx, bin_id)
    keys = set(named)
    if whole:
        keys |= book.keys() | {key for key in count_places.doubted_at(tx, bin_id) if key[0]}
    lines = []
    for key in sorted(keys):
        sku = catalogue.sku_by_id(tx, key[0])
        if sku is None or sku.lot_tracked != bool(key[1]):
            continue
        units = book[key].book if key in book else 0
        lines.append(Line(*key, sku.name or sku.sku_id, units, sku.gtins, serial_tracked=sku.serial_tracked))
    return lines


def _moved(tx: Transaction, row: CountRow, line: Line) -> str:
    place = place_of(row.bin_id, line.key, held_of(tx, row.bin_id, line.key))
    touches = counting.moved_since(tx, place, row.basis_seq)
    if touches is None:
        return "too much has happened since"
    return told(disturbing(touches))


def _busy(look: Look, bin_id: str) -> str:
    """The device at which somebody counts there now, if it is another one."""
    row = counts.open_at(look.tx, bin_id)
    if row is None or row.device == look.session.device or row.device not in look.present:
        return ""
    doing = sessions.load(look.tx, row.device).doing
    return row.device if isinstance(doing, Counting) and doing.count_id == row.count_id else ""


def _opens(look: Look, bin_id: str, *, reconcile: bool) -> Count:
    """The count that begins at a place: the next round of one that was left there, or a new one."""
    tx, row = look.tx, counts.open_at(look.tx, bin_id)
    if row is not None:
        whole = row.whole or reconcile
        named = tuple((line.sku_id, line.lot) for line in counts.lines_of(tx, row.count_id, row.round))
        cause = Cause.RECONCILE.value if reconcile else row.cause
        lines = _lines(tx, bin_id, () if whole else named, whole=whole)
        return Count(row.count_id, bin_id, cause, row.round + 1, whole, tuple(lines))
    cause, scope = (Cause.RECONCILE, ()) if reconcile else count_places.reason_at(tx, bin_id)
    lines = _lines(tx, bin_id, scope, whole=not scope)
    # A doubt about goods that no count can name: count all that lies there.
    whole = not scope or not lines
    lines = lines or _lines(tx, bin_id, (), whole=True)
    return Count(counts.next_id(tx), bin_id, cause.value, 1, whole, tuple(lines))


def _places(look: Look) -> tuple[Place, ...]:
    """Where to count next, without the bin that the session is in."""
    found = []
    for bin_id, cause in count_places.wanted(look.tx):
        if bin_id != look.session.bin_id:
            label = catalogue.has_bin(look.tx, bin_id)
            found.append(Place(bin_id, cause.value, _busy(look, bin_id), label))
        if len(found) == COUNT_PLACES_AHEAD_MAX:
            break
    return tuple(found)


def _held(tx: Transaction) -> tuple[Held, ...]:
    found = []
    for line in counts.held(tx, COUNT_PLACES_AHEAD_MAX):
        row, sku = counts.find(tx, line.count_id), catalogue.sku_by_id(tx, line.sku_id)
        assert row is not None, "a line has its count"
        held = Held(
            line.count_id,
            row.bin_id,
            line.sku_id,
            line.lot,
            sku.name if sku else line.sku_id,
            counts.found_before(tx, line),
            line.book,
            row.actor,
            stale=sku is None or count_rounds.still_stands(tx, row, line) is None,
        )
        found.append(held)
    return tuple(found)


def _begin(tx: Transaction, context: Context, effect: ask.BeginRound) -> None:
    counts.begin_round(
        tx,
        context,
        count_id=effect.count_id,
        bin_id=effect.bin_id,
        cause=effect.cause,
        number=effect.round,
        scope=effect.scope,
    )


def _keep(tx: Transaction, _context: Context, effect: ask.KeepLine) -> None:
    key = (effect.sku_id, effect.lot)
    counts.keep(tx, effect.count_id, effect.round, key, effect.counted, effect.serials)


def _end(tx: Transaction, context: Context, effect: ask.EndRound) -> None:
    row = counts.find(tx, effect.count_id)
    assert row is not None, "the facts of this transaction have read it"
    before = {(line.sku_id, line.lot): line for line in counts.lines_of(tx, row.count_id, effect.round)}
    results = []
    for result in effect.results:
        kept = before.get((result.sku_id, result.lot))
        results.append(
            counts.LineRow(
                row.count_id,
                effect.round,
                result.sku_id,
                result.lot,
                result.counted,
                bool(kept and kept.seen),
                result.serials,
                kept.looks if kept else 0,
                result.verdict.value,
                result.book,
                0,
            )
        )
    count_rounds.end(tx, context, row, results)


def _decide(tx: Transaction, context: Context, effect: ask.Decide) -> None:
    count_rounds.decide(tx, context, effect.count_id, effect.sku_id, effect.lot, approved=effect.approved)


DOES: Doers = {ask.BeginRound: _begin, ask.KeepLine: _keep, ask.EndRound: _end, ask.Decide: _decide}
