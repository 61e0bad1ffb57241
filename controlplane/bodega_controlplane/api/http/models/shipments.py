"""Who works on an order, and its parcels, as channels get them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from bodega.core.lifecycles import FulfillmentState
from bodega_controlplane.api.http.models.words import time_of
from bodega_controlplane.app.selling import views


class FulfillmentOut(BaseModel):
    """What one node was asked for."""

    fulfillment_order_id: str
    order_id: str
    node_id: str
    part: int = Field(description="Numbers the parts of an order that several nodes serve.")
    state: FulfillmentState
    in_force: bool = Field(description="False for one that was given to another node since.")
    updated_at: datetime

    @classmethod
    def of(cls, view: views.FulfillmentView) -> FulfillmentOut:
        """From the app layer's value."""
        return cls(**_plain(view))


class FulfillmentsOut(BaseModel):
    """Every assignment of an order, the first one first."""

    fulfillment_orders: list[FulfillmentOut]


class ShipmentOut(BaseModel):
    """A parcel."""

    sscc: str = Field(description="Serial shipping container code, 18 digits.")
    order_id: str
    fulfillment_order_id: str
    node_id: str
    state: views.ShipmentState
    carrier: str
    service: str
    tracking_number: str = Field(description="Empty if it has none.")
    weight_g: int = Field(description="In grams; 0 if nobody has weighed it.")
    updated_at: datetime

    @classmethod
    def of(cls, view: views.ShipmentView) -> ShipmentOut:
        """From the app layer's value."""
        return cls(**_plain(view))


class ShipmentsOut(BaseModel):
    """The parcels of an order."""

    shipments: list[ShipmentOut]


class ShipmentPageOut(ShipmentsOut):
    """A page of parcels, by their last change."""

    next_cursor: str = Field(description="Cursor of the next page; empty on the last one.")


def _plain(view: views.FulfillmentView | views.ShipmentView) -> dict[str, Any]:
    fields = asdict(view)
    return fields | {"updated_at": time_of(fields.pop("updated_at_ms"))}
