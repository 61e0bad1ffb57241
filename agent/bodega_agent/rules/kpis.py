"""The figures of a node's floor, folded from what its journal says. Pure: events in, figures out.

What each figure means:

- pick rate: base units and pick scans per hour of picking. An associate's hours are the gaps between an event of theirs
  and the next that is a pick; a longer gap than KPI_BREAK_S is a break and counts for nothing.
- pick accuracy: the share of the units picked that packing did not find to be wrong or not there.
- time to pick, pack, ship: from when the customer ordered (or, where nobody has said, from the first that the journal
  tells of the work) to when the last unit was off the shelf, the parcel was closed, and the carrier had it.
- counts' accuracy: the share of counted places (a SKU and lot in a bin) where shelf and book agreed.

Clocks are the node's own and may jump: a gap or a time below zero counts as none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from bodega.limits_floor import KPI_BREAK_S

_HOUR_MS = 3_600_000

# Exceptions that say that a pick was wrong: (kind, reason), any reason where it is empty.
MISPICKS = frozenset({("wrong_item_packed", ""), ("short_pack", "missing")})

# What the work of an order reaches, and what we call the time to it.
REACHED: Mapping[str, str] = {
    "picked": "pick",
    "packed": "pack",
    "shipped": "ship",
    "staged": "stage",
    "collected": "collect",
}


class Picked(NamedTuple):
    """Base units left a shelf for an order."""

    units: int


class Reached(NamedTuple):
    """A fulfillment order went into this state."""

    fulfillment_order_id: str
    state: str


class Noted(NamedTuple):
    """An exception, with the base units concerned."""

    kind: str
    reason: str
    units: int


class Labelled(NamedTuple):
    """A label was asked for: the first of its parcel, or one more, with a reason."""

    copy: int
    reason: str


class Counted(NamedTuple):
    """One SKU and lot of one place was counted, and the count is in force."""

    counted: int
    book: int


Fact: TypeAlias = Picked | Reached | Noted | Labelled | Counted


class Seen(NamedTuple):
    """One event as far as figures need it: when, who, and what; an event that is only work has no facts."""

    at_ms: int
    actor: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Picking:
    """What one associate, or all of them, picked. Rates are None while there is nothing to divide by."""

    units: int = 0
    scans: int = 0
    worked_ms: int = 0

    @property
    def units_per_hour(self) -> float | None:
        """Base units an hour of picking."""
        return self.units * _HOUR_MS / self.worked_ms if self.worked_ms else None

    @property
    def scans_per_hour(self) -> float | None:
        """Pick scans an hour of picking."""
        return self.scans * _HOUR_MS / self.worked_ms if self.worked_ms else None

    def __add__(self, other: Picking) -> Picking:
        return Picking(self.units + other.units, self.scans + other.scans, self.worked_ms + other.worked_ms)


@dataclass(frozen=True, slots=True)
class Lead:
    """Times from the order to a state, in milliseconds: how many, the middle one, and the ninth of ten."""

    orders: int
    p50_ms: int
    p90_ms: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a time; see the module's text. Shares are None while there is nothing to divide by."""

    picking: Mapping[str, Picking] = field(default_factory=dict)
    mispicked: int = 0
    leads: Mapping[str, Lead] = field(default_factory=dict)
    exceptions: Mapping[tuple[str, str], Noted] = field(default_factory=dict)
    exception_counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    labels: int = 0
    reprints: Mapping[str, int] = field(default_factory=dict)
    places_counted: int = 0
    places_right: int = 0
    units_counted_off: int = 0
    units_in_book: int = 0

    @property
    def all_picking(self) -> Picking:
        """Everybody's together."""
        return sum(self.picking.values(), Picking())

    @property
    def pick_accuracy(self) -> float | None:
        """1.0 is perfect."""
        units = self.all_picking.units
        return max(0.0, 1 - self.mispicked / units) if units else None

    @property
    def count_accuracy(self) -> float | None:
        """1.0: every place that was counted held what the book said."""
        return self.places_right / self.places_counted if self.places_counted else None


def figures_of(events: Iterable[Seen], ordered_at_ms: Mapping[str, int]) -> Figures:
    """Fold events, oldest first; `ordered_at_ms`: when customers ordered, by fulfillment order, where that is known."""
    fold = _Fold(ordered_at_ms)
    for event in events:
        fold.take(event)
    return fold.figures()


class _Fold:
    def __init__(self, ordered_at_ms: Mapping[str, int]) -> None:
        self._ordered_at_ms = ordered_at_ms
        self._begun_at_ms: dict[str, int] = {}
        self._last_ms: dict[str, int] = {}
        self._picking: dict[str, Picking] = {}
        self._times: dict[str, list[int]] = {}
        self._noted: dict[tuple[str, str], Noted] = {}
        self._noted_times: Counter[tuple[str, str]] = Counter()
        self._labels = 0
        self._reprints: Counter[str] = Counter()
        self._counted: list[Counted] = []

    def take(self, event: Seen) -> None:
        for fact in event.facts:
            match fact:
                case Picked(units):
                    self._pick(event, units)
                case Reached():
                    self._reach(event.at_ms, fact)
                case Noted(kind, reason, units):
                    before = self._noted.get((kind, reason), Noted(kind, reason, 0))
                    self._noted[kind, reason] = before._replace(units=before.units + units)
                    self._noted_times[kind, reason] += 1
                case Labelled(copy, reason):
                    self._labels += copy == 1
                    self._reprints.update([reason] if copy > 1 else [])
                case Counted():
                    self._counted.append(fact)
        self._last_ms[event.actor] = event.at_ms

    def _pick(self, event: Seen, units: int) -> None:
        gap_ms = event.at_ms - self._last_ms.get(event.actor, event.at_ms)
        worked_ms = gap_ms if 0 <= gap_ms <= KPI_BREAK_S * 1000 else 0
        so_far = self._picking.get(event.actor, Picking())
        self._picking[event.actor] = so_far + Picking(units, 1, worked_ms)

    def _reach(self, at_ms: int, fact: Reached) -> None:
        order = fact.fulfillment_order_id
        begun_ms = self._ordered_at_ms.get(order) or self._begun_at_ms.setdefault(order, at_ms)
        if fact.state in REACHED:
            self._times.setdefault(REACHED[fact.state], []).append(max(0, at_ms - begun_ms))

    def figures(self) -> Figures:
        return Figures(
            picking=dict(sorted(self._picking.items())),
            mispicked=sum(noted.units for noted in self._noted.values() if _is_mispick(noted)),
            leads=dict(self._leads()),
            exceptions=dict(sorted(self._noted.items())),
            exception_counts=dict(sorted(self._noted_times.items())),
            labels=self._labels,
            reprints=dict(sorted(self._reprints.items())),
            places_counted=len(self._counted),
            places_right=sum(one.counted == one.book for one in self._counted),
            units_counted_off=sum(abs(one.counted - one.book) for one in self._counted),
            units_in_book=sum(one.book for one in self._counted),
        )

    def _leads(self) -> Iterator[tuple[str, Lead]]:
        for name in REACHED.values():
            if times := sorted(self._times.get(name, ())):
                yield name, Lead(len(times), _at(times, 50), _at(times, 90))


def _is_mispick(noted: Noted) -> bool:
    return bool({(noted.kind, ""), (noted.kind, noted.reason)} & MISPICKS)


def _at(ordered: list[int], percent: int) -> int:
    """The smallest value that so many percent do not exceed (nearest rank)."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
