"""A small rate card of two carriers for two groups of nodes, and the moment at which its prices are asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bodega.core.parcels import Goods
from bodega.core.routing.inputs import Destination
from bodega.v1 import catalogue_pb2 as pb

MONDAY_MORNING_MS = int(datetime(2026, 11, 23, 10, 0, tzinfo=UTC).timestamp() * 1000)
TO_LISBON = Destination("PT", "1100-060", 38.72, -9.14)
TO_MADEIRA = Destination("PT", "9000-017", 32.65, -16.91)
TEA = (Goods(2, 450, 900),)
"""Two units: 900 g, 1,800 ml."""


def zone(name: str, price_minor: int, *, days: int = 1, **more: Any) -> pb.RateZone:
    """Up to 2 kg at the price, up to 10 kg at twice of it."""
    brackets = [
        pb.RateBracket(max_weight_g=2_000, price_minor=price_minor),
        pb.RateBracket(max_weight_g=10_000, price_minor=2 * price_minor),
    ]
    found = pb.RateZone(zone=name, brackets=brackets, transit_days=days)
    found.MergeFrom(pb.RateZone(**more))
    return found


def service(
    carrier: str, name: str, service_class: str, *zones: pb.RateZone, **more: Any
) -> pb.CarrierService:
    """Collects on working days until 17:00."""
    found = pb.CarrierService(
        service=name,
        carrier=carrier,
        service_class=service_class,
        cut_off_minute=17 * 60,
        currency="EUR",
        zones=zones,
    )
    days = more.pop("collection_days", [1, 2, 3, 4, 5])
    found.MergeFrom(pb.CarrierService(collection_days=days, **more))
    return found


def card(name: str = "winter", **more: Any) -> pb.RateCard:
    """Northpost is sooner and dearer, southpost goes from the south only and takes more for the islands."""
    islands = pb.RateSurcharge(surcharge="islands", price_minor=450, postal_prefixes=["9"])
    services = [
        service("northpost", "EXPRESS", "next_day", zone("PT", 900, countries=["PT"])),
        service(
            "southpost",
            "ECO",
            "standard",
            zone("PT", 400, days=3, countries=["PT"], origins=["south"]),
            surcharge_permille=100,
            surcharges=[islands],
        ),
        service("northpost", "PARCEL", "standard", zone("PT", 500, days=2, countries=["PT"])),
    ]
    origins = [pb.RateOrigin(origin="south", node_ids=["lisbon-01"])]
    values = {"origins": origins, "services": services, **more}
    return pb.RateCard(name=name, **values)
