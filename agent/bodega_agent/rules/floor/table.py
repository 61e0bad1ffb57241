"""What a flow is made of: a table of moves, and one prompt for each of its steps.

A flow is data. `flows.py` puts all of them into one table; the engine (`engine.py`) walks it, tests walk every pair of
it, and the diagrams of the README are printed from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bodega_agent.rules.floor.answer import Answer
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.prompt import Expect, Tone
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session

Handler = Callable[[Session, Any, Any], Answer]
"""(session, the scan of this row's kind, the facts of this flow) -> answer."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one kind of scan does at one step, and every step that it may lead to.

    `reminds`: it only says again what is wanted; the diagram leaves it out. `role`: who may do it (`facts.LEAD`), empty
    for all; where nobody signs in, everybody may. The engine refuses the others.
    """

    handler: Handler
    to: tuple[FloorStep, ...]
    reminds: bool = False
    role: str = ""


class Shown(NamedTuple):
    """The prompt of a step: its own tone, what to do, what else to know, and what may be scanned."""

    tone: Tone
    text: str
    detail: tuple[str, ...] = ()
    expect: Expect | None = None


class Lost(NamedTuple):
    """What the session works on is not its to work on any more; `said` tells the person."""

    said: str


def _as_it_is(session: Session, _facts: Any) -> Session | Lost:
    return session


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of work.

    `settle` runs before every step of the flow and before its prompt: facts win over the session, so it may correct the
    session, or find that its work is gone.
    """

    name: str
    moves: Mapping[tuple[FloorStep, Kind], Move]
    prompts: Mapping[FloorStep, Callable[[Session, Any], Shown]]
    settle: Callable[[Session, Any], Session | Lost] = field(default=_as_it_is)


def without_scan(handler: Callable[[Session, Any], Answer]) -> Handler:
    """For handlers to whom the scan says nothing more than that it came."""
    return lambda session, _scan, facts: handler(session, facts)


def _say_again(session: Session, _scan: Any, facts: Facts) -> Answer:
    return Answer(session, facts)


def remind(step: FloorStep) -> Move:
    """The scan moves nothing: the prompt is shown again."""
    return Move(_say_again, (step,), reminds=True)
