"""What carriers take for an order, from each of many nodes: reckoned once for all nodes that have the same services.

The services of a node are those that it was given, so that hub and node reckon alike. They are kept here by the hash
of what they say, and found by it: one small query asks who has which.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, KeysView, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bodega.core.parcels import Box, Goods, estimate
from bodega.core.rates import Consignment, LocalTime, Service, quote_of
from bodega.limits_hub import RATE_PROFILES_KEPT_MAX
from bodega.rates_codec import box_from_wire, service_from_wire
from bodega.v1 import catalogue_pb2
from bodega_controlplane.app.shipping.views import Priced, Shippers
from bodega_controlplane.store import rates
from bodega_controlplane.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Sent:
    """What is to be sent: where to, and what. `residential`: to a home."""

    country: str
    postal_code: str
    goods: tuple[Goods, ...]
    residential: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """What shipping knows of the nodes that have it."""

    services: tuple[Service, ...]
    boxes: tuple[Box, ...]
    zone: tzinfo = field(default=UTC)


# By the SHA-256 of what they were made from, so the same in every database.
_PROFILES: dict[str, Profile] = {}


class Shipping(NamedTuple):
    """Which carriers are down, and the hash of the services that each node was given; by node."""

    down: frozenset[str]
    given: Mapping[str, str]


def _shipping(tx: Transaction, node_ids: Collection[str]) -> Shipping:
    return Shipping(frozenset(rates.down(tx)), rates.given(tx, node_ids))


def priced_at(
    tx: Transaction, node_ids: Collection[str], sent: Sent, now_ms: int, shipping: Shipping | None = None
) -> list[Shippers]:
    """Every service that goes there, those of carriers that are down too, from these nodes.

    Nodes that have no carrier, and those that nobody knows, are left out. `shipping`: if it is known already.
    """
    down, given = shipping or _shipping(tx, node_ids)
    alike: dict[str, list[str]] = {}
    for node_id in node_ids:
        if node_id in given:
            alike.setdefault(given[node_id], []).append(node_id)
    profiles = _profiles(tx, alike.keys())
    return [
        Shippers(tuple(names), tuple(_priced(profiles[digest], sent, now_ms, down)))
        for digest, names in alike.items()
    ]


def _priced(profile: Profile, sent: Sent, now_ms: int, down: Collection[str]) -> Iterator[Priced]:
    there = datetime.fromtimestamp(now_ms / 1000, profile.zone)
    now = LocalTime(there.date(), there.hour * 60 + there.minute)
    parcels = estimate(sent.goods, profile.boxes)
    parcel = Consignment(
        sent.country,
        sent.postal_code,
        parcels.weight_g,
        parcels.volume_ml,
        sides_mm=parcels.sides_mm,
        residential=sent.residential,
    )
    for service in profile.services:
        quote = quote_of(service, parcel, now)
        if quote is not None:
            order_by_ms = _moment_ms(quote.ship_date, service.cut_off_minute, profile.zone)
            yield Priced(parcels, quote, order_by_ms, quote.carrier in down)


def _moment_ms(day: date, minute: int, zone: tzinfo) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int((midnight + timedelta(minutes=minute)).timestamp() * 1000)


def _profiles(tx: Transaction, digests: KeysView[str]) -> Mapping[str, Profile]:
    found = {digest: _PROFILES[digest] for digest in digests if digest in _PROFILES}
    missing = digests - found.keys()
    if missing:
        if len(_PROFILES) > RATE_PROFILES_KEPT_MAX:
            _PROFILES.clear()
        read = {digest: _profile(body) for digest, body in rates.bodies(tx, missing).items()}
        _PROFILES.update(read)
        found |= read
    return found


def _profile(body: bytes) -> Profile:
    profile = catalogue_pb2.NodeProfile.FromString(body)
    return Profile(
        tuple(map(service_from_wire, profile.carrier_services)),
        tuple(map(box_from_wire, profile.cartons)),
        ZoneInfo(profile.time_zone) if profile.time_zone else UTC,
    )
