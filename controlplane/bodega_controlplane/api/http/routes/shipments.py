"""Fulfillment orders, parcels and their tracking numbers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from bodega_controlplane.api.http.dependencies import CallerHere, HubHere, OrderId, PageHere, Since
from bodega_controlplane.api.http.models.shipments import (
    FulfillmentOut,
    FulfillmentsOut,
    ShipmentOut,
    ShipmentPageOut,
    ShipmentsOut,
)
from bodega_controlplane.api.http.models.words import DIGITS_OF_SSCC, ms_of
from bodega_controlplane.api.http.openapi import refusals
from bodega_controlplane.app.selling import shipments

router = APIRouter(prefix="/v1", tags=["shipments"])

Sscc = Annotated[str, Path(pattern=DIGITS_OF_SSCC, examples=["356000000000000014"])]


@router.get("/orders/{order_id}/fulfillment-orders", summary="Who works on an order", responses=refusals(404))
async def fulfillment_orders(hub: HubHere, caller: CallerHere, order_id: OrderId) -> FulfillmentsOut:
    """Every assignment, the first one first; those that another node has taken over too."""
    found = await hub.read(lambda tx: shipments.fulfillment_orders_of(tx, caller, order_id))
    return FulfillmentsOut(fulfillment_orders=[FulfillmentOut.of(one) for one in found])


@router.get("/orders/{order_id}/shipments", summary="Parcels of an order", responses=refusals(404))
async def shipments_of_order(hub: HubHere, caller: CallerHere, order_id: OrderId) -> ShipmentsOut:
    """With carrier, service and tracking number."""
    found = await hub.read(lambda tx: shipments.shipments_of(tx, caller, order_id))
    return ShipmentsOut(shipments=[ShipmentOut.of(one) for one in found])


@router.get("/shipments", summary="List parcels by their last change", responses=refusals())
async def list_shipments(
    hub: HubHere, caller: CallerHere, page: PageHere, updated_since: Since = None
) -> ShipmentPageOut:
    """Oldest change first. Pages follow one another through `next_cursor`; it is empty on the last one."""
    since_ms = ms_of(updated_since) or 0
    found = await hub.read(lambda tx: shipments.list_shipments(tx, caller, page, since_ms))
    rows = [ShipmentOut.of(one) for one in found.rows]
    return ShipmentPageOut(shipments=rows, next_cursor=found.next_page_token)


@router.get("/shipments/{sscc}", summary="One parcel", responses=refusals(404))
async def get_shipment(hub: HubHere, caller: CallerHere, sscc: Sscc) -> ShipmentOut:
    """By the code on its label."""
    return ShipmentOut.of(await hub.read(lambda tx: shipments.get_shipment(tx, caller, sscc)))
