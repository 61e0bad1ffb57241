"""Reconcile one bin: scan it, count it blind, look at the difference and at what could explain it, say yes.

Nothing is booked before the yes. A difference that a lead would have to approve in a count waits for one here too,
unless a lead says the yes.
"""

from __future__ import annotations

from dataclasses import replace

from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.count import steps as counting
from bodega_agent.rules.floor.count.effects import EndRound
from bodega_agent.rules.floor.count.facts import Line
from bodega_agent.rules.floor.count.judge import Verdict
from bodega_agent.rules.floor.effects import NoteException
from bodega_agent.rules.floor.facts import LEAD, TECHNICIAN
from bodega_agent.rules.floor.reconcile.facts import ReconcileFacts
from bodega_agent.rules.floor.scans import BinScan, WordScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.words import Word

# Whose yes needs nobody else's; where nobody signs in, everybody's.
_DECIDES = frozenset({"", LEAD, TECHNICIAN})


def start(session: Session, facts: ReconcileFacts) -> Answer:
    """CMD-RECONCILE."""
    return say(session.at(FloorStep.RECONCILE_BIN), facts, "Reconciling.")


def into_bin(session: Session, _scan: BinScan, facts: ReconcileFacts) -> Answer:
    """The bin that is doubted."""
    return counting.begin(session, facts, FloorStep.RECONCILE_ITEM)


def differing(facts: ReconcileFacts) -> tuple[Line, ...]:
    """Lines whose shelf and book differ."""
    return tuple(line for line in counting.count_of(facts).lines if line.difference)


def done(session: Session, facts: ReconcileFacts) -> Answer:
    """CMD-DONE: what agrees is settled at once; a difference is shown first."""
    if _moved(facts):
        return _again(session, facts, Verdict.AGAIN)
    if not differing(facts):
        return _post(session, facts, "agrees with the book.")
    return say(replace(session, step=FloorStep.RECONCILE_POST), facts)


def answer(session: Session, scan: WordScan, facts: ReconcileFacts) -> Answer:
    """Yes books what was counted; no counts what differs once more."""
    if scan.word is Word.YES:
        return accept(session, facts)
    if scan.word is not Word.NO:
        return refuse(session, facts, f"'{scan.word}' is no answer here.")
    return _again(session, facts, Verdict.AGAIN)


def accept(session: Session, facts: ReconcileFacts) -> Answer:
    """CMD-ACCEPT, or yes: book it, unless goods have moved since."""
    if _moved(facts):
        return _again(session, facts, Verdict.POST)
    return _post(session, facts, "is reconciled.")


def _moved(facts: ReconcileFacts) -> bool:
    return any(line.moved for line in counting.count_of(facts).lines)


def _again(session: Session, facts: ReconcileFacts, otherwise: Verdict) -> Answer:
    """Count once more: where goods moved, and where shelf and book differ unless a person has said yes to that."""
    again = tuple(
        line
        for line in counting.count_of(facts).lines
        if line.moved or (line.difference and otherwise is Verdict.AGAIN)
    )
    ended = _ended(facts, otherwise)
    return counting.again_from(session, facts, again, ended, FloorStep.RECONCILE_ITEM)


def _post(session: Session, facts: ReconcileFacts, said: str) -> Answer:
    count, ended = counting.count_of(facts), _ended(facts, Verdict.POST)
    held = sum(result.verdict is Verdict.HOLD for result in ended.results)
    waits = f" {held} of its lines wait for a lead." if held else ""
    noted = tuple(
        NoteException(
            "reconciled", "", count.count_id, count.bin_id, line.sku_id, line.lot, abs(line.difference)
        )
        for line in differing(facts)
    )
    return say(
        session.at(FloorStep.RECONCILE_BIN),
        replace(facts, count=None),
        f"{count.bin_id} {said}{waits}",
        effects=(ended, *noted),
    )


def _ended(facts: ReconcileFacts, otherwise: Verdict) -> EndRound:
    """The round with a verdict for each line: moved ones are counted again, those that differ go `otherwise`."""

    def verdict(line: Line) -> Verdict:
        if line.moved:
            return Verdict.MOVED
        if not line.difference:
            return Verdict.POST
        large = facts.approve.exceeded(line.counted, line.book)
        waits = otherwise is Verdict.POST and large and facts.role not in _DECIDES
        return Verdict.HOLD if waits else otherwise

    count = counting.count_of(facts)
    results = tuple(counting.result_of(line, verdict(line)) for line in count.lines)
    return EndRound(count.count_id, count.round, results)
