"""State machines as data: a dict from (state, event) to the next state, and nothing else.

An event that the table does not list is illegal and changes nothing. The README diagrams are
printed from these tables and compared in CI; tests walk every pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from bodega.errors import Refused

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


class IllegalTransition(Refused):
    """The state machine has no such step from here; nothing was changed."""

    code = "illegal-transition"


@dataclass(frozen=True)
class StateTable(Generic[S, E]):
    """A named machine: every legal step, where it starts, and where it may rest for good."""

    name: str
    states: type[S]
    events: type[E]
    start: S
    steps: Mapping[tuple[S, E], S]
    terminal: frozenset[S]

    def allows(self, state: S, event: E) -> bool:
        """Whether `event` is legal in `state`."""
        return (state, event) in self.steps

    def step(self, state: S, event: E) -> S:
        """The next state; raises IllegalTransition, naming what would have been legal."""
        following = self.steps.get((state, event))
        if following is None:
            legal = ", ".join(e for (s, e) in self.steps if s is state) or "nothing: it is final"
            raise IllegalTransition(
                f"{self.name}: '{event}' is not possible in state '{state}'", hint=f"possible here: {legal}"
            )
        return following

    def mermaid(self) -> str:
        """The diagram for the README, one line per step, in table order."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.start}"]
        lines += [f"    {state} --> {after}: {event}" for (state, event), after in self.steps.items()]
        lines += [f"    {state} --> [*]" for state in self.states if state in self.terminal]
        return "\n".join(lines)
