"""Which carrier takes a parcel when the hub's choice can not be: the node decides, if the hub's bundle lets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bodega.routing_wire import bundle_message
from support.floor_rig import FloorRig, floor_rig
from support.packing_place import goods, packing_place, picked
from support.routing import document

NO_SOUTH = [{"name": "no-south", "keep": "offer.carrier != 'southpost'", "why": "is not ours to use"}]
ALONE = {"allows": ["carrier"]}


async def closed(rig: FloorRig, *, bundle: dict[str, Any] | None, service: str) -> str:
    """What is said when a parcel is packed at a node with such a bundle, for an order that names a service."""
    await packing_place(rig, cartons=())
    await goods(rig)
    if bundle is not None:
        body = document("edge", 1, **bundle)
        await rig.hub.write(routing_bundle=bundle_message(1, body, b"the hub's"))
    await picked(rig, 1, carrier_service=service)
    return str((await rig.scan("CMD-PACK"))["text"])


@pytest.mark.parametrize(
    ("bundle", "service", "said"),
    [
        # The hub has chosen, and the carrier is there: nobody decides again.
        ({"filters": NO_SOUTH, "edge": ALONE}, "ECO", "It goes with southpost ECO."),
        # It is not there any more: the same rules as at the hub.
        ({"filters": NO_SOUTH, "edge": ALONE}, "GONE", "It goes with northpost NEXT."),
        ({"edge": ALONE}, "GONE", "It goes with southpost ECO."),
        # A bundle may say that no node decides this, and it may have stages of its own for nodes.
        ({"filters": NO_SOUTH}, "GONE", "No carrier of the rate card takes it"),
        ({"filters": NO_SOUTH}, "", "It goes with southpost ECO."),
        (
            {"filters": NO_SOUTH, "edge": ALONE | {"stages": [{"name": "any", "without": ["no-south"]}]}},
            "GONE",
            "It goes with southpost ECO.",
        ),
        # Rules look at the goods and at the place.
        (
            {
                "filters": [{"name": "weight", "keep": "order.weight_g < 100", "why": "is too heavy"}],
                "edge": ALONE,
            },
            "GONE",
            "No carrier of the rate card takes it",
        ),
        # Before the hub has given it a bundle, a node takes the cheapest that keeps the promise.
        (None, "GONE", "It goes with southpost ECO."),
    ],
)
async def test_the_carrier_of_a_parcel(
    tmp_path: Path, bundle: dict[str, Any] | None, service: str, said: str
) -> None:
    async with floor_rig(tmp_path) as rig:
        assert said in await closed(rig, bundle=bundle, service=service)
