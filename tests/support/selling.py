"""A node that sells by itself: oats, the right to sell them, and the bundle that the hub has put in force."""

from __future__ import annotations

from typing import Any

from bodega.routing_wire import bundle_message
from bodega.v1 import stock_pb2
from support.floor_rig import FloorRig
from support.picking_day import shop
from support.routing import document


async def sells(rig: FloorRig, units: int = 4) -> str:
    """A node with some oats, and the right to sell all of them."""
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", units)
    granted = stock_pb2.RightsGranted(transfer_id="T-1", sku_id=oat, quantity=units)
    await rig.hub.write(rights_granted=granted)
    return oat


async def told(rig: FloorRig, activation: int = 1, **said: Any) -> None:
    """The hub puts a bundle in force."""
    body = document("edge", activation, **said)
    await rig.hub.write(routing_bundle=bundle_message(activation, body, b"the hub's"))


def promise(reservation_id: str, quantity: int) -> dict[str, Any]:
    """A customer comes for it later."""
    line = {"reservation_id": reservation_id, "sku_id": "SKU-1", "quantity": quantity}
    return {"command": "reserve", "reference": "pickup 17", **line}
