"""What staging and collecting ask the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class StagePickup(Effect):
    """The parcel waits in `bin_id`: FulfillmentEvent.STAGE and its time begins, unless it was only put elsewhere."""

    logged_as: ClassVar[str] = "pickup_staged"

    fulfillment_order_id: str
    bin_id: str


@dataclass(frozen=True, slots=True)
class CountWrongCode(Effect):
    """One try less for this pickup."""

    logged_as: ClassVar[str] = "pickup_code_wrong"

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class HandToCustomer(Effect):
    """FulfillmentEvent.COLLECT and `collect`: parcel -> customer."""

    logged_as: ClassVar[str] = "pickup_collected"

    fulfillment_order_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class EndPickup(Effect):
    """It goes back to stock: FulfillmentEvent.CANCEL if the customer `refused` it, EXPIRE if nobody came in time."""

    logged_as: ClassVar[str] = "pickup_ended"

    fulfillment_order_id: str
    refused: bool
