"""Views <-> the messages that a node gets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from bodega.core.floor_words import CARRIED, Method
from bodega.v1 import catalogue_pb2, orders_pb2
from bodega_controlplane.app.node_views import NodeDraft, SsccRange
from bodega_controlplane.app.views import (
    GeoPoint,
    HealthView,
    OrderLineView,
    PickupDraft,
    Recipient,
    SkuComponent,
    SkuDraft,
    SkuUnit,
    SkuView,
)
from bodega_controlplane.store.rows import Row


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


def sku_draft(message: catalogue_pb2.Sku) -> SkuDraft:
    """The versions in the message are ignored: the control plane gives them."""
    return SkuDraft(
        sku_id=message.sku_id,
        name=message.name,
        gtins=tuple(message.gtins),
        owner=message.owner,
        lot_tracked=message.lot_tracked,
        serial_tracked=message.serial_tracked,
        expiry_tracked=message.expiry_tracked,
        weight_g=message.weight_g,
        volume_ml=message.volume_ml,
        base_unit=message.base_unit,
        units=tuple(SkuUnit(one.unit, one.base_units, tuple(one.gtins)) for one in message.units),
        components=tuple(SkuComponent(one.sku_id, one.quantity) for one in message.components),
        length_mm=message.length_mm,
        width_mm=message.width_mm,
        height_mm=message.height_mm,
        temperature_class=message.temperature_class,
        velocity_class=message.velocity_class,
        fragile=message.fragile,
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
        bins=[catalogue_pb2.Bin(**asdict(one)) for one in draft.bins],
        version=version,
        cartons=draft.cartons,
        associates=draft.associates,
        carrier_services=draft.carrier_services,
        tracking_ranges=draft.tracking_ranges,
        time_zone=draft.time_zone,
        kind=draft.kind,
        country=draft.country,
        capacity_orders=draft.capacity_orders,
        labels=draft.labels,
    )


def sscc_range_in(profile: bytes) -> SsccRange:
    """The SSCC range in the bytes of a profile."""
    serials = catalogue_pb2.NodeProfile.FromString(profile).sscc_range
    return SsccRange(serials.extension, serials.company_prefix, serials.first_serial, serials.last_serial)


def work_message(
    fulfillment_order_id: str,
    fencing_token: int,
    order: Mapping[str, Any],
    lines: Iterable[OrderLineView],
    carrier_service: str = "",
) -> orders_pb2.FulfillmentOrder:
    """The message of what one node is asked to ship; `order` is its row, with recipient and pickup."""
    recipient = recipient_from_json(order["recipient"])
    return orders_pb2.FulfillmentOrder(
        fulfillment_order_id=fulfillment_order_id,
        order_id=order["order_id"],
        lines=[
            orders_pb2.OrderLine(
                line=one.line, sku_id=one.sku_id, quantity=one.quantity, substitutes=one.substitutes
            )
            for one in lines
        ],
        recipient=orders_pb2.Recipient(
            name=recipient.name,
            address=recipient.address,
            postal_code=recipient.postal_code,
            country=recipient.country,
            location=_point(recipient.location),
        ),
        carrier_service=carrier_service,
        fencing_token=fencing_token,
        service_class=order["service_class"],
        ship_by_ms=order["ship_by_ms"],
        placed_at_ms=order["placed_at_ms"],
        method=Method.PARCEL.value if order["method"] in CARRIED else order["method"],
        ship_complete=order["ship_complete"],
        pickup=_pickup(fulfillment_order_id, order["pickup"]),
    )


def _pickup(fulfillment_order_id: str, kept: str) -> orders_pb2.Pickup | None:
    """What a node may know of a pickup: it can check the code, and can not tell it."""
    if not kept:
        return None
    values: dict[str, Any] = json.loads(kept)
    digest = sha256(f"{fulfillment_order_id}:{values['code']}".encode()).digest()
    return orders_pb2.Pickup(code_sha256=digest, hold_ms=values["hold_ms"])


def pickup_json(pickup: PickupDraft | None) -> str:
    """What orders.pickup holds."""
    if pickup is None:
        return ""
    return json.dumps({"code": pickup.code, "hold_ms": pickup.hold_ms, "node_id": pickup.node_id})


def pickup_node(kept: str) -> str:
    """Where the customer said to come to; empty for a parcel, and for a pickup that was placed before this was kept."""
    return str(json.loads(kept).get("node_id", "")) if kept else ""


def order_line_view(row: Row) -> OrderLineView:
    """A row of order_line."""
    return OrderLineView(
        row.line,
        row.sku_id,
        row.quantity,
        row.shipped,
        row.short,
        tuple(json.loads(row.substitutes)),
        row.kit_line,
    )


def work_line_view(row: Row) -> OrderLineView:
    """A row of fulfillment_line, with what may be sent instead."""
    return OrderLineView(
        row.line, row.sku_id, row.quantity, row.shipped, row.short, tuple(json.loads(row.substitutes))
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
    """The inverse of `recipient_json`; nobody, nowhere, where it has been erased."""
    if not text:
        return Recipient("", (), "", "", GeoPoint(0, 0))
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
