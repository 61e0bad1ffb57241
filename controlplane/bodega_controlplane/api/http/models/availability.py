"""What may be promised, as channels get it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from bodega.core.promise import ServiceClass
from bodega.core.routing.inputs import Destination
from bodega.limits import AVAILABILITY_SKUS_MAX, IDENTIFIER_CHARS_MAX, QUANTITY_MAX
from bodega.limits_hub import PROMISED_SKUS_MAX
from bodega_controlplane.api.http.models.words import COUNTRY, PLAIN_TEXT, Identifier, time_of
from bodega_controlplane.app import views
from bodega_controlplane.app.selling.promising import SkuPromise

_PLACE = ("country", "postal_code", "latitude", "longitude")


class AvailabilityQuery(BaseModel):
    """What is asked for; a destination is given as a whole or not at all."""

    sku_id: list[Identifier] = Field(
        min_length=1, max_length=AVAILABILITY_SKUS_MAX, description="Repeat it for more SKUs."
    )
    quantity: int = Field(default=1, ge=1, le=QUANTITY_MAX, description="Base units of each that are wanted.")
    country: str | None = Field(default=None, pattern=COUNTRY, description="Destination: ISO 3166-1 alpha-2.")
    postal_code: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_TEXT)] | None = Field(
        default=None, description="Destination: as it is printed."
    )
    latitude: float | None = Field(default=None, ge=-90, le=90, description="Destination: WGS 84, degrees.")
    longitude: float | None = Field(
        default=None, ge=-180, le=180, description="Destination: WGS 84, degrees."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> AvailabilityQuery:
        missing = [name for name in _PLACE if getattr(self, name) is None]
        if missing and len(missing) < len(_PLACE):
            raise ValueError(f"a destination needs {', '.join(missing)} too")
        if not missing and len(self.sku_id) > PROMISED_SKUS_MAX:
            raise ValueError(f"at most {PROMISED_SKUS_MAX} SKUs are promised to a destination at once")
        return self

    @property
    def destination(self) -> Destination | None:
        """Where it would go, if that was said."""
        if self.country is None or self.latitude is None or self.longitude is None:
            return None
        return Destination(self.country, self.postal_code or "", self.latitude, self.longitude)


class Breakdown(BaseModel):
    """available = sellable - node_rights - reserved - held_back - safety_stock - channel_buffer + not_covered."""

    sku_id: str
    sellable: int = Field(description="Units on the shelf, as the node last reported.")
    node_rights: int = Field(description="Of these, units whose right to promise the node holds itself.")
    reserved: int = Field(description="Units promised to open orders and not yet picked.")
    held_back: int = Field(description="Units that a person keeps from being promised.")
    safety_stock: int = Field(description="Units kept back, so that a node never promises its last ones.")
    channel_buffer: int = Field(description="Units that this channel leaves to the others.")
    not_covered: int = Field(description="What all that is kept back exceeds the shelf by.")
    available: int = Field(description="Units that this channel may promise.")


class AvailabilityRow(Breakdown):
    """One SKU at one node."""

    node_id: str

    @classmethod
    def of(cls, view: views.AvailabilityView, buffer_units: int) -> AvailabilityRow:
        """From the app layer's value, whose safety stock has the channel's buffer in it."""
        kept = view.node_rights + view.reserved + view.held_back + view.safety_stock
        return cls(
            sku_id=view.sku_id,
            node_id=view.node_id,
            sellable=view.sellable,
            node_rights=view.node_rights,
            reserved=view.reserved,
            held_back=view.held_back,
            safety_stock=view.safety_stock - buffer_units,
            channel_buffer=buffer_units,
            not_covered=view.available - (view.sellable - kept),
            available=view.available,
        )


_UNITS = tuple(name for name in Breakdown.model_fields if name != "sku_id")


class SkuTotal(Breakdown):
    """One SKU over all nodes: the sums of its rows."""

    @classmethod
    def each(cls, sku_ids: Iterable[str], rows: Iterable[AvailabilityRow]) -> list[SkuTotal]:
        """One for each SKU, in their order."""
        mine: dict[str, list[AvailabilityRow]] = {sku_id: [] for sku_id in sku_ids}
        for row in rows:
            mine[row.sku_id].append(row)
        return [
            cls(sku_id=sku_id, **{name: sum(getattr(row, name) for row in found) for name in _UNITS})
            for sku_id, found in mine.items()
        ]


class PromiseOut(BaseModel):
    """What a customer may be told: all of the quantity, by when, and what the carrier takes for it."""

    sku_id: str
    service_class: ServiceClass
    on_time: bool = Field(description="False: no carrier keeps this class now, and it comes on `due_date`.")
    order_by: datetime = Field(description="Until when this promise holds, if the stock does.")
    ship_date: date = Field(description="Local day of the collection.")
    due_date: date = Field(description="Local day of the delivery.")
    node_id: str
    carrier: str
    service: str
    price_minor: int = Field(description="What the carrier takes, in minor units of `currency`.")
    currency: str = Field(description="ISO 4217.")

    @classmethod
    def of(cls, one: SkuPromise) -> PromiseOut:
        """From the app layer's value."""
        promise, offer = one.promise, one.promise.offer
        return cls(
            sku_id=one.sku_id,
            service_class=ServiceClass(promise.service_class),
            on_time=promise.on_time,
            order_by=time_of(promise.order_by_ms),
            ship_date=date.fromisoformat(offer.ship_date),
            due_date=date.fromisoformat(offer.due_date),
            node_id=promise.node_id,
            carrier=offer.carrier,
            service=offer.service,
            price_minor=offer.price_minor,
            currency=offer.currency,
        )


class AvailabilityOut(BaseModel):
    """What is there, SKU by SKU and node by node, and what may be promised to a destination."""

    skus: list[SkuTotal] = Field(description="One row per SKU: the sums over its nodes.")
    availability: list[AvailabilityRow] = Field(description="One row per SKU and node.")
    promises: list[PromiseOut] = Field(
        description="By SKU and class of service, if a destination was given; none for a SKU that no node can serve."
    )
