"""The cached rate card: what a carrier takes for a parcel, when it collects, and which service a parcel goes with.

Dimensional weight is the carriers' rule: cubic centimetres divided by the card's divisor are kilograms, and the
greater of that and the real weight is billed. A surcharge (fuel) is added in thousandths.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

SERVICE_CLASSES = ("same_day", "next_day", "standard")
"""The sooner the earlier in the list; a service keeps its own class and every later one."""

_FRIDAY = 5
_DAYS_AHEAD = range(8)


@dataclass(frozen=True, slots=True)
class Bracket:
    """The price up to a billed weight, inclusive."""

    max_weight_g: int
    price_minor: int


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a price holds; no countries: everywhere, no prefixes: all of them. Brackets: lightest first."""

    zone: str
    countries: tuple[str, ...]
    postal_prefixes: tuple[str, ...]
    brackets: tuple[Bracket, ...]
    transit_days: int


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a carrier that collects at this node. `collection_days`: ISO weekdays, empty: every day."""

    service: str
    carrier: str
    service_class: str
    cut_off_minute: int
    collection_days: tuple[int, ...]
    currency: str
    dimensional_divisor: int
    surcharge_permille: int
    zones: tuple[Zone, ...]


@dataclass(frozen=True, slots=True)
class Consignment:
    """What is to be sent, and what the order says of it. `ship_by`: the last local day to leave, None: not said."""

    country: str
    postal_code: str
    weight_g: int
    volume_ml: int = 0
    service: str = ""
    service_class: str = ""
    ship_by: date | None = None


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The node's own day, and the minute of it."""

    day: date
    minute: int


@dataclass(frozen=True, slots=True)
class Quote:
    """One service for one consignment: `ship_date` is the day of the collection that it still reaches."""

    carrier: str
    service: str
    zone: str
    billed_weight_g: int
    price_minor: int
    currency: str
    ship_date: date
    due_date: date


def choose(
    card: Sequence[Service], sent: Consignment, now: LocalTime, *, without: Collection[str] = ()
) -> Quote | None:
    """The service that the order names, if the card has it for there; else the cheapest that keeps its class.

    Of those that keep it, the ones that still leave by `ship_by` come first. `without`: carriers that have no number
    left for a parcel. None: nobody takes it.
    """
    offers = [
        (service, quote)
        for service in card
        if service.carrier not in without and (quote := quote_of(service, sent, now)) is not None
    ]
    named = [quote for service, quote in offers if sent.service and service.service == sent.service]
    keeping = [
        quote for service, quote in offers if _rank(service.service_class) <= _rank(sent.service_class)
    ]
    in_time = [quote for quote in keeping if sent.ship_by is None or quote.ship_date <= sent.ship_by]
    return min(named or in_time or keeping, key=_preference, default=None)


def _preference(quote: Quote) -> tuple[int, date, str, str]:
    return quote.price_minor, quote.due_date, quote.carrier, quote.service


def _rank(service_class: str) -> int:
    """Position of a class; one that nobody has said, or that is not known, is the last one."""
    known = service_class in SERVICE_CLASSES
    return SERVICE_CLASSES.index(service_class) if known else len(SERVICE_CLASSES) - 1


def quote_of(service: Service, sent: Consignment, now: LocalTime) -> Quote | None:
    """What a service takes; None if it does not go there, or not with so much."""
    zone = zone_of(service.zones, sent.country, sent.postal_code)
    billed_g = billed_weight_g(sent.weight_g, sent.volume_ml, service.dimensional_divisor)
    fitting = [bracket for bracket in zone.brackets if billed_g <= bracket.max_weight_g] if zone else []
    leaves = next_collection(service, now)
    if zone is None or not fitting or leaves is None:
        return None
    price = min(fitting, key=lambda bracket: bracket.max_weight_g).price_minor
    return Quote(
        service.carrier,
        service.service,
        zone.zone,
        billed_g,
        (price * (1000 + service.surcharge_permille) + 500) // 1000,
        service.currency,
        leaves,
        after_working_days(leaves, zone.transit_days),
    )


def zone_of(zones: Sequence[Zone], country: str, postal_code: str) -> Zone | None:
    """The zone with the longest postal prefix that fits; of equal ones the one that names the country."""
    code = _plain(postal_code)
    found: list[tuple[int, bool, int, Zone]] = []
    for number, zone in enumerate(zones):
        prefixes = [len(prefix) for prefix in map(_plain, zone.postal_prefixes) if code.startswith(prefix)]
        there = not zone.countries or country.upper() in zone.countries
        if there and (prefixes or not zone.postal_prefixes):
            found.append((max(prefixes, default=0), bool(zone.countries), -number, zone))
    return max(found, key=lambda one: one[:3])[-1] if found else None


def _plain(postal_code: str) -> str:
    return postal_code.upper().replace(" ", "").replace("-", "")


def billed_weight_g(weight_g: int, volume_ml: int, divisor: int) -> int:
    """The greater of weight and dimensional weight, rounded up to whole grams."""
    dimensional_g = -(-volume_ml * 1000 // divisor) if divisor else 0
    return max(weight_g, dimensional_g)


def next_collection(service: Service, now: LocalTime) -> date | None:
    """The day on which a parcel that is ready now is collected: today before the cut-off, else the next day of them."""
    for ahead in _DAYS_AHEAD:
        day = now.day + timedelta(days=ahead)
        collects = not service.collection_days or day.isoweekday() in service.collection_days
        if collects and (ahead > 0 or now.minute < service.cut_off_minute):
            return day
    return None


def after_working_days(day: date, days: int) -> date:
    """The day that is so many working days (Monday to Friday) later."""
    while days > 0:
        day += timedelta(days=1)
        if day.isoweekday() <= _FRIDAY:
            days -= 1
    return day
