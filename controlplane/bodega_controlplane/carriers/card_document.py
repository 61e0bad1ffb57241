"""What a carrier takes, as people write it into a file: the shape of a service, in a node's profile and in a card."""

from __future__ import annotations

import re
from typing import Any

import attrs

from bodega.v1 import catalogue_pb2


@attrs.frozen
class RateBracket:
    """What a parcel of at most this billed weight costs, in minor units."""

    max_weight_g: int
    price_minor: int


@attrs.frozen
class RateZone:
    """Where prices hold: empty countries or prefixes mean all; brackets lightest first; `origins` as in the card."""

    zone: str
    brackets: list[RateBracket]
    countries: list[str] = attrs.field(factory=list)
    postal_prefixes: list[str] = attrs.field(factory=list)
    transit_days: int = 0
    origins: list[str] = attrs.field(factory=list)


@attrs.frozen
class RateSurcharge:
    """What is added where all that it says holds; fields as in bodega.v1.RateSurcharge."""

    surcharge: str
    price_minor: int = 0
    permille: int = 0
    countries: list[str] = attrs.field(factory=list)
    postal_prefixes: list[str] = attrs.field(factory=list)
    residential: bool = False
    longest_over_mm: int = 0
    girth_over_mm: int = 0
    weight_over_g: int = 0


_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _is_time_of_day(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not _TIME_OF_DAY.fullmatch(value):
        raise ValueError(f"'{attribute.name}' must be a time of day such as 17:30, is {value!r}")


@attrs.frozen
class CarrierService:
    """A service of a carrier: its last collection of the local day, and its rates.

    An empty `currency` and a `dimensional_divisor` of 0 are what a card says for all its services.
    """

    service: str
    carrier: str
    zones: list[RateZone]
    currency: str = ""
    service_class: str = "standard"
    cut_off: str = attrs.field(default="23:59", validator=_is_time_of_day)
    collection_days: list[int] = attrs.field(factory=list)
    dimensional_divisor: int = 0
    surcharge_permille: int = 0
    surcharges: list[RateSurcharge] = attrs.field(factory=list)
    holidays: list[str] = attrs.field(factory=list)
    origins: list[str] = attrs.field(factory=list)


@attrs.frozen
class RateCard:
    """The network's card. `currency`, `dimensional_divisor` and `holidays` are for all services.

    `origins`: groups of nodes by name.
    """

    name: str
    services: list[CarrierService]
    valid_from: str = ""
    currency: str = ""
    dimensional_divisor: int = 0
    holidays: list[str] = attrs.field(factory=list)
    origins: dict[str, list[str]] = attrs.field(factory=dict)


def card_message(card: RateCard) -> catalogue_pb2.RateCard:
    """The message of a card. Raises ValueError, OverflowError for numbers that no field holds."""
    return catalogue_pb2.RateCard(
        name=card.name,
        valid_from=card.valid_from,
        origins=[
            catalogue_pb2.RateOrigin(origin=name, node_ids=node_ids)
            for name, node_ids in sorted(card.origins.items())
        ],
        services=[service_message(_with_shared(card, one)) for one in card.services],
    )


def _with_shared(card: RateCard, one: CarrierService) -> CarrierService:
    return attrs.evolve(
        one,
        currency=one.currency or card.currency,
        dimensional_divisor=one.dimensional_divisor or card.dimensional_divisor,
        holidays=sorted({*card.holidays, *one.holidays}),
    )


def service_message(one: CarrierService) -> catalogue_pb2.CarrierService:
    """The message of a service. Raises ValueError, OverflowError for numbers that no field holds."""
    values = attrs.asdict(one)
    hours, minutes = values.pop("cut_off").split(":")
    zones = [
        catalogue_pb2.RateZone(
            **{**zone, "brackets": [catalogue_pb2.RateBracket(**bracket) for bracket in zone["brackets"]]}
        )
        for zone in values.pop("zones")
    ]
    surcharges = [catalogue_pb2.RateSurcharge(**each) for each in values.pop("surcharges")]
    return catalogue_pb2.CarrierService(
        **values, zones=zones, surcharges=surcharges, cut_off_minute=int(hours) * 60 + int(minutes)
    )


def card_values(card: catalogue_pb2.RateCard) -> dict[str, Any]:
    """A card as its file says it: what `rates show --json` prints can be imported again."""
    return {
        "name": card.name,
        "valid_from": card.valid_from,
        "origins": {one.origin: list(one.node_ids) for one in card.origins},
        "services": [_service_values(one) for one in card.services],
    }


def _service_values(one: catalogue_pb2.CarrierService) -> dict[str, Any]:
    zones = [
        RateZone(
            zone.zone,
            [RateBracket(bracket.max_weight_g, bracket.price_minor) for bracket in zone.brackets],
            list(zone.countries),
            list(zone.postal_prefixes),
            zone.transit_days,
            list(zone.origins),
        )
        for zone in one.zones
    ]
    surcharges = [
        RateSurcharge(
            each.surcharge,
            each.price_minor,
            each.permille,
            list(each.countries),
            list(each.postal_prefixes),
            each.residential,
            each.longest_over_mm,
            each.girth_over_mm,
            each.weight_over_g,
        )
        for each in one.surcharges
    ]
    return attrs.asdict(
        CarrierService(
            one.service,
            one.carrier,
            zones,
            one.currency,
            one.service_class,
            f"{one.cut_off_minute // 60:02}:{one.cut_off_minute % 60:02}",
            list(one.collection_days),
            one.dimensional_divisor,
            one.surcharge_permille,
            surcharges,
            list(one.holidays),
            list(one.origins),
        )
    )
