"""A question as the rules look at it: lines of one SKU summed, days counted from today, each node with its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from bodega.core.rates import keeps
from bodega.core.routing.choice import Reason
from bodega.core.routing.inputs import Inputs, Line, Offer, Site
from bodega.core.routing.places import distance_km

_DAY_MS = 24 * 3600 * 1000
_EPOCH = date(1970, 1, 1)
# No place is further from UTC than that.
_AHEAD_MS_MAX = 14 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Item:
    """All units asked of one SKU, and the lines that ask for them."""

    sku_id: str
    quantity: int
    lines: tuple[Line, ...]

    @property
    def line(self) -> Line:
        """The first of them, for what is true of the SKU."""
        return self.lines[0]

    def by_line(self, taken: int, passed: int) -> Iterator[tuple[int, int]]:
        """Line numbers with the units of `taken` that go to each, the first `passed` units having gone elsewhere."""
        for line in self.lines:
            here = min(taken, max(0, line.quantity - passed))
            passed = max(0, passed - line.quantity)
            taken -= here
            if here:
                yield line.line, here


@dataclass(frozen=True, slots=True)
class Question:
    """The inputs, and what follows from them alone."""

    inputs: Inputs
    items: tuple[Item, ...]

    @classmethod
    def of(cls, inputs: Inputs) -> Question:
        """Items by SKU, lines by number."""
        by_sku: dict[str, list[Line]] = {}
        for line in sorted(inputs.lines, key=lambda one: one.line):
            by_sku.setdefault(line.sku_id, []).append(line)
        items = (
            Item(sku_id, sum(line.quantity for line in lines), tuple(lines))
            for sku_id, lines in sorted(by_sku.items())
        )
        return cls(inputs, tuple(items))

    def keeps_class(self, offer: Offer) -> bool:
        """Whether the service is at least as soon as the class of the order, and arrives within its days."""
        wanted = self.inputs.service_class
        return wanted not in offer.misses and keeps(offer.service_class, wanted)


def _day_of(moment_ms: int) -> date:
    return _EPOCH + timedelta(days=moment_ms // _DAY_MS)


def _ahead_of_utc_ms(now_ms: int, site: Site) -> int:
    """How far the node's clock is ahead of UTC, from its own minute and weekday; 0 where they say nothing, or nonsense.

    A change of its clock that lies between now and the moment asked about is not known of.
    """
    if site.local_minute < 0 or not site.weekday:
        return 0
    days = (site.weekday - _day_of(now_ms).isoweekday() + 8) % 7 - 1
    ahead_ms = (days * 1440 + site.local_minute - now_ms // 60_000 % 1440) * 60_000
    return ahead_ms if abs(ahead_ms) <= _AHEAD_MS_MAX else 0


@dataclass(slots=True)
class Candidate:
    """A node and what its judgement has found so far. `gives`: units by SKU that it may serve of what is asked.

    `refused`: why it may not serve at all; `lacks`: what it cannot serve, SKU by SKU, the first of them; `stock_used`:
    the greatest share of what it may promise of a SKU that the order takes; `rank`: the lower the better.
    """

    question: Question
    site: Site
    distance_km: float = 0.0
    gives: dict[str, int] = field(default_factory=dict)
    covers_all: bool = True
    stock_used: float = 0.0
    offers: list[Offer] = field(default_factory=list)
    refused: list[Reason] = field(default_factory=list)
    lacks: list[Reason] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    rank: tuple[float, ...] = ()

    @classmethod
    def of(cls, question: Question, site: Site) -> Candidate:
        """A node that nothing is known of yet but how far it is."""
        place = question.inputs.destination
        away = distance_km(place.latitude, place.longitude, site.latitude, site.longitude)
        return cls(question, site, round(away, 3))

    def days_until(self, day: str) -> int:
        """Days from the node's own today to a day."""
        return (date.fromisoformat(day) - self._day_of(self.question.inputs.now_ms)).days

    def in_time(self, offer: Offer) -> bool:
        """Whether it leaves by the day that the order says, as the node's calendar has it."""
        by = self.question.inputs.ship_by_ms
        return by == 0 or date.fromisoformat(offer.ship_date) <= self._day_of(by)

    def preference(self, offer: Offer) -> tuple[bool, bool, str, int, str, str, str]:
        """Of several services the least: what keeps the promise, then the cheapest; if all are late, the soonest."""
        late, gone = not self.question.keeps_class(offer), not self.in_time(offer)
        soon = offer.due_date if late else ""
        return late, gone, soon, offer.price_minor, offer.due_date, offer.carrier, offer.service

    def _day_of(self, moment_ms: int) -> date:
        return _day_of(moment_ms + _ahead_of_utc_ms(self.question.inputs.now_ms, self.site))

    @property
    def offer(self) -> Offer | None:
        """The best carrier service of those that may be chosen."""
        return self.offers[0] if self.offers else None
