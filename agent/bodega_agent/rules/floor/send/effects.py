"""What sending asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import Entered, Goods
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class BeginSending(Effect):
    """The session's device picks this transfer now."""

    logged_as: ClassVar[str] = "transfer_begun"

    transfer_id: str


@dataclass(frozen=True, slots=True)
class PickForTransfer(Effect):
    """`pick`: bin -> the place where the transfer's goods stand ready; the line's `picked` rises."""

    logged_as: ClassVar[str] = "goods_picked_for_transfer"

    transfer_id: str
    goods: Goods
    bin_id: str
    entered: Entered | None = None


@dataclass(frozen=True, slots=True)
class EmptyShelf(Effect):
    """`count_down`, reason "short", and a discrepancy: none of it is in this bin; `goods` is all by the book."""

    logged_as: ClassVar[str] = "shelf_found_empty"

    transfer_id: str
    goods: Goods
    bin_id: str


@dataclass(frozen=True, slots=True)
class LineShort(Effect):
    """No other bin has it: the line's `short` rises by `quantity`. Nothing moves."""

    logged_as: ClassVar[str] = "transfer_line_short"

    transfer_id: str
    sku_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ShipTransfer(Effect):
    """`transfer_out`, final: all that stands ready is under way to the other node."""

    logged_as: ClassVar[str] = "transfer_shipped"

    transfer_id: str
