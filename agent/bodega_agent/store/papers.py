"""What stands on the papers of a parcel: its label, with the carrier's part if there is one, and its packing slip."""

from __future__ import annotations

from bodega.core.ledger import parcel_place
from bodega.v1 import orders_pb2
from bodega_adapters.labels import document
from bodega_agent.rules.floor.pack.effects import Closed
from bodega_agent.store import catalogue, parcels, work
from bodega_agent.store.transaction import Transaction


def label_of(tx: Transaction, fulfillment_order_id: str, sscc: str) -> bytes:
    """The label of a parcel, as a `LabelDocument`: with the carrier's part if it has a tracking number."""
    order_id, service, recipient = _addressed(tx, fulfillment_order_id)
    profile = catalogue.profile_of(tx)
    parcel = parcels.find(tx, sscc)
    closed = parcel.closed if parcel else Closed()
    return document.parcel(
        sscc=sscc,
        order_id=order_id,
        ship_to=_ship_to(recipient),
        ship_from=tuple(profile.ship_from) if profile else (),
        service=closed.service or service,
        carrier=closed.carrier,
        tracking_number=parcel.tracking_number if parcel else "",
        weight_g=closed.weight_g,
    ).to_bytes()


def slip_of(tx: Transaction, fulfillment_order_id: str, sscc: str) -> bytes:
    """What lies in a parcel, for its customer, as a `LabelDocument`."""
    order_id, _service, recipient = _addressed(tx, fulfillment_order_id)
    profile = catalogue.profile_of(tx)
    inside: dict[str, int] = {}
    for goods in work.staged_goods(tx, parcel_place(sscc)):
        inside[goods.sku_id] = inside.get(goods.sku_id, 0) + goods.quantity
    items = tuple(f"{quantity} x {sku_id}  {_name_of(tx, sku_id)}" for sku_id, quantity in inside.items())
    values = {
        "site": (profile.name,) if profile and profile.name else (),
        "order_id": (order_id,),
        "ship_to": _ship_to(recipient),
        "items": items,
        "sscc": (sscc,),
    }
    return document.of_layout(document.PACKING_SLIP, values).to_bytes()


def _name_of(tx: Transaction, sku_id: str) -> str:
    sku = catalogue.sku_by_id(tx, sku_id)
    return sku.name if sku else ""


def _addressed(tx: Transaction, fulfillment_order_id: str) -> tuple[str, str, orders_pb2.Recipient]:
    """(order, carrier service that it asks for, recipient)."""
    row = tx.one(
        "SELECT order_id, carrier_service, recipient FROM fulfillment_order WHERE fulfillment_order_id = ?",
        (fulfillment_order_id,),
    )
    assert row is not None, "a parcel is only packed for a known fulfillment order"
    return row[0], row[1], orders_pb2.Recipient.FromString(row[2])


def _ship_to(recipient: orders_pb2.Recipient) -> tuple[str, ...]:
    town = f"{recipient.postal_code} {recipient.country}".strip()
    return (recipient.name, *recipient.address, town)
