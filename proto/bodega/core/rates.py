"""The rate card: what a carrier takes for a parcel, when it collects, and which service a parcel goes with.

Dimensional weight is the carriers' rule: cubic centimetres divided by the card's divisor are kilograms, and the
greater of that and the real weight is billed. What is added to the price of a bracket (fuel, a remote area, a home, a
parcel out of size) is a row of the service.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

SERVICE_CLASSES = ("same_day", "next_day", "standard")
"""The sooner the earlier in the list; a service keeps its own class and every later one."""

FUEL = "fuel"
"""What a service's own `surcharge_permille` is called in a quote."""

_FRIDAY = 5
# A carrier that comes once a week still comes after a month of holidays.
_DAYS_AHEAD = range(60)


@dataclass(frozen=True, slots=True)
class Bracket:
    """The price up to a billed weight, inclusive."""

    max_weight_g: int
    price_minor: int


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a price holds; no countries: everywhere, no prefixes: all of them. Brackets: lightest first.

    `origins`: from which groups of nodes, in the network's card; empty: from all.
    """

    zone: str
    countries: tuple[str, ...]
    postal_prefixes: tuple[str, ...]
    brackets: tuple[Bracket, ...]
    transit_days: int
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surcharge:
    """Added where everything that it says holds: an amount, and thousandths of the bracket's price.

    `countries`, `postal_prefixes`: to these places only. `residential`: to homes only. Of the three bounds (0: none)
    one must be exceeded: the longest side, the length plus girth (longest side + 2 x the sum of the others), the real
    weight; a parcel whose sides nobody knows exceeds no bound of sides.
    """

    surcharge: str
    price_minor: int = 0
    permille: int = 0
    countries: tuple[str, ...] = ()
    postal_prefixes: tuple[str, ...] = ()
    residential: bool = False
    longest_over_mm: int = 0
    girth_over_mm: int = 0
    weight_over_g: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a carrier that collects at this node. `collection_days`: ISO weekdays, empty: every day.

    On `holidays` it neither collects nor delivers. `suspended`: the carrier is down, nothing goes with it now.
    `origins`: the groups of nodes where it collects, in the network's card; empty: all.
    """

    service: str
    carrier: str
    service_class: str
    cut_off_minute: int
    collection_days: tuple[int, ...]
    currency: str
    dimensional_divisor: int
    surcharge_permille: int
    zones: tuple[Zone, ...]
    surcharges: tuple[Surcharge, ...] = ()
    holidays: tuple[date, ...] = ()
    suspended: bool = False
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consignment:
    """What is to be sent, and what the order says of it.

    `ship_by`: the last local day to leave, `deliver_by`: the last day to arrive, None: not said. `sides_mm`: of the
    parcel, empty if not known. `residential`: it goes to a home, as parcels of shops do unless somebody says otherwise.
    """

    country: str
    postal_code: str
    weight_g: int
    volume_ml: int = 0
    service: str = ""
    service_class: str = ""
    ship_by: date | None = None
    deliver_by: date | None = None
    sides_mm: tuple[int, ...] = ()
    residential: bool = True


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The node's own day, and the minute of it."""

    day: date
    minute: int


@dataclass(frozen=True, slots=True)
class Added:
    """What one surcharge adds to a price, in minor units."""

    surcharge: str
    price_minor: int


@dataclass(frozen=True, slots=True)
class Quote:
    """One service for one consignment: `ship_date` is the day of the collection that it still reaches.

    `price_minor` = `base_minor` + everything in `added`. `misses`: classes that the service is for, but whose day it
    does not keep any more (its cut-off has passed, a holiday lies between).
    """

    carrier: str
    service: str
    zone: str
    billed_weight_g: int
    price_minor: int
    currency: str
    ship_date: date
    due_date: date
    service_class: str = ""
    base_minor: int = 0
    added: tuple[Added, ...] = ()
    misses: tuple[str, ...] = ()


def choose(
    card: Sequence[Service], sent: Consignment, now: LocalTime, *, without: Collection[str] = ()
) -> Quote | None:
    """The service that the order names, if the card has it for there; else the cheapest that keeps its class.

    Of those that are for that class, the ones that arrive within its days, and by `deliver_by`, come first, then those
    that still leave by `ship_by`; if all arrive too late, the soonest. `without`: carriers that can not be used (they
    have no number left for a parcel). None: nobody takes it.
    """
    offers = quotes_of(card, sent, now, without=without)
    named = [quote for quote in offers if sent.service and quote.service == sent.service]
    keeping = [quote for quote in offers if keeps(quote.service_class, sent.service_class)]

    def rank(quote: Quote) -> tuple[object, ...]:
        late = sent.service_class in quote.misses
        late |= sent.deliver_by is not None and quote.due_date > sent.deliver_by
        gone = sent.ship_by is not None and quote.ship_date > sent.ship_by
        return late, gone, quote.due_date if late else date.min, *preference(quote)

    return min(named or keeping, key=rank, default=None)


def quotes_of(
    card: Sequence[Service], sent: Consignment, now: LocalTime, *, without: Collection[str] = ()
) -> list[Quote]:
    """What every service takes that goes there, in the order of the card."""
    usable = (one for one in card if not one.suspended and one.carrier not in without)
    return [quote for one in usable if (quote := quote_of(one, sent, now)) is not None]


def preference(quote: Quote) -> tuple[int, date, str, str]:
    """The less the better: cheap, then soon, then by name so that everybody chooses the same."""
    return quote.price_minor, quote.due_date, quote.carrier, quote.service


def keeps(service_class: str, wanted: str) -> bool:
    """Whether a service of one class is soon enough for another; a class that nobody knows is the last one."""
    return _rank(service_class) <= _rank(wanted)


def _rank(service_class: str) -> int:
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
    base = min(fitting, key=lambda bracket: bracket.max_weight_g).price_minor
    added = _added(service, sent, base)
    due = after_working_days(leaves, zone.transit_days, service.holidays)
    return Quote(
        service.carrier,
        service.service,
        zone.zone,
        billed_g,
        base + sum(one.price_minor for one in added),
        service.currency,
        leaves,
        due,
        service.service_class,
        base,
        added,
        tuple(one for one in SERVICE_CLASSES if _misses(service, one, now.day, due)),
    )


def _misses(service: Service, service_class: str, today: date, due: date) -> bool:
    last = last_day_of(service_class, today, service.holidays)
    return last is not None and due > last and keeps(service.service_class, service_class)


def _added(service: Service, sent: Consignment, base_minor: int) -> tuple[Added, ...]:
    fuel = Surcharge(FUEL, permille=service.surcharge_permille)
    rows = (fuel, *service.surcharges) if service.surcharge_permille else service.surcharges
    return tuple(
        Added(one.surcharge, one.price_minor + (base_minor * one.permille + 500) // 1000)
        for one in rows
        if _applies(one, sent)
    )


def _applies(one: Surcharge, sent: Consignment) -> bool:
    there = goes_there(one.countries, one.postal_prefixes, sent.country, sent.postal_code) is not None
    return there and (sent.residential or not one.residential) and _is_out_of_size(one, sent)


def _is_out_of_size(one: Surcharge, sent: Consignment) -> bool:
    longest, *others = sorted(sent.sides_mm, reverse=True) or (0,)
    exceeded = (
        (one.longest_over_mm, longest),
        (one.girth_over_mm, longest + 2 * sum(others)),
        (one.weight_over_g, sent.weight_g),
    )
    bounds = [(bound, value) for bound, value in exceeded if bound]
    return not bounds or any(value > bound for bound, value in bounds)


def zone_of(zones: Sequence[Zone], country: str, postal_code: str) -> Zone | None:
    """The zone with the longest postal prefix that fits; of equal ones the one that names the country."""
    found: list[tuple[int, bool, int, Zone]] = []
    for number, zone in enumerate(zones):
        prefix = goes_there(zone.countries, zone.postal_prefixes, country, postal_code)
        if prefix is not None:
            found.append((prefix, bool(zone.countries), -number, zone))
    return max(found, key=lambda one: one[:3])[-1] if found else None


def goes_there(
    countries: Sequence[str], postal_prefixes: Sequence[str], country: str, postal_code: str
) -> int | None:
    """How long a prefix fits (0: none is named, all fit); None if it is another country or another place."""
    if countries and country.upper() not in countries:
        return None
    if not postal_prefixes:
        return 0
    code = _plain(postal_code)
    fitting = [len(prefix) for prefix in map(_plain, postal_prefixes) if code.startswith(prefix)]
    return max(fitting, default=None)


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
        if collects and day not in service.holidays and (ahead > 0 or now.minute < service.cut_off_minute):
            return day
    return None


def after_working_days(day: date, days: int, holidays: Collection[date] = ()) -> date:
    """The day that is so many working days (Monday to Friday, no holiday) later."""
    while days > 0:
        day += timedelta(days=1)
        if day.isoweekday() <= _FRIDAY and day not in holidays:
            days -= 1
    return day


def last_day_of(service_class: str, today: date, holidays: Collection[date] = ()) -> date | None:
    """By when a parcel that is ordered today must arrive to keep its class; None: whenever it does."""
    days = {"same_day": 0, "next_day": 1}.get(service_class)
    return None if days is None else after_working_days(today, days, holidays)
