"""What a carrier's service, and the network's card, may say: every fault at once, each with where it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from bodega.core.promise import ServiceClass
from bodega.limits import RATE_BRACKETS_PER_ZONE_MAX, RATE_ZONES_PER_SERVICE_MAX
from bodega.limits_hub import (
    RATE_CARD_ORIGINS_MAX,
    RATE_CARD_SERVICES_MAX,
    RATE_HOLIDAYS_PER_SERVICE_MAX,
    RATE_PLACES_MAX,
    RATE_PRICE_MINOR_UNITS_MAX,
    RATE_SURCHARGES_PER_SERVICE_MAX,
    RATE_TRANSIT_DAYS_MAX,
)
from bodega.v1 import catalogue_pb2 as pb
from bodega_controlplane.app.checks import Faults

_MINUTES_A_DAY = 24 * 60
_WEEKDAYS = range(1, 8)
_PERMILLE_MAX = 10_000
_UINT32_MAX = 2**32 - 1


def check_card(faults: Faults, card: pb.RateCard, known_nodes: Iterable[str]) -> None:
    """Everything that is wrong with a card; `known_nodes`: the nodes that its groups may name."""
    faults.identifier("card.name", card.name)
    if card.valid_from:
        _check_day(faults, "card.valid_from", card.valid_from)
    groups = _check_origins(faults, card.origins, frozenset(known_nodes))
    faults.count("card.services", card.services, 1, RATE_CARD_SERVICES_MAX)
    check_services(faults, "card.services", card.services)
    for place, one in enumerate(card.services):
        where = f"card.services[{place}]"
        if one.currency != card.services[0].currency:
            faults.add(f"{where}.currency", f"must be {card.services[0].currency}: one card has one currency")
        _check_groups(faults, f"{where}.origins", one.origins, groups)
        for number, zone in enumerate(one.zones):
            _check_groups(faults, f"{where}.zones[{number}].origins", zone.origins, groups)


def _check_origins(
    faults: Faults, origins: Sequence[pb.RateOrigin], known_nodes: frozenset[str]
) -> frozenset[str]:
    faults.count("card.origins", origins, 0, RATE_CARD_ORIGINS_MAX)
    _once(faults, "card.origins", (one.origin for one in origins), "origin")
    for place, one in enumerate(origins):
        for number, node_id in enumerate(one.node_ids):
            if node_id not in known_nodes:
                faults.add(f"card.origins[{place}].node_ids[{number}]", f"is no node: {node_id[:64]!r}")
    return frozenset(one.origin for one in origins)


def _check_groups(faults: Faults, where: str, named: Iterable[str], groups: frozenset[str]) -> None:
    for place, one in enumerate(named):
        if one not in groups:
            faults.add(f"{where}[{place}]", f"is not one of the card's origins: {one[:64]!r}")


def check_services(faults: Faults, where: str, services: Sequence[pb.CarrierService]) -> None:
    """Services of a node or of a card; `where` is the name of the list."""
    _once(faults, where, (one.service for one in services), "service")
    for place, one in enumerate(services):
        _check_service(faults, f"{where}[{place}]", one)


def check_no_origins(faults: Faults, where: str, services: Sequence[pb.CarrierService]) -> None:
    """In a node's own profile nothing is said of other nodes."""
    for place, one in enumerate(services):
        if one.origins or any(zone.origins for zone in one.zones):
            faults.add(
                f"{where}[{place}].origins", "must be empty: groups of nodes are for the network's card"
            )


def _check_service(faults: Faults, where: str, one: pb.CarrierService) -> None:
    faults.identifier(f"{where}.carrier", one.carrier)
    faults.one_of(f"{where}.service_class", one.service_class, tuple(ServiceClass))
    faults.number(f"{where}.cut_off_minute", one.cut_off_minute, 0, _MINUTES_A_DAY - 1)
    for number, day in enumerate(one.collection_days):
        if day not in _WEEKDAYS or day in one.collection_days[:number]:
            faults.add(f"{where}.collection_days[{number}]", f"must be 1 to 7, each once, is {day}")
    if not (len(one.currency) == 3 and are_capitals(one.currency)):
        faults.add(f"{where}.currency", "must be an ISO 4217 code such as EUR")
    faults.number(f"{where}.surcharge_permille", one.surcharge_permille, 0, _PERMILLE_MAX)
    faults.count(f"{where}.surcharges", one.surcharges, 0, RATE_SURCHARGES_PER_SERVICE_MAX)
    for number, surcharge in enumerate(one.surcharges):
        _check_surcharge(faults, f"{where}.surcharges[{number}]", surcharge)
    faults.count(f"{where}.holidays", one.holidays, 0, RATE_HOLIDAYS_PER_SERVICE_MAX)
    for number, day_off in enumerate(one.holidays):
        _check_day(faults, f"{where}.holidays[{number}]", day_off)
    faults.count(f"{where}.zones", one.zones, 1, RATE_ZONES_PER_SERVICE_MAX)
    for number, zone in enumerate(one.zones):
        _check_zone(faults, f"{where}.zones[{number}]", zone)


def _check_surcharge(faults: Faults, where: str, one: pb.RateSurcharge) -> None:
    faults.text(f"{where}.surcharge", one.surcharge)
    faults.number(f"{where}.price_minor", one.price_minor, 0, RATE_PRICE_MINOR_UNITS_MAX)
    faults.number(f"{where}.permille", one.permille, 0, _PERMILLE_MAX)
    if not (one.price_minor or one.permille):
        faults.add(where, "adds nothing: give price_minor or permille")
    _check_places(faults, where, one.countries, one.postal_prefixes)


def _check_zone(faults: Faults, where: str, zone: pb.RateZone) -> None:
    faults.text(f"{where}.zone", zone.zone)
    _check_places(faults, where, zone.countries, zone.postal_prefixes)
    faults.number(f"{where}.transit_days", zone.transit_days, 0, RATE_TRANSIT_DAYS_MAX)
    faults.count(f"{where}.brackets", zone.brackets, 1, RATE_BRACKETS_PER_ZONE_MAX)
    lightest = 1
    for place, bracket in enumerate(zone.brackets):
        faults.number(f"{where}.brackets[{place}].max_weight_g", bracket.max_weight_g, lightest, _UINT32_MAX)
        faults.number(
            f"{where}.brackets[{place}].price_minor", bracket.price_minor, 0, RATE_PRICE_MINOR_UNITS_MAX
        )
        lightest = bracket.max_weight_g + 1


def _check_places(faults: Faults, where: str, countries: Sequence[str], prefixes: Sequence[str]) -> None:
    faults.count(f"{where}.countries", countries, 0, RATE_PLACES_MAX)
    for place, country in enumerate(countries):
        if not (len(country) == 2 and are_capitals(country)):
            faults.add(f"{where}.countries[{place}]", "must be an ISO 3166-1 alpha-2 code such as PT")
    faults.count(f"{where}.postal_prefixes", prefixes, 0, RATE_PLACES_MAX)
    for place, prefix in enumerate(prefixes):
        faults.text(f"{where}.postal_prefixes[{place}]", prefix)


def _check_day(faults: Faults, where: str, day: str) -> None:
    try:
        usual = date.fromisoformat(day).isoformat() == day
    except ValueError:
        usual = False
    if not usual:
        faults.add(where, f"must be a day such as 2026-12-25, is {day[:64]!r}")


def _once(faults: Faults, where: str, names: Iterable[str], field: str) -> None:
    """Each name is an identifier, and there once."""
    seen: set[str] = set()
    for place, name in enumerate(names):
        faults.identifier(f"{where}[{place}].{field}", name)
        if name in seen:
            faults.add(f"{where}[{place}].{field}", f"is there twice: {name}")
        seen.add(name)


def are_capitals(text: str) -> bool:
    """Whether it is letters A to Z only."""
    return text.isascii() and text.isalpha() and text.isupper()
