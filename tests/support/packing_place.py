"""A packing place with a list of cartons, two carriers and a rate card, for stories on the real store."""

from __future__ import annotations

import itertools
from typing import Any

from bodega.v1 import catalogue_pb2 as wire
from bodega.v1 import orders_pb2
from bodega_agent.store.floor.look import Equipment
from support.floor_rig import FloorRig
from support.node_under_test import BINS

_VERSIONS = itertools.count(1_000)
CARTONS = (
    wire.Carton(
        carton_id="BOX-S", length_mm=200, width_mm=150, height_mm=100, weight_g=80, max_weight_g=5_000
    ),
    wire.Carton(
        carton_id="BOX-L", length_mm=400, width_mm=300, height_mm=200, weight_g=200, max_weight_g=6_000
    ),
)


def service(carrier: str, name: str, service_class: str, price: int, **more: Any) -> wire.CarrierService:
    """A service to Portugal with one bracket up to 10 kg; collected every day until 16:00."""
    zone = wire.RateZone(
        zone="home",
        countries=["PT"],
        brackets=[wire.RateBracket(max_weight_g=10_000, price_minor=price)],
        transit_days=1 if service_class == "next_day" else 3,
    )
    card = wire.CarrierService(
        carrier=carrier, service=name, service_class=service_class, cut_off_minute=960, currency="EUR"
    )
    card.zones.append(zone)
    card.MergeFrom(wire.CarrierService(**more))
    return card


CARD = (
    service("northpost", "NEXT", "next_day", 700),
    service("southpost", "ECO", "standard", 300),
)
RANGES = (
    wire.TrackingRange(
        carrier="northpost",
        scheme="s10",
        prefix="RA",
        suffix="PT",
        first_number=47_312_482,
        last_number=47_312_490,
        digits=8,
    ),
    wire.TrackingRange(
        carrier="southpost", scheme="mod10", prefix="9", first_number=1, last_number=3, digits=10
    ),
)


async def packing_place(
    rig: FloorRig,
    *,
    cartons: tuple[wire.Carton, ...] = CARTONS,
    card: tuple[wire.CarrierService, ...] = CARD,
    ranges: tuple[wire.TrackingRange, ...] = RANGES,
    last_serial: int = 9_999,
    **more: Any,
) -> None:
    """The node's profile, as the hub sends it. It stands in Lisbon, and it is a Friday morning there."""
    numbers = wire.SsccRange(extension=3, company_prefix="9521234", first_serial=1, last_serial=last_serial)
    await rig.hub.write(
        node_profile=wire.NodeProfile(
            node_id="lisbon-01",
            name="Lisbon",
            ship_from=["Bodega Lisbon", "Rua Augusta 1"],
            sscc_range=numbers,
            bins=[wire.Bin(bin_id=one, walk_order=number) for number, one in enumerate(BINS, start=1)],
            version=next(_VERSIONS),
            cartons=cartons,
            carrier_services=card,
            tracking_ranges=ranges,
            time_zone="Europe/Lisbon",
            **more,
        )
    )


def equip(rig: FloorRig, *, scale: bool = False, slips: bool = False) -> None:
    """What stands at the place; a crash takes it away, as it takes the service."""
    rig.service.equipment = lambda: Equipment(scale, slips)


async def order(rig: FloorRig, number: int, *lines: tuple[str, int], **more: Any) -> str:
    """Work for a customer in Portugal; returns its id."""
    wanted = {"service_class": "standard"} | more
    await rig.hub.write(
        fulfillment_order=orders_pb2.FulfillmentOrder(
            fulfillment_order_id=f"FO-{number}",
            order_id=f"ORD-{number}",
            lines=[
                orders_pb2.OrderLine(line=line, sku_id=sku_id, quantity=quantity)
                for line, (sku_id, quantity) in enumerate(lines, start=1)
            ],
            recipient=orders_pb2.Recipient(
                name="Ana Ribeiro", address=["Rua do Ouro 2"], postal_code="1100-060", country="PT"
            ),
            fencing_token=1,
            **wanted,
        )
    )
    return f"FO-{number}"


async def picked(rig: FloorRig, number: int, **more: Any) -> str:
    """An order of two oat milks and a cup, picked up to CMD-PACK; needs `goods` once."""
    fulfillment_order_id = await order(rig, number, ("OAT", 2), ("CUP", 1), **more)
    await rig.play("CMD-PICK", "A-01-01")
    await rig.item(1)
    await rig.item(1)
    await rig.scan("A-01-02")
    await rig.item(2)
    return fulfillment_order_id


async def goods(rig: FloorRig) -> None:
    """Oat milk of a litre, and a cup that breaks."""
    await rig.hub.sku_of("OAT", 1, weight_g=1_040, volume_ml=1_000)
    await rig.hub.sku_of("CUP", 2, weight_g=300, volume_ml=500, fragile=True)
    await rig.stock("OAT", "A-01-01", 20)
    await rig.stock("CUP", "A-01-02", 20)


async def labelled(rig: FloorRig, closed: dict[str, Any]) -> str:
    """The label is printed, stuck on the parcel that was just closed, and scanned; the SSCC."""
    sscc = str(closed["expect"]["sscc"])
    await rig.printed(sscc)
    shown = await rig.scan(f"00{sscc}", "]C1")
    assert shown["text"].startswith("Parcel of order"), shown["text"]
    return sscc
