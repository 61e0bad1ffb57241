"""The node's copy of what carriers take, as the rules want it; and the numbers that it may give their parcels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from bodega.core.rates import LocalTime, Service
from bodega.limits_floor import TRACKING_NUMBERS_SKIPPED
from bodega.rates_codec import service_from_wire
from bodega.v1 import catalogue_pb2
from bodega_agent.rules import tracking
from bodega_agent.rules.tracking import Series, TrackingRange
from bodega_agent.store.transaction import Transaction


def services(profile: catalogue_pb2.NodeProfile) -> tuple[Service, ...]:
    """The rate card of a profile."""
    return _services(tuple(one.SerializeToString() for one in profile.carrier_services))


@lru_cache(maxsize=4)
def _services(bodies: tuple[bytes, ...]) -> tuple[Service, ...]:
    return tuple(service_from_wire(catalogue_pb2.CarrierService.FromString(body)) for body in bodies)


def local_time(profile: catalogue_pb2.NodeProfile | None, at_ms: int) -> LocalTime:
    """A moment as the node's own clock on the wall shows it."""
    zone = ZoneInfo(profile.time_zone if profile and profile.time_zone else "UTC")
    there = datetime.fromtimestamp(at_ms / 1000, zone)
    return LocalTime(there.date(), there.hour * 60 + there.minute)


def ranges(profile: catalogue_pb2.NodeProfile) -> tuple[TrackingRange, ...]:
    """The tracking numbers of a profile."""
    return tuple(
        TrackingRange(
            one.carrier,
            one.scheme,
            one.prefix,
            one.suffix,
            one.first_number,
            one.last_number,
            one.digits,
        )
        for one in profile.tracking_ranges
    )


def last_serials(tx: Transaction) -> dict[Series, int]:
    """The last serial given of each series."""
    rows = tx.execute("SELECT carrier, prefix, suffix, last_serial FROM tracking_given")
    return {Series(*series): last for *series, last in list(rows)}


def used_up(tx: Transaction, profile: catalogue_pb2.NodeProfile) -> frozenset[str]:
    """Carriers that have no number left for a parcel."""
    return tracking.used_up(ranges(profile), last_serials(tx))


def take_number(tx: Transaction, profile: catalogue_pb2.NodeProfile, carrier: str) -> str:
    """The next tracking number of a carrier, used up with this transaction; empty if it gave the node no range."""
    given = tracking.next_number(ranges(profile), carrier, last_serials(tx))
    if given is None:
        return ""
    _keep(tx, {given.series: given.serial})
    return given.number


def skip_numbers(
    tx: Transaction, profile: catalogue_pb2.NodeProfile | None, used: Mapping[Series, int]
) -> None:
    """Parcels that this ledger has lost may carry numbers after those `used`: go on well behind them.

    Of a range that is nearly used up, at most half of the rest is skipped.
    """
    ends = {one.series: one.last_number for one in (ranges(profile) if profile else ())}
    _keep(
        tx,
        {
            series: last + min(TRACKING_NUMBERS_SKIPPED, max(0, ends.get(series, last) - last) // 2)
            for series, last in used.items()
        },
    )


def _keep(tx: Transaction, last: Mapping[Series, int]) -> None:
    tx.executemany(
        "INSERT INTO tracking_given(carrier, prefix, suffix, last_serial) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET last_serial = max(last_serial, excluded.last_serial)",
        ((*series, serial) for series, serial in last.items()),
    )
