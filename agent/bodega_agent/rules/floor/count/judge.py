"""What a count is worth: which place is due, what becomes of a line, and how units go over the shelf's dispositions.

A difference within the tolerance is taken as it is; beyond it the place is counted again, and what was counted twice
and still differs much waits for a lead. Each round is held against the book of its own time, never against the round
before: a recount that agrees with the first count has still the whole difference to explain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from bodega.core.ledger import Disposition

_DAY_MS = 24 * 3600 * 1000
# A bin without a velocity class is counted as seldom as the slowest.
_NO_CLASS = "C"


class Cause(StrEnum):
    """Why a place is counted, the most urgent first."""

    RECOUNT = "recount"
    DIGEST = "digest"
    DISCREPANCY = "discrepancy"
    PLAN = "plan"
    RECONCILE = "reconcile"


class Verdict(StrEnum):
    """What becomes of a counted line."""

    POST = "posted"
    # Goods moved there while it was counted: nobody can tell what was counted.
    MOVED = "moved"
    AGAIN = "again"
    HOLD = "held"


class Tolerance(NamedTuple):
    """A difference is small if it is at most so many units, or at most such a part of the book."""

    units: int
    percent: int

    def exceeded(self, counted: int, book: int) -> bool:
        """Whether shelf and book differ by more than both."""
        difference = abs(counted - book)
        return difference > self.units and 100 * difference > self.percent * book


# Every difference is too much.
EXACT = Tolerance(0, 0)


class Look(NamedTuple):
    """A line as it is judged, in base units; see `facts.Line`."""

    counted: int
    book: int
    seen: bool
    looks: int
    moved: bool


def verdict_of(look: Look, recount: Tolerance, approve: Tolerance) -> Verdict:
    """What becomes of a line at the end of a round.

    What the book has there and nobody has looked at is never taken as gone at first, however few they are.
    """
    if look.moved:
        return Verdict.MOVED
    if look.looks:
        return Verdict.HOLD if approve.exceeded(look.counted, look.book) else Verdict.POST
    forgotten = not look.seen and look.book > 0
    return Verdict.AGAIN if forgotten or recount.exceeded(look.counted, look.book) else Verdict.POST


class Due(NamedTuple):
    """A bin as the plan knows it; `counted_at_ms` is 0 if it never was."""

    bin_id: str
    walk_order: int
    velocity_class: str
    counted_at_ms: int


def planned(bins: Iterable[Due], days: Mapping[str, int], now_ms: int) -> list[str]:
    """The bins that the plan asks for, the one that is most overdue for its class first, then in walking order.

    `days` between two counts by velocity class; 0: never by plan.
    """

    def waits(one: Due) -> tuple[float, int, str]:
        every_ms = days[_class_of(one, days)] * _DAY_MS
        overdue = (now_ms - one.counted_at_ms) / every_ms if one.counted_at_ms else float("inf")
        return -overdue, one.walk_order, one.bin_id

    due = [one for one in bins if _is_due(one, days, now_ms)]
    return [one.bin_id for one in sorted(due, key=waits)]


def _is_due(one: Due, days: Mapping[str, int], now_ms: int) -> bool:
    every = days[_class_of(one, days)]
    return every > 0 and (not one.counted_at_ms or now_ms - one.counted_at_ms >= every * _DAY_MS)


def _class_of(one: Due, days: Mapping[str, int]) -> str:
    return one.velocity_class if one.velocity_class in days else _NO_CLASS


class Holding(NamedTuple):
    """Units of one line in one disposition, with their serial numbers where tracked."""

    disposition: str
    quantity: int
    serials: tuple[str, ...] = ()


def allot(
    counted: int, serials: Iterable[str], held: Sequence[Holding], found_as: str = Disposition.SELLABLE
) -> list[Holding]:
    """Spread what was counted over the dispositions that the book has at one place, each named once.

    A person counts units and not dispositions: what the book has on hold or damaged there is taken to be among them,
    and what is for sale bears the difference. Where nothing is for sale, the largest holding does, and at an empty
    place what is there is `found_as`.
    """
    main = _main(held, found_as)
    named = list(serials)
    shares: list[Holding] = []
    left = counted
    for other in held:
        if other.disposition == main:
            continue
        own = tuple(serial for serial in other.serials if serial in named)
        quantity = len(own) if named or other.serials else min(left, other.quantity)
        named = [serial for serial in named if serial not in own]
        shares.append(Holding(other.disposition, quantity, own))
        left -= quantity
    return [*shares, Holding(main, left, tuple(named))]


def _main(held: Sequence[Holding], found_as: str) -> str:
    if not held:
        return found_as
    sellable = next((one for one in held if one.disposition == Disposition.SELLABLE), None)
    return (sellable or max(held, key=lambda one: one.quantity)).disposition
