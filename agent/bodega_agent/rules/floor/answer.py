"""What a handler answers: the session from now on, effects, and what to say; the engine adds the step's own prompt."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import ItemScan
from bodega_agent.rules.floor.session import Session


@dataclass(frozen=True, slots=True)
class Answer:
    """`facts` are those that the prompt is made from: as they will be once the effects are done.

    `said` stands before the step's own text; `tone` replaces the step's own. `then`: the session to go on with, at any
    step of any flow; its facts are read once the effects are done, and `session` does not count any more.
    """

    session: Session
    facts: Facts
    said: str = ""
    tone: Tone | None = None
    effects: tuple[Effect, ...] = ()
    then: Session | None = None


def say(
    session: Session,
    facts: Facts,
    said: str = "",
    *,
    effects: tuple[Effect, ...] = (),
    tone: Tone | None = None,
    then: Session | None = None,
) -> Answer:
    """An answer whose prompt is `said` followed by what to do next."""
    return Answer(session, facts, said, tone, effects, then)


def refuse(session: Session, facts: Facts, said: str) -> Answer:
    """Nothing moves; the session stays where it is."""
    return Answer(session, facts, said, Tone.ERROR)


def needs_serial(scan: ItemScan) -> str:
    """Every unit of this SKU has a serial number, and the scan did not say which unit it is."""
    return f"{scan.name} needs its serial: scan each unit's own code (AI 21)."
