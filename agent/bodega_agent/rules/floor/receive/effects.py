"""What receive asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import DOCK, Disposition, Entered, Goods
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class OpenReceipt(Effect):
    """A delivery begins to come in; `notice_id` is empty for a blind one."""

    logged_as: ClassVar[str] = "receipt_opened"

    receipt_id: str
    notice_id: str = ""


@dataclass(frozen=True, slots=True)
class Receive(Effect):
    """`receive`: supplier -> `place` (DOCK, or a pallet), in_progress; counted on the receipt.

    `expiry` of the lot and what was `entered`, as the code or a person said.
    """

    logged_as: ClassVar[str] = "goods_received"

    goods: Goods
    expiry: str = ""
    entered: Entered | None = None
    receipt_id: str = ""
    place: str = DOCK


@dataclass(frozen=True, slots=True)
class SetApart(Effect):
    """`change_disposition` of goods that have just come in: damaged, expired, or on hold; counted on the receipt."""

    logged_as: ClassVar[str] = "goods_set_apart"

    receipt_id: str
    goods: Goods
    place: str
    becomes: Disposition


@dataclass(frozen=True, slots=True)
class TakeUnit(Effect):
    """An announced pallet has come in; it is not received a second time."""

    logged_as: ClassVar[str] = "unit_received"

    receipt_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class StartUnit(Effect):
    """A pallet or tote gets a number of this node (LPN), which is now used up, and its label is queued."""

    logged_as: ClassVar[str] = "unit_started"

    receipt_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class ProveUnit(Effect):
    """The label of an own pallet was scanned: the newest print job is confirmed by it."""

    logged_as: ClassVar[str] = "unit_label_proven"

    sscc: str


@dataclass(frozen=True, slots=True)
class CloseReceipt(Effect):
    """All that came is in: the receipt is told with its lines."""

    logged_as: ClassVar[str] = "receipt_closed"

    receipt_id: str
