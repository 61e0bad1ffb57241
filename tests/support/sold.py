"""An order over HTTP that has left its node: what the node says of it by hand, parcel and all."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from bodega_controlplane.app.hub import Hub
from support.controlplane import NodeByHand, deliver, work_of
from support.faces import order_body
from support.moved_order import PARCELS, SKU, Hand

TRACKING = "RA000000014PT"


@dataclass
class Sold:
    """The order, the work that its node did, and the node, which may go on."""

    order_id: str
    work_id: str
    sscc: str
    hub: Hub
    node: NodeByHand
    told: int = 0

    def tell(self) -> None:
        """The hub hears what the node has recorded since."""
        deliver(self.hub._store, self.node.delivery(self.told))
        self.told = len(self.node.journal)

    def __post_init__(self) -> None:
        self.told = len(self.node.journal)


async def sell(hub: Hub, shop: httpx.AsyncClient, units: int = 3, *, on_shelf: int = 12) -> Sold:
    """An order of so many units at a hub of `stocked_hub(TEA=on_shelf)`, that nobody has begun."""
    placed = await shop.post("/v1/orders", json=order_body((SKU, units)))
    assert placed.status_code == 201, placed.text
    node = NodeByHand()
    node.shelve(SKU, on_shelf)
    order_id = placed.json()["order_id"]
    return Sold(order_id, work_of(hub._store, order_id), PARCELS[node.node_id], hub, node)


async def ship(hub: Hub, shop: httpx.AsyncClient, units: int = 3, *, on_shelf: int = 12) -> Sold:
    """The same, handed to the carrier with a tracking number."""
    sold = await sell(hub, shop, units, on_shelf=on_shelf)
    hand = Hand(sold.node, sold.work_id, sold.order_id, units)
    record_parcel(sold, "closed")
    hand.ship()
    sold.tell()
    return sold


def record_parcel(sold: Sold, state: str) -> None:
    """The node's word on the parcel."""
    parcel = {
        "sscc": sold.sscc,
        "fulfillment_order_id": sold.work_id,
        "state": state,
        "carrier": "northpost",
        "service": "STANDARD",
        "tracking_number": TRACKING,
        "weight_g": 420,
        "price_minor": 390,
        "currency": "EUR",
    }
    sold.node.record(parcel_advanced=parcel)
