"""What pack asks the store to do. `Weigh` has nothing to write: the scale is asked after commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class Closed:
    """What a parcel is when it is closed; empty and 0 where nobody knows. `ship_date`: ISO 8601, the node's own day."""

    carton_id: str = ""
    weight_g: int = 0
    expected_weight_g: int = 0
    carrier: str = ""
    service: str = ""
    price_minor: int = 0
    currency: str = ""
    ship_date: str = ""


@dataclass(frozen=True, slots=True)
class BeginPacking(Effect):
    """From now on packing goes on where it stands, at whatever device."""

    logged_as: ClassVar[str] = "packing_begun"

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class SeeInBox(Effect):
    """A person has scanned units as they went into the box; `serial` where the unit has one."""

    logged_as: ClassVar[str] = "goods_seen_in_box"

    fulfillment_order_id: str
    sku_id: str
    quantity: int
    serial: str = ""


@dataclass(frozen=True, slots=True)
class TakeOffStage(Effect):
    """Units of the order are not to go: the book takes them off its stage, and its lines are short of them.

    `command`: `adjust_down` for what is there and can not go (damaged, expired), `count_down` for what is not there.
    `kept_serials` are in the box, so they are none of them.
    """

    logged_as: ClassVar[str] = "goods_taken_off_stage"

    fulfillment_order_id: str
    sku_id: str
    quantity: int
    command: str
    reason: str
    kept_serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandBackPacking(Effect):
    """FulfillmentEvent.HAND_BACK: the hub finds another way; what still lies on the stage has a put-back of its own."""

    logged_as: ClassVar[str] = "order_handed_back"

    fulfillment_order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChooseCarton(Effect):
    """The box that the order goes into; empty for one of no list. What it weighed in another one is forgotten."""

    logged_as: ClassVar[str] = "carton_chosen"

    fulfillment_order_id: str
    carton_id: str


@dataclass(frozen=True, slots=True)
class Weigh(Effect):
    """After the commit, ask the scale of the packing place."""

    logged_as: ClassVar[str] = "scale_asked"

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class DoubtWeight(Effect):
    """A weight that a person must accept before the parcel is closed with it."""

    logged_as: ClassVar[str] = "weight_doubted"

    fulfillment_order_id: str
    weight_g: int


@dataclass(frozen=True, slots=True)
class Pack(Effect):
    """FulfillmentEvent.PACK and `pack`: stage -> parcel; `sscc` is used up, and with it a number of `parcel.carrier`.

    The label is queued.
    """

    logged_as: ClassVar[str] = "parcel_packed"

    fulfillment_order_id: str
    sscc: str
    parcel: Closed = Closed()


@dataclass(frozen=True, slots=True)
class PrintSlip(Effect):
    """A packing slip for the parcel, on the printer of receipts."""

    logged_as: ClassVar[str] = "slip_asked"

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


@dataclass(frozen=True, slots=True)
class VoidParcel(Effect):
    """FulfillmentEvent.VOID_PARCEL and `unpack`: the parcel is opened, its numbers are never given again.

    The order is this device's to pack.
    """

    logged_as: ClassVar[str] = "parcel_voided"

    fulfillment_order_id: str
    sscc: str
    reason: str
