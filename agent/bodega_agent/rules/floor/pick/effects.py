"""What pick asks the store to do. `Inspect` has nothing to write but its check: it is asked for after commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import Disposition, Entered, Goods
from bodega.core.lifecycles import FulfillmentEvent
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class Claim(Effect):
    """The session's device works on this order now; FulfillmentEvent.CLAIM unless it is a take-over.

    `batch` names the walk that it is picked in with others; empty: alone, or as it was.
    """

    logged_as: ClassVar[str] = "order_claimed"

    fulfillment_order_id: str
    take_over: bool = False
    batch: str = ""


@dataclass(frozen=True, slots=True)
class UseTote(Effect):
    """The tote serves this order from now on, and no other one."""

    logged_as: ClassVar[str] = "tote_bound"

    fulfillment_order_id: str
    tote_id: str


@dataclass(frozen=True, slots=True)
class Pick(Effect):
    """`pick`: bin -> the order's stage; the line's `picked` rises by the goods' quantity."""

    logged_as: ClassVar[str] = "goods_picked"

    fulfillment_order_id: str
    line: int
    goods: Goods
    bin_id: str
    entered: Entered | None = None


@dataclass(frozen=True, slots=True)
class ShortShelf(Effect):
    """`count_down`, reason "short", and a discrepancy: the shelf is empty; `goods` is all by the book."""

    logged_as: ClassVar[str] = "shelf_found_empty"

    fulfillment_order_id: str
    line: int
    goods: Goods
    bin_id: str


@dataclass(frozen=True, slots=True)
class ShortLine(Effect):
    """No other bin has it: the line's `short` rises by `quantity`. Nothing moves."""

    logged_as: ClassVar[str] = "line_short"

    fulfillment_order_id: str
    line: int
    quantity: int


@dataclass(frozen=True, slots=True)
class SetAside(Effect):
    """`change_disposition`: goods on the shelf are not sellable, but `disposition`; they stay where they are."""

    logged_as: ClassVar[str] = "goods_set_aside"

    fulfillment_order_id: str
    goods: Goods
    bin_id: str
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class SubstituteLine(Effect):
    """The line's `short` rises by `quantity`, and a new line of `substitute_sku_id` takes the place of these units."""

    logged_as: ClassVar[str] = "line_substituted"

    fulfillment_order_id: str
    line: int
    sku_id: str
    substitute_sku_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class HandBack(Effect):
    """FulfillmentEvent.HAND_BACK: the hub has the work again; what was picked is an effect of its own (OpenPutBack)."""

    logged_as: ClassVar[str] = "order_handed_back"

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class ZeroChecked(Effect):
    """A person has looked at a bin that is empty by the book, and has seen `left` units there: a count of it."""

    logged_as: ClassVar[str] = "zero_checked"

    fulfillment_order_id: str
    bin_id: str
    sku_id: str
    lot: str
    left: int


@dataclass(frozen=True, slots=True)
class Advance(Effect):
    """Step the order's state (PICKS_DONE or NOTHING_FOUND); the other events come with their own effects."""

    logged_as: ClassVar[str] = "order_advanced"

    fulfillment_order_id: str
    event: FulfillmentEvent


@dataclass(frozen=True, slots=True)
class Inspect(Effect):
    """The line's check is `waiting` from this commit on; after it, ask the camera."""

    logged_as: ClassVar[str] = "camera_asked"

    fulfillment_order_id: str
    line: int
    sku_id: str


@dataclass(frozen=True, slots=True)
class AcceptCheck(Effect):
    """A person has looked and accepts the line against the camera's doubt; recorded with the actor."""

    logged_as: ClassVar[str] = "camera_doubt_accepted"

    fulfillment_order_id: str
    line: int
