"""What a check of a database has found, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: `where` names a table, a chain or a node."""

    where: str
    problem: str


@dataclass(slots=True)
class Findings:
    """All of them, and what was looked at: name -> how many."""

    faults: list[Finding] = field(default_factory=list)
    looked_at: dict[str, int] = field(default_factory=dict)

    def add(self, where: str, problem: str) -> None:
        """Something is wrong."""
        self.faults.append(Finding(where, problem))
