"""What handover asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class HandOver(Effect):
    """FulfillmentEvent.HAND_OVER and `ship`: parcel -> carrier.

    It stands on the carrier's open manifest of the day, which begins with its first parcel.
    """

    logged_as: ClassVar[str] = "parcel_handed_over"

    fulfillment_order_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class CloseManifest(Effect):
    """The driver has signed for every parcel on it; nothing is added to it any more."""

    logged_as: ClassVar[str] = "manifest_closed"

    manifest_id: str
