"""Which order is picked first: the one whose lorry leaves first, then the one that was promised sooner, then the older.

The deadline of an order is fixed when it comes in: an order that has missed its collection does not get another day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from bodega.limits_floor import PICKUP_READY_MS

# Service classes, the most urgent first; what is not said is standard.
TIERS: Mapping[str, int] = {"same_day": 0, "next_day": 1, "standard": 2}

_WEEK_DAYS = 7


class Collections(NamedTuple):
    """When a carrier collects: `minute` of the local day, on ISO 8601 `weekdays` (1 is Monday; empty: every day)."""

    minute: int
    weekdays: frozenset[int] = frozenset()


class Urgency(NamedTuple):
    """Sorts orders: the smallest is picked first. Times in milliseconds since 1970-01-01 UTC."""

    due_ms: int
    tier: int
    placed_at_ms: int


def urgency_of(
    *,
    placed_at_ms: int,
    ship_by_ms: int = 0,
    method: str = "",
    service_class: str = "",
    collections: Collections | None,
    zone: tzinfo,
) -> Urgency:
    """How urgent an order is; `collections` of its carrier's service, None if the node knows of none.

    A deadline that the hub has set counts as it is. A customer who comes for it waits two hours; a parcel goes with
    the first collection after it was placed, or by midnight of the node if nobody knows the carrier's hours.
    """
    tier = TIERS.get(service_class, TIERS["standard"])
    if ship_by_ms:
        due_ms = ship_by_ms
    elif method in {"pickup", "locker"}:
        due_ms = placed_at_ms + PICKUP_READY_MS
    else:
        due_ms = next_collection_ms(placed_at_ms, collections or _MIDNIGHT, zone)
    return Urgency(due_ms, tier, placed_at_ms)


def next_collection_ms(after_ms: int, collections: Collections, zone: tzinfo) -> int:
    """The first collection later than `after_ms`. The clock on the wall counts, also on days when it is changed."""
    day = datetime.fromtimestamp(after_ms / 1000, UTC).astimezone(zone).date()
    clock = time(*divmod(collections.minute, 60))
    for ahead in range(_WEEK_DAYS + 1):
        date = day + timedelta(days=ahead)
        if collections.weekdays and date.isoweekday() not in collections.weekdays:
            continue
        at_ms = round(datetime.combine(date, clock, zone).timestamp() * 1000)
        if at_ms > after_ms:
            return at_ms
    raise AssertionError("a week has every weekday")


_MIDNIGHT = Collections(0)
