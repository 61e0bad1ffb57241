"""What pack asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class Pack(Effect):
    """FulfillmentEvent.PACK and `pack`: stage -> parcel; `sscc` is now used up, and its label is queued."""

    logged_as: ClassVar[str] = "parcel_packed"

    fulfillment_order_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class VerifyLabel(Effect):
    """FulfillmentEvent.VERIFY_LABEL, and PrintEvent.SCAN_BACK on the newest print job."""

    logged_as: ClassVar[str] = "label_verified"

    fulfillment_order_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class Reprint(Effect):
    """PrintEvent.REPRINT on the newest print job and a new, counted one in its place."""

    logged_as: ClassVar[str] = "label_asked_again"

    fulfillment_order_id: str
    sscc: str
    reason: str
