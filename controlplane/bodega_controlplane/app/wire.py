"""Views <-> the messages that a node gets."""

from __future__ import annotations

import json
from typing import Any

from bodega.v1 import catalogue_pb2, orders_pb2
from bodega_controlplane.app.views import (
    GeoPoint,
    HealthView,
    NodeDraft,
    OrderLineView,
    Recipient,
    SkuView,
    SsccRange,
)


def sku_message(sku: SkuView) -> catalogue_pb2.Sku:
    """The message of a SKU."""
    return catalogue_pb2.Sku(
        sku_id=sku.sku_id,
        name=sku.name,
        gtins=sku.gtins,
        owner=sku.owner,
        lot_tracked=sku.lot_tracked,
        weight_g=sku.weight_g,
        volume_ml=sku.volume_ml,
        version=sku.version,
        serial_tracked=sku.serial_tracked,
        expiry_tracked=sku.expiry_tracked,
        base_unit=sku.base_unit,
        units=[
            catalogue_pb2.Unit(unit=one.unit, base_units=one.base_units, gtins=one.gtins) for one in sku.units
        ],
        units_version=sku.units_version,
        components=[
            catalogue_pb2.KitComponent(sku_id=one.sku_id, quantity=one.quantity) for one in sku.components
        ],
        length_mm=sku.length_mm,
        width_mm=sku.width_mm,
        height_mm=sku.height_mm,
        temperature_class=sku.temperature_class,
        velocity_class=sku.velocity_class,
        fragile=sku.fragile,
    )


def profile_message(draft: NodeDraft, version: int) -> catalogue_pb2.NodeProfile:
    """The message of a node's profile."""
    serials = draft.sscc_range
    return catalogue_pb2.NodeProfile(
        node_id=draft.node_id,
        name=draft.name,
        location=_point(draft.location),
        ship_from=draft.ship_from,
        sscc_range=catalogue_pb2.SsccRange(
            extension=serials.extension,
            company_prefix=serials.company_prefix,
            first_serial=serials.first_serial,
            last_serial=serials.last_serial,
        ),
        bins=[catalogue_pb2.Bin(bin_id=one.bin_id, walk_order=one.walk_order) for one in draft.bins],
        version=version,
    )


def sscc_range_in(profile: bytes) -> SsccRange:
    """The SSCC range in the bytes of a profile."""
    serials = catalogue_pb2.NodeProfile.FromString(profile).sscc_range
    return SsccRange(serials.extension, serials.company_prefix, serials.first_serial, serials.last_serial)


def work_message(
    fulfillment_order_id: str,
    order_id: str,
    lines: tuple[OrderLineView, ...],
    recipient: Recipient,
    fencing_token: int,
) -> orders_pb2.FulfillmentOrder:
    """The message of what one node is asked to ship."""
    return orders_pb2.FulfillmentOrder(
        fulfillment_order_id=fulfillment_order_id,
        order_id=order_id,
        lines=[
            orders_pb2.OrderLine(line=one.line, sku_id=one.sku_id, quantity=one.quantity) for one in lines
        ],
        recipient=orders_pb2.Recipient(
            name=recipient.name,
            address=recipient.address,
            postal_code=recipient.postal_code,
            country=recipient.country,
            location=_point(recipient.location),
        ),
        fencing_token=fencing_token,
    )


def _point(point: GeoPoint) -> catalogue_pb2.GeoPoint:
    return catalogue_pb2.GeoPoint(latitude=point.latitude, longitude=point.longitude)


def recipient_json(recipient: Recipient) -> str:
    """What orders.recipient holds."""
    return json.dumps(
        {
            "name": recipient.name,
            "address": list(recipient.address),
            "postal_code": recipient.postal_code,
            "country": recipient.country,
            "latitude": recipient.location.latitude,
            "longitude": recipient.location.longitude,
        },
        ensure_ascii=False,
    )


def recipient_from_json(text: str) -> Recipient:
    """The inverse of `recipient_json`."""
    values: dict[str, Any] = json.loads(text)
    return Recipient(
        values["name"],
        tuple(values["address"]),
        values["postal_code"],
        values["country"],
        GeoPoint(values["latitude"], values["longitude"]),
    )


def health_json(health: HealthView) -> str:
    """What node.health holds."""
    names = HealthView.__slots__
    return json.dumps({name: getattr(health, name) for name in names}, sort_keys=True)


def health_from_json(text: str) -> HealthView | None:
    """None for the empty text of a node that was never heard of."""
    if not text:
        return None
    values: dict[str, Any] = json.loads(text)
    return HealthView(**{**values, "devices_lost": tuple(values["devices_lost"])})
