"""What counting and quick reconciling ask the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega_agent.rules.floor.count.facts import Key
from bodega_agent.rules.floor.count.judge import Verdict
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class BeginRound(Effect):
    """A round begins at the journal's head as it is now: its basis. `scope` is empty for all that lies there.

    The first round of a `count_id` makes the count; each key of the scope keeps how often it was looked at.
    """

    logged_as: ClassVar[str] = "count_begun"

    count_id: str
    bin_id: str
    cause: str
    round: int
    scope: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepLine(Effect):
    """So many were counted of this line by now, in this round; nothing is booked yet."""

    logged_as: ClassVar[str] = "line_counted"

    count_id: str
    round: int
    sku_id: str
    lot: str
    counted: int
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A line's verdict. `book` is what it was held against, in all dispositions."""

    sku_id: str
    lot: str
    counted: int
    book: int
    verdict: Verdict
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EndRound(Effect):
    """Each line goes where its verdict says: into the ledger's own `count` (posted, moved), to the lead, or again."""

    logged_as: ClassVar[str] = "count_round_ended"

    count_id: str
    round: int
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Decide(Effect):
    """A lead has looked at a line that waits: it is booked, or it is to be counted again."""

    logged_as: ClassVar[str] = "count_decided"

    count_id: str
    sku_id: str
    lot: str
    approved: bool
