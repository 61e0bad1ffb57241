"""A lead decides what was counted twice and still differs much: book it, or have it counted once more."""

from __future__ import annotations

from dataclasses import replace

from bodega.limits_floor import COUNT_LINES_MAX
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.count.doing import Deciding
from bodega_agent.rules.floor.count.effects import Decide
from bodega_agent.rules.floor.count.facts import CountFacts, Held
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import Kind, WordScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.words import Word


def start(session: Session, facts: CountFacts) -> Answer:
    """CMD-APPROVE: the line that has waited longest."""
    if not facts.held:
        return say(session, facts, "No count waits for approval.")
    return say(session.at(FloorStep.COUNT_APPROVE, doing=Deciding()), facts)


def shown(session: Session, facts: CountFacts) -> Held | None:
    """The line in question: what was skipped comes at the end."""
    order = {name: place for place, name in enumerate(_skipped(session))}
    return min(facts.held, key=lambda held: order.get(_name(held), -1), default=None)


def approve(session: Session, facts: CountFacts) -> Answer:
    """CMD-ACCEPT, or yes."""
    return _decide(session, facts, approved=True)


def word(session: Session, scan: WordScan, facts: CountFacts) -> Answer:
    """Yes and no."""
    if scan.word not in {Word.YES, Word.NO}:
        return refuse(session, facts, f"'{scan.word}' is no answer here.")
    return _decide(session, facts, approved=scan.word is Word.YES)


def _decide(session: Session, facts: CountFacts, *, approved: bool) -> Answer:
    held = shown(session, facts)
    if held is None:
        return refuse(session, facts, "No count waits for approval any more.")
    good = approved and not held.stale
    said = f"{held.name} in {held.bin_id} is {'booked' if good else 'to be counted again'}."
    if approved and held.stale:
        said = f"The book of {held.bin_id} was changed since. {said}"
    rest = replace(facts, held=tuple(other for other in facts.held if other != held))
    effect = Decide(held.count_id, held.sku_id, held.lot, good)
    left = session if rest.held else session.idle()
    tone = Tone.ASK if approved and not good else Tone.OK if not rest.held else None
    return say(left, rest, said, effects=(effect,), tone=tone)


def skip(session: Session, facts: CountFacts) -> Answer:
    """CMD-SKIP: another one first."""
    held = shown(session, facts)
    if held is None:
        return refuse(session, facts, "There is nothing to skip.")
    kept = (*(name for name in _skipped(session) if name != _name(held)), _name(held))[-COUNT_LINES_MAX:]
    return say(replace(session, doing=Deciding(kept)), facts, "Later.")


def _skipped(session: Session) -> tuple[str, ...]:
    return session.doing.skipped if isinstance(session.doing, Deciding) else ()


def _name(held: Held) -> str:
    return f"{held.count_id}/{held.sku_id}/{held.lot}"


ANSWERS = (Word.YES.value, Word.NO.value, Kind.ACCEPT.value, Kind.SKIP.value, Kind.DONE.value)
