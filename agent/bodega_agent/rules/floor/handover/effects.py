"""What handover asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class HandOver(Effect):
    """FulfillmentEvent.HAND_OVER and `ship`: parcel -> carrier."""

    logged_as: ClassVar[str] = "parcel_handed_over"

    fulfillment_order_id: str
    sscc: str
