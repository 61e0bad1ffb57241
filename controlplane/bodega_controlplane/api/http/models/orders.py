"""Orders, as channels send and get them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from bodega.core.lifecycles import OrderState
from bodega.core.parts import PartState
from bodega.limits import (
    ADDRESS_LINES_MAX,
    IDENTIFIER_CHARS_MAX,
    ORDER_LINES_MAX,
    PICKUP_CODE_CHARS_MAX,
    PICKUP_CODE_CHARS_MIN,
    PICKUP_HOLD_MS_MAX,
    QUANTITY_MAX,
    SUBSTITUTES_PER_LINE_MAX,
)
from bodega.limits_hub import ROUTING_SHARES_MAX
from bodega_controlplane.api.http.models.words import (
    COUNTRY,
    LETTERS_AND_DIGITS,
    PLAIN_TEXT,
    Identifier,
    In,
    Text,
    Time,
    like,
    time_of,
)
from bodega_controlplane.app import views


class LocationIn(In):
    """A point on the earth, WGS 84, in degrees."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


_RECIPIENT = {
    "name": "Ana Sousa",
    "address": ["Rua Augusta 1", "2.º Esq."],
    "postal_code": "1100-048",
    "country": "PT",
    "location": {"latitude": 38.7108, "longitude": -9.1372},
}


class RecipientIn(In):
    """Where the parcel goes. Kept with the order and with the node's work, never logged."""

    model_config = like(_RECIPIENT)

    name: Text
    address: list[Text] = Field(min_length=1, max_length=ADDRESS_LINES_MAX)
    postal_code: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_TEXT)]
    country: str = Field(pattern=COUNTRY, description="ISO 3166-1 alpha-2.")
    location: LocationIn

    def recipient(self) -> views.Recipient:
        """The value for the app layer."""
        place = views.GeoPoint(self.location.latitude, self.location.longitude)
        return views.Recipient(self.name, tuple(self.address), self.postal_code, self.country, place)


class OrderLineIn(In):
    """Base units of one SKU. Lines may repeat a SKU; they are summed when stock is promised."""

    sku_id: Identifier
    quantity: int = Field(ge=1, le=QUANTITY_MAX)
    substitutes: list[Identifier] = Field(
        default=[],
        max_length=SUBSTITUTES_PER_LINE_MAX,
        description="SKUs that may be sent instead, unit for unit, the best one first.",
    )


class PickupIn(In):
    """Where the customer fetches the order, and the code to be said there."""

    node_id: Identifier = Field(description="Node where it waits.")
    code: str = Field(
        min_length=PICKUP_CODE_CHARS_MIN,
        max_length=PICKUP_CODE_CHARS_MAX,
        pattern=LETTERS_AND_DIGITS,
        description="What the customer says or shows. The node gets a hash of it; no answer ever holds it.",
        json_schema_extra={"writeOnly": True},
    )
    hold_s: int = Field(
        default=0,
        ge=0,
        le=PICKUP_HOLD_MS_MAX // 1000,
        description="Seconds that it waits once it is there, then it goes back to stock; 0: until a person says so.",
    )


# What orders may say since the first version.
_LATER = (
    "service_class",
    "method",
    "ship_complete",
    "ship_by",
    "pickup",
    "backorder",
    "not_before",
    "parts_max",
)


class OrderIn(In):
    """An order as a sales channel places it."""

    model_config = like(
        {
            "reference": "WEB-10042",
            "lines": [{"sku_id": "TEA-EARL-GREY", "quantity": 2}],
            "recipient": _RECIPIENT,
            "service_class": "next_day",
        }
    )

    reference: Identifier = Field(description="The channel's own reference.")
    lines: list[OrderLineIn] = Field(min_length=1, max_length=ORDER_LINES_MAX)
    recipient: RecipientIn
    service_class: Literal["same_day", "next_day", "standard"] = Field(
        default="standard",
        description="How soon it was promised; where stock runs short, the sooner is kept first.",
    )
    method: Literal["parcel", "courier", "pickup", "locker"] = Field(
        default="parcel",
        description="How the customer gets it; pickup and locker need `pickup`.",
    )
    ship_complete: bool = Field(default=False, description="All of it, or nothing.")
    ship_by: Time | None = Field(
        default=None, description="When it must have left; else the carrier's next collection decides."
    )
    pickup: PickupIn | None = None
    backorder: bool = Field(
        default=False, description="What can not be promised now waits for stock; else the order is refused."
    )
    not_before: Time | None = Field(
        default=None, description="A pre-order: nothing of it is promised or sent before then."
    )
    parts_max: int = Field(
        default=1, ge=1, le=ROUTING_SHARES_MAX, description="How many nodes may share it; 1: it is not split."
    )

    def same_order(self) -> dict[str, Any]:
        """What makes two requests of one key the same: what the first version had, and of all else what was said."""
        said = self.model_dump(mode="json")
        for name in _LATER:
            if said[name] == OrderIn.model_fields[name].default:
                del said[name]
        for line in said["lines"]:
            if not line["substitutes"]:
                del line["substitutes"]
        return said

    def draft(self) -> views.OrderDraft:
        """The value for the app layer."""
        return views.OrderDraft(
            reference=self.reference,
            lines=tuple(
                views.DraftLine(line.sku_id, line.quantity, tuple(line.substitutes)) for line in self.lines
            ),
            recipient=self.recipient.recipient(),
            service_class=self.service_class,
            method=self.method,
            ship_complete=self.ship_complete,
            ship_by_ms=int(self.ship_by.timestamp() * 1000) if self.ship_by else 0,
            backorder=self.backorder,
            not_before_ms=int(self.not_before.timestamp() * 1000) if self.not_before else 0,
            pickup=views.PickupDraft(self.pickup.node_id, self.pickup.code, self.pickup.hold_s * 1000)
            if self.pickup
            else None,
            parts_max=self.parts_max,
        )


class OrderLineOut(BaseModel):
    """One line, numbered from 1; quantities in base units."""

    line: int
    sku_id: str
    quantity: int
    shipped: int = Field(description="Base units handed to the carrier.")
    short: int = Field(description="Base units that were promised and not found on the shelf.")
    substitutes: list[str] = Field(description="SKUs that may be sent instead.")
    kit_line: int = Field(description="For a component of a kit: the kit's line; else 0.")

    @classmethod
    def of(cls, view: views.OrderLineView) -> OrderLineOut:
        """From the app layer's value."""
        return cls(**asdict(view))


class PartOut(BaseModel):
    """What one node at a time is asked for; an order that is split has several."""

    part: int
    state: PartState
    node_id: str = Field(description="Node that has it; empty while nobody has.")
    fulfillment_order_id: str = Field(description="Its newest assignment; empty while nobody has it.")
    lines: list[OrderLineOut]
    parcels: list[str] = Field(description="SSCCs of its parcels, 18 digits each.")

    @classmethod
    def of(cls, view: views.PartView) -> PartOut:
        """From the app layer's value."""
        return cls(**asdict(view))


class OrderOut(BaseModel):
    """An order, without personal data."""

    order_id: str
    channel: str
    reference: str
    state: OrderState
    node_id: str = Field(description="Node that fulfils it, or its first part; empty while nobody does.")
    lines: list[OrderLineOut]
    parcels: list[str] = Field(description="SSCCs of its parcels, 18 digits each.")
    placed_at: datetime
    updated_at: datetime
    service_class: str = Field(description="How soon it was promised.")
    method: str = Field(description="How the customer gets it.")
    ship_complete: bool = Field(description="All of it, or nothing.")
    ship_by: datetime | None = Field(description="When it must have left, if the order says so.")
    parts: list[PartOut] = Field(description="Who serves what; one for an order that is not split.")
    backorder: bool = Field(description="Whether what can not be promised waits for stock.")
    not_before: datetime | None = Field(description="When a pre-order begins, if it is one.")
    parts_max: int = Field(description="How many nodes may share it when it is placed.")

    @classmethod
    def of(cls, view: views.OrderView) -> OrderOut:
        """From the app layer's value."""
        return cls(
            order_id=view.order_id,
            channel=view.channel,
            reference=view.reference,
            state=view.state,
            node_id=view.node_id,
            lines=[OrderLineOut.of(row) for row in view.lines],
            parcels=list(view.parcels),
            placed_at=time_of(view.placed_at_ms),
            updated_at=time_of(view.updated_at_ms),
            service_class=view.service_class,
            method=view.method,
            ship_complete=view.ship_complete,
            ship_by=time_of(view.ship_by_ms) if view.ship_by_ms else None,
            parts=[PartOut.of(one) for one in view.parts],
            backorder=view.backorder,
            not_before=time_of(view.not_before_ms) if view.not_before_ms else None,
            parts_max=view.parts_max,
        )


class OrderPageOut(BaseModel):
    """A page of orders, newest first."""

    orders: list[OrderOut]
    next_cursor: str = Field(description="Cursor of the next page; empty on the last one.")
