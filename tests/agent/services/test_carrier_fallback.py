"""A node alone: the carrier of an order is down, as its profile says, and the next best service takes the parcel."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.v1 import catalogue_pb2 as wire
from support.floor_rig import floor_rig
from support.packing_place import CARD, goods, packing_place, picked


def down(carrier: str) -> tuple[wire.CarrierService, ...]:
    """The card of the packing place with one carrier down."""
    found = []
    for one in CARD:
        service = wire.CarrierService()
        service.CopyFrom(one)
        service.suspended = one.carrier == carrier
        found.append(service)
    return tuple(found)


@pytest.mark.parametrize(
    ("asked", "without", "takes"),
    [
        ({"carrier_service": "NEXT"}, "", "northpost NEXT"),
        ({}, "", "southpost ECO"),
        ({"carrier_service": "ECO"}, "southpost", "northpost NEXT"),
        ({}, "southpost", "northpost NEXT"),
    ],
)
async def test_the_service_of_the_order_is_taken_and_where_its_carrier_is_down_the_cheapest_that_keeps_its_class(
    tmp_path: Path, asked: dict[str, str], without: str, takes: str
) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig, cartons=(), card=down(without))
        await goods(rig)
        await picked(rig, 1, **asked)
        shown = await rig.scan("CMD-PACK")
        assert f"It goes with {takes}." in shown["text"]


async def test_where_no_other_carrier_keeps_the_class_the_shift_lead_is_told(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig, cartons=(), card=down("northpost"))
        await goods(rig)
        await picked(rig, 1, service_class="next_day")
        assert "No carrier of the rate card takes it" in (await rig.scan("CMD-PACK"))["text"]
