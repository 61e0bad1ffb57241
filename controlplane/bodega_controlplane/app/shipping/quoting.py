"""What carriers take for an order, from each of many nodes: reckoned once for all nodes that have the same services.

The services of a node are those that it was given, so that hub and node reckon alike. They are kept here by the hash
of what they say, and found by it: one small query asks who has which.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bodega.core.parcels import Box, Goods, Parcels, estimate
from bodega.core.rates import (
    SERVICE_CLASSES,
    Consignment,
    LocalTime,
    Quote,
    Service,
    keeps,
    last_day_of,
    quote_of,
)
from bodega.limits_hub import RATE_PROFILES_KEPT_MAX
from bodega.rates_codec import box_from_wire, service_from_wire
from bodega.v1 import catalogue_pb2
from bodega_controlplane.app.shipping.views import Priced
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
class Shipper:
    """What shipping knows of the nodes that have one profile of it."""

    services: tuple[Service, ...]
    boxes: tuple[Box, ...]
    zone: tzinfo = field(default=UTC)


# By the SHA-256 of what they were made from, so the same in every database.
_SHIPPERS: dict[str, Shipper] = {}


def priced_at(tx: Transaction, node_ids: Collection[str], sent: Sent, now_ms: int) -> dict[str, list[Priced]]:
    """Every service that goes there, by node, those of carriers that are down too; in the order of the profile."""
    down = rates.down(tx)
    rows = rates.given(tx, node_ids)
    known = _shippers(tx, {row.digest for row in rows})
    reckoned: dict[str, tuple[Parcels, list[tuple[Quote, int, tuple[str, ...]]]]] = {}
    for digest, shipper in known.items():
        parcels = estimate(sent.goods, shipper.boxes)
        reckoned[digest] = parcels, _quotes(shipper, sent, parcels, now_ms)
    found: dict[str, list[Priced]] = {node_id: [] for node_id in node_ids}
    for row in rows:
        parcels, quotes = reckoned[row.digest]
        found[row.node_id] = [
            Priced(row.node_id, parcels, quote, order_by_ms, kept, quote.carrier in down)
            for quote, order_by_ms, kept in quotes
        ]
    return found


def _quotes(
    shipper: Shipper, sent: Sent, parcels: Parcels, now_ms: int
) -> list[tuple[Quote, int, tuple[str, ...]]]:
    there = datetime.fromtimestamp(now_ms / 1000, shipper.zone)
    now = LocalTime(there.date(), there.hour * 60 + there.minute)
    parcel = Consignment(
        sent.country,
        sent.postal_code,
        parcels.weight_g,
        parcels.volume_ml,
        sides_mm=parcels.sides_mm,
        residential=sent.residential,
    )
    found = []
    for service in shipper.services:
        quote = quote_of(service, parcel, now)
        if quote is not None:
            order_by_ms = _moment_ms(quote.ship_date, service.cut_off_minute, shipper.zone)
            found.append((quote, order_by_ms, _kept(service, quote, now.day)))
    return found


def _kept(service: Service, quote: Quote, today: date) -> tuple[str, ...]:
    return tuple(
        one
        for one in SERVICE_CLASSES
        if keeps(service.service_class, one)
        and ((last := last_day_of(one, today, service.holidays)) is None or quote.due_date <= last)
    )


def _moment_ms(day: date, minute: int, zone: tzinfo) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int((midnight + timedelta(minutes=minute)).timestamp() * 1000)


def _shippers(tx: Transaction, digests: Collection[str]) -> Mapping[str, Shipper]:
    found = {digest: _SHIPPERS[digest] for digest in digests if digest in _SHIPPERS}
    missing = digests - found.keys()
    if missing:
        if len(_SHIPPERS) > RATE_PROFILES_KEPT_MAX:
            _SHIPPERS.clear()
        read = {digest: _shipper(body) for digest, body in rates.bodies(tx, missing).items()}
        _SHIPPERS.update(read)
        found |= read
    return found


def _shipper(body: bytes) -> Shipper:
    profile = catalogue_pb2.NodeProfile.FromString(body)
    return Shipper(
        tuple(map(service_from_wire, profile.carrier_services)),
        tuple(map(box_from_wire, profile.cartons)),
        ZoneInfo(profile.time_zone) if profile.time_zone else UTC,
    )


def usable(priced: Iterable[Priced]) -> Sequence[Priced]:
    """Those whose carrier is up."""
    return [one for one in priced if not one.suspended]
