"""What taking back asks the store to do. `LookAtReturn` is asked for after the commit, like a pick's `Inspect`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import Entered, Goods
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class OpenReturn(Effect):
    """Work on this return begins: `ReturnAdvanced`, state "open"."""

    logged_as: ClassVar[str] = "return_opened"

    return_id: str
    order_id: str = ""
    fulfillment_order_id: str = ""


@dataclass(frozen=True, slots=True)
class TakeBack(Effect):
    """`return`: customer -> DOCK, disposition returned. A new line of the return, or more of one that is there."""

    logged_as: ClassVar[str] = "goods_returned"

    return_id: str
    line: int
    goods: Goods
    expiry: str = ""
    entered: Entered | None = None


@dataclass(frozen=True, slots=True)
class LookAtReturn(Effect):
    """The line's camera is `waiting` from this commit on; after it, ask the camera."""

    logged_as: ClassVar[str] = "camera_asked"

    return_id: str
    line: int
    sku_id: str
    fulfillment_order_id: str = ""


@dataclass(frozen=True, slots=True)
class VoidLine(Effect):
    """It was scanned by mistake: its movements are corrected, and the line is gone."""

    logged_as: ClassVar[str] = "return_line_voided"

    return_id: str
    line: int


@dataclass(frozen=True, slots=True)
class GradeLine(Effect):
    """What a person says of it: a grade of `ReturnAdvanced.Line`."""

    logged_as: ClassVar[str] = "return_graded"

    return_id: str
    line: int
    grade: str


@dataclass(frozen=True, slots=True)
class DisposeLine(Effect):
    """What becomes of it: a disposition of `ReturnAdvanced.Line`. Nothing moves yet."""

    logged_as: ClassVar[str] = "return_disposed"

    return_id: str
    line: int
    disposition: str


@dataclass(frozen=True, slots=True)
class SettleLine(Effect):
    """The goods of a line leave the state "returned": `inspect` into `bin_id`, or `scrap` where they are.

    Sellable ones wait on the dock to be put away.
    """

    logged_as: ClassVar[str] = "return_settled"

    return_id: str
    line: int
    goods: Goods
    disposition: str
    bin_id: str


@dataclass(frozen=True, slots=True)
class CloseReturn(Effect):
    """`ReturnAdvanced`, state "closed", with all lines; `RefundDue` for (line, units) of `refunds`, if any."""

    logged_as: ClassVar[str] = "return_closed"

    return_id: str
    refunds: tuple[tuple[int, int], ...]
