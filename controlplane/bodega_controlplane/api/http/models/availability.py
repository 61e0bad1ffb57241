"""What may be promised, as channels get it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from bodega_controlplane.app import views


class AvailabilityRow(BaseModel):
    """available = sellable - node_rights - reserved - held_back - safety_stock - channel_buffer, not below zero."""

    sku_id: str
    node_id: str
    sellable: int = Field(description="Units on the shelf, as the node last reported.")
    node_rights: int = Field(description="Of these, units whose right to promise the node holds itself.")
    reserved: int = Field(description="Units promised to open orders and not yet picked.")
    safety_stock: int = Field(description="Units kept back, so that a node never promises its last ones.")
    channel_buffer: int = Field(description="Units that this channel leaves to the others.")
    held_back: int = Field(description="Units that a person keeps from being promised.")
    available: int

    @classmethod
    def of(cls, view: views.AvailabilityView, buffer_units: int) -> AvailabilityRow:
        """From the app layer's value, whose safety stock has the channel's buffer in it."""
        return cls(
            sku_id=view.sku_id,
            node_id=view.node_id,
            sellable=view.sellable,
            node_rights=view.node_rights,
            reserved=view.reserved,
            safety_stock=view.safety_stock - buffer_units,
            channel_buffer=buffer_units,
            held_back=view.held_back,
            available=view.available,
        )


class AvailabilityOut(BaseModel):
    """One row per SKU and node."""

    availability: list[AvailabilityRow]
