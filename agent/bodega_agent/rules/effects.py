"""What a step asks the service to do, in order, in one store transaction with the new session.

Each names the ledger command of `bodega.core.ledger.RECIPES` that it stands for. `Goods.owner` is left
empty: the store fills it from the SKU. `Inspect` alone has nothing to write: it is asked for after commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bodega.core.ledger import Entered, Goods
from bodega.core.lifecycles import FulfillmentEvent


@dataclass(frozen=True, slots=True)
class Receive:
    """`receive`: supplier -> DOCK, in_progress. `expiry` of the lot and what was `entered`, as the code said."""

    goods: Goods
    expiry: str = ""
    entered: Entered | None = None


@dataclass(frozen=True, slots=True)
class PutAway:
    """`put_away`: from `source_place` (DOCK or a cancelled order's stage) into the bin, sellable."""

    goods: Goods
    source_place: str
    bin_id: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The session's device works on this order now; FulfillmentEvent.CLAIM unless it is a take-over."""

    fulfillment_order_id: str
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """`pick`: bin -> the order's stage; the line's `picked` rises by the goods' quantity."""

    fulfillment_order_id: str
    line: int
    goods: Goods
    bin_id: str
    entered: Entered | None = None


@dataclass(frozen=True, slots=True)
class ShortShelf:
    """`count_down`, reason "short", and a discrepancy: the shelf is empty; `goods` is all by the book."""

    fulfillment_order_id: str
    line: int
    goods: Goods
    bin_id: str


@dataclass(frozen=True, slots=True)
class ShortLine:
    """No other bin has it: the line's `short` rises by `quantity`. Nothing moves."""

    fulfillment_order_id: str
    line: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Advance:
    """Step the order's state (PICKS_DONE or NOTHING_FOUND); the other events come with their own effects."""

    fulfillment_order_id: str
    event: FulfillmentEvent


@dataclass(frozen=True, slots=True)
class Inspect:
    """The line's check is `waiting` from this commit on; after it, ask the camera."""

    fulfillment_order_id: str
    line: int
    sku_id: str


@dataclass(frozen=True, slots=True)
class AcceptCheck:
    """A person has looked and accepts the line against the camera's doubt; recorded with the actor."""

    fulfillment_order_id: str
    line: int


@dataclass(frozen=True, slots=True)
class Pack:
    """FulfillmentEvent.PACK and `pack`: stage -> parcel; `sscc` is now used up, and its label is queued."""

    fulfillment_order_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class VerifyLabel:
    """FulfillmentEvent.VERIFY_LABEL, and PrintEvent.SCAN_BACK on the newest print job."""

    fulfillment_order_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class Reprint:
    """PrintEvent.REPRINT on the newest print job and a new, counted one in its place."""

    fulfillment_order_id: str
    sscc: str
    reason: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """FulfillmentEvent.HAND_OVER and `ship`: parcel -> carrier."""

    fulfillment_order_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class CancelWork:
    """FulfillmentEvent.CANCEL, with `reason` in the event."""

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class Unpack:
    """`unpack`: the closed parcel goes back to the stage by book."""

    fulfillment_order_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class OpenPutBack:
    """A task: put back what lies on the stage of this cancelled order."""

    fulfillment_order_id: str
    place: str


@dataclass(frozen=True, slots=True)
class ReportLateCancel:
    """The parcel had left before the cancel arrived: CancelCameTooLate."""

    fulfillment_order_id: str


Effect: TypeAlias = (
    Receive
    | PutAway
    | Claim
    | Pick
    | ShortShelf
    | ShortLine
    | Advance
    | Inspect
    | AcceptCheck
    | Pack
    | VerifyLabel
    | Reprint
    | HandOver
    | CancelWork
    | Unpack
    | OpenPutBack
    | ReportLateCancel
)
