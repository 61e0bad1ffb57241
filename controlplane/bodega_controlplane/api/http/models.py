"""What the storefront sends and gets, as pydantic models: shapes and bounds, no rules.

Models are strict (no "5" for 5), refuse unknown fields, and take plain text only: no control characters
and no angle brackets, so that a name can go on a label or a page without becoming markup there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from bodega.core.lifecycles import OrderState
from bodega.limits import (
    ADDRESS_LINES_MAX,
    CATALOGUE_ROWS_MAX,
    COMPONENTS_PER_SKU_MAX,
    GTINS_PER_SKU_MAX,
    IDENTIFIER_CHARS_MAX,
    ORDER_LINES_MAX,
    PICKUP_CODE_CHARS_MAX,
    PICKUP_CODE_CHARS_MIN,
    PICKUP_HOLD_MS_MAX,
    QUANTITY_MAX,
    SUBSTITUTES_PER_LINE_MAX,
    TEXT_CHARS_MAX,
    UNITS_PER_SKU_MAX,
)
from bodega_controlplane.app import views

PLAIN_TEXT = r"^[^<>\x00-\x1f\x7f]*$"
PLAIN_WORD = r"^[!-;=?-~]*$"  # visible ASCII without "<" and ">"

Identifier = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_WORD)]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX, pattern=PLAIN_TEXT)]
Measure = Annotated[int, Field(ge=0, le=2**32 - 1)]


def _is_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be an ISO 8601 time, as a text")  # noqa: TRY004 - pydantic makes faults of ValueErrors
    return value


# JSON has no times: a strict model would take none at all, and a lax one would take numbers too.
Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_is_text)]


class _In(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


Gtin = Annotated[str, Field(pattern=r"^[0-9]{8,14}$")]


class SkuUnitIn(_In):
    """A larger unit that the SKU is handled in."""

    unit: Identifier = Field(description="Name, such as case; unique within the SKU.")
    base_units: int = Field(ge=1, le=QUANTITY_MAX, description="Base units in one of it.")
    gtins: list[Gtin] = Field(default=[], max_length=GTINS_PER_SKU_MAX)


class SkuComponentIn(_In):
    """One part of a kit."""

    sku_id: Identifier
    quantity: int = Field(ge=1, le=QUANTITY_MAX, description="Base units of it in one kit.")


class SkuIn(_In):
    """A SKU to add or replace."""

    sku_id: Identifier
    name: Text
    gtins: list[Gtin] = Field(default=[], max_length=GTINS_PER_SKU_MAX, description="GTINs of one base unit.")
    owner: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_TEXT)] = Field(
        default="", description="Brand or merchant that owns the stock; it can not change later."
    )
    lot_tracked: bool = False
    serial_tracked: bool = Field(default=False, description="Every unit has a serial number of its own.")
    expiry_tracked: bool = Field(default=False, description="Lots have an expiry; needs lot_tracked.")
    base_unit: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_WORD)] = Field(
        default="", description="Name of the base unit; empty means each."
    )
    units: list[SkuUnitIn] = Field(default=[], max_length=UNITS_PER_SKU_MAX)
    components: list[SkuComponentIn] = Field(
        default=[], max_length=COMPONENTS_PER_SKU_MAX, description="Parts, if it is a kit."
    )
    weight_g: Measure = Field(default=0, description="Weight of one base unit in grams; 0 if not known.")
    volume_ml: Measure = Field(
        default=0, description="Volume of one base unit in millilitres; 0 if not known."
    )
    length_mm: Measure = Field(default=0, description="Outer length of one base unit; 0 if not known.")
    width_mm: Measure = Field(default=0, description="Outer width of one base unit; 0 if not known.")
    height_mm: Measure = Field(default=0, description="Outer height of one base unit; 0 if not known.")
    temperature_class: Literal["", "ambient", "chilled", "frozen"] = Field(
        default="", description="How cold it is kept; empty means ambient."
    )
    velocity_class: Literal["", "A", "B", "C"] = Field(
        default="", description="How often it is asked for, A most; empty means C."
    )
    fragile: bool = Field(default=False, description="It needs padding in a parcel.")

    def draft(self) -> views.SkuDraft:
        """The value for the app layer."""
        plain = self.model_dump(exclude={"gtins", "units", "components"})
        return views.SkuDraft(
            **plain,
            gtins=tuple(self.gtins),
            units=tuple(views.SkuUnit(one.unit, one.base_units, tuple(one.gtins)) for one in self.units),
            components=tuple(views.SkuComponent(one.sku_id, one.quantity) for one in self.components),
        )


class CatalogueIn(_In):
    """SKUs to add or replace, all or nothing."""

    skus: list[SkuIn] = Field(min_length=1, max_length=CATALOGUE_ROWS_MAX)


class CatalogueOut(BaseModel):
    """What came of it."""

    changed: int = Field(description="Number of SKUs that are new or changed.")


class LocationIn(_In):
    """A point on the earth, WGS 84, in degrees."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class RecipientIn(_In):
    """Where the parcel goes. Kept with the order and with the node's work, never logged."""

    name: Text
    address: list[Text] = Field(min_length=1, max_length=ADDRESS_LINES_MAX)
    postal_code: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_TEXT)]
    country: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")
    location: LocationIn


class OrderLineIn(_In):
    """Base units of one SKU. Lines may repeat a SKU; they are summed when stock is promised."""

    sku_id: Identifier
    quantity: int = Field(ge=1, le=QUANTITY_MAX)
    substitutes: list[Identifier] = Field(
        default=[],
        max_length=SUBSTITUTES_PER_LINE_MAX,
        description="SKUs that may be sent instead, unit for unit, the best one first.",
    )


class PickupIn(_In):
    """Where the customer fetches the order, and the code to be said there."""

    node_id: Identifier = Field(description="Node where it waits.")
    code: str = Field(
        min_length=PICKUP_CODE_CHARS_MIN,
        max_length=PICKUP_CODE_CHARS_MAX,
        pattern=r"^[0-9A-Za-z]+$",
        description="What the customer says or shows. The node gets a hash of it; no answer ever holds it.",
        json_schema_extra={"writeOnly": True},
    )
    hold_s: int = Field(
        default=0,
        ge=0,
        le=PICKUP_HOLD_MS_MAX // 1000,
        description="Seconds that it waits once it is there, then it goes back to stock; 0: until a person says so.",
    )


class OrderIn(_In):
    """An order as a sales channel places it."""

    reference: Identifier = Field(description="The channel's own reference.")
    lines: list[OrderLineIn] = Field(min_length=1, max_length=ORDER_LINES_MAX)
    recipient: RecipientIn
    service_class: Literal["same_day", "next_day", "standard"] = Field(
        default="standard",
        description="How soon it was promised; where stock runs short, the sooner is kept first.",
    )
    method: Literal["parcel", "pickup", "locker"] = Field(
        default="parcel", description="How the customer gets it; pickup and locker need `pickup`."
    )
    ship_complete: bool = Field(default=False, description="All of it, or nothing.")
    ship_by: Time | None = Field(
        default=None, description="When it must have left; else the carrier's next collection decides."
    )
    pickup: PickupIn | None = None

    def same_order(self) -> dict[str, Any]:
        """What makes two requests of one key the same: what the first version had, and of all else what was said."""
        said = self.model_dump(mode="json")
        for name in ("service_class", "method", "ship_complete", "ship_by", "pickup"):
            if said[name] == OrderIn.model_fields[name].default:
                del said[name]
        for line in said["lines"]:
            if not line["substitutes"]:
                del line["substitutes"]
        return said

    def draft(self) -> views.OrderDraft:
        """The value for the app layer."""
        to = self.recipient
        return views.OrderDraft(
            reference=self.reference,
            lines=tuple(
                views.DraftLine(line.sku_id, line.quantity, tuple(line.substitutes)) for line in self.lines
            ),
            recipient=views.Recipient(
                name=to.name,
                address=tuple(to.address),
                postal_code=to.postal_code,
                country=to.country,
                location=views.GeoPoint(to.location.latitude, to.location.longitude),
            ),
            service_class=self.service_class,
            method=self.method,
            ship_complete=self.ship_complete,
            ship_by_ms=int(self.ship_by.timestamp() * 1000) if self.ship_by else 0,
            pickup=views.PickupDraft(self.pickup.node_id, self.pickup.code, self.pickup.hold_s * 1000)
            if self.pickup
            else None,
        )


class OrderLineOut(BaseModel):
    """One line, numbered from 1; quantities in base units."""

    line: int
    sku_id: str
    quantity: int
    shipped: int = Field(description="Base units handed to the carrier.")
    short: int = Field(description="Base units that were promised and not found on the shelf.")
    substitutes: list[str] = Field(description="SKUs that may be sent instead.")


class OrderOut(BaseModel):
    """An order, without personal data."""

    order_id: str
    channel: str
    reference: str
    state: OrderState
    node_id: str = Field(description="Node that fulfils it.")
    lines: list[OrderLineOut]
    parcels: list[str] = Field(description="SSCCs of its parcels, 18 digits each.")
    placed_at: datetime
    updated_at: datetime
    service_class: str = Field(description="How soon it was promised.")
    method: str = Field(description="How the customer gets it.")
    ship_complete: bool = Field(description="All of it, or nothing.")
    ship_by: datetime | None = Field(description="When it must have left, if the order says so.")

    @classmethod
    def of(cls, view: views.OrderView) -> OrderOut:
        """From the app layer's value."""
        return cls(
            order_id=view.order_id,
            channel=view.channel,
            reference=view.reference,
            state=view.state,
            node_id=view.node_id,
            lines=[
                OrderLineOut(
                    line=row.line,
                    sku_id=row.sku_id,
                    quantity=row.quantity,
                    shipped=row.shipped,
                    short=row.short,
                    substitutes=list(row.substitutes),
                )
                for row in view.lines
            ],
            parcels=list(view.parcels),
            placed_at=_time(view.placed_at_ms),
            updated_at=_time(view.updated_at_ms),
            service_class=view.service_class,
            method=view.method,
            ship_complete=view.ship_complete,
            ship_by=_time(view.ship_by_ms) if view.ship_by_ms else None,
        )


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


class OrderPageOut(BaseModel):
    """A page of orders, newest first."""

    orders: list[OrderOut]
    next_cursor: str = Field(description="Cursor of the next page; empty on the last one.")


class AvailabilityRow(BaseModel):
    """available = sellable - node_rights - reserved - held_back - safety_stock, not below zero."""

    sku_id: str
    node_id: str
    sellable: int = Field(description="Units on the shelf, as the node last reported.")
    node_rights: int = Field(description="Of these, units whose right to promise the node holds itself.")
    reserved: int = Field(description="Units promised to open orders and not yet picked.")
    safety_stock: int = Field(description="Units kept back, so that a node never promises its last ones.")
    held_back: int = Field(description="Units that a person keeps from being promised.")
    available: int

    @classmethod
    def of(cls, view: views.AvailabilityView) -> AvailabilityRow:
        """From the app layer's value."""
        return cls(
            sku_id=view.sku_id,
            node_id=view.node_id,
            sellable=view.sellable,
            node_rights=view.node_rights,
            reserved=view.reserved,
            safety_stock=view.safety_stock,
            held_back=view.held_back,
            available=view.available,
        )


class AvailabilityOut(BaseModel):
    """One row per SKU and node."""

    availability: list[AvailabilityRow]


class HealthOut(BaseModel):
    """The control plane answers and its database too; without a broker, orders wait for their nodes."""

    status: str
    version: str
    broker_connected: bool
