"""What picking and packing must know. Pack shares it: both work on one order from the shelf to the label.

- idle, take_over: `work` = the oldest open order that this device has claimed, `next_work` = the oldest
  assigned one, `left_work` = the oldest open one of a device that is gone (each with its shelves); `vision`.
  At CMD-BATCH and CMD-CART `work` is one that is still being picked, and `next_works` the first that are released.
- cart_tote: `work` = the session's order if it has one, `walk`, `next_work`, `tote_order`.
- the steps of picking, pack, label: `work` = the session's order; `vision`; `next_sscc` (the last two steps).
- wherever `work` or `left_work` is one of several in one walk: `walk` = all that are still being picked in it, by the
  same device, as they were released; and at the steps of picking `tote_order`, `zero_check` and `there`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bodega.core.floor_words import BinKind
from bodega.core.lifecycles import FulfillmentState, PrintState
from bodega_agent.rules.floor.alone import Alone
from bodega_agent.rules.floor.facts import Facts, VisionMode
from bodega_agent.rules.floor.scans import CheckOutcome


class ZeroCheck(StrEnum):
    """Where the person who takes the last unit by the book is asked whether the bin is empty."""

    OFF = "off"
    PICK_FACES = "pick_faces"
    ALL = "all"


# How names of walks begin: orders that share a bin's goods until they are packed, and orders with totes of their own.
BATCH, CART = "batch-", "cart-"


@dataclass(frozen=True, slots=True)
class Substitute:
    """A SKU that an order allows instead; `spare`: units on the shelves that nobody was promised."""

    sku_id: str
    name: str
    gtins: tuple[str, ...]
    spare: int


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One line to pick, in base units. `gtins` are 14 digits each, for the prompt's `expect`.

    `substitutes`: what may be sent instead and is here, the best first. `substitute_of`: the line whose units this one
    replaces, 0 for a line that was ordered.
    """

    line: int
    sku_id: str
    name: str
    gtins: tuple[str, ...]
    quantity: int
    picked: int = 0
    short: int = 0
    substitutes: tuple[Substitute, ...] = ()
    substitute_of: int = 0
    serial_tracked: bool = False

    @property
    def outstanding(self) -> int:
        """Units neither picked nor given up."""
        return max(0, self.quantity - self.picked - self.short)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Sellable units of one SKU and lot in one bin, as the book has them; never zero.

    `first_out` sorts lots: what must go first has the least (`core.expiry`). Lots that may not be sold any
    more are no shelves. `kind` and `temperature_class` are the bin's, if the profile says them.
    """

    sku_id: str
    lot: str
    bin_id: str
    walk_order: int
    quantity: int
    first_out: str = ""
    kind: str = ""
    temperature_class: str = ""

    @property
    def is_pick_face(self) -> bool:
        """Whether the bin is one by its kind."""
        return self.kind == BinKind.PICK_FACE


@dataclass(frozen=True, slots=True)
class Check:
    """The latest camera check of a line that has neither passed nor been accepted by a person."""

    line: int
    outcome: CheckOutcome
    reasons: tuple[str, ...] = ()

    @property
    def flagged(self) -> bool:
        """Whether the camera has answered, and not with a pass."""
        return self.outcome in {CheckOutcome.FAIL, CheckOutcome.REVIEW}


@dataclass(frozen=True, slots=True)
class Work:
    """One fulfillment order with all that is needed to go on with it.

    `device` has claimed it, or is empty. `shelves` are the bins of SKUs with units outstanding: the plan is
    made from them at every step, because a stored plan would go stale. `checks`: see Check, in line order.
    `sscc`, `print_state` and `print_detail` (of the newest print job) are set once it is packed.
    `method` is "parcel", "pickup" or "locker"; `ship_complete`: all of it or nothing. `batch` names the walk that it is
    picked in with others, or is empty; `totes` are those that its goods are put into.
    """

    fulfillment_order_id: str
    order_id: str
    state: FulfillmentState
    lines: tuple[WorkLine, ...]
    device: str = ""
    shelves: tuple[Shelf, ...] = ()
    checks: tuple[Check, ...] = ()
    sscc: str = ""
    print_state: PrintState | None = None
    print_detail: str = ""
    method: str = "parcel"
    ship_complete: bool = False
    batch: str = ""
    totes: tuple[str, ...] = ()

    @property
    def is_on_cart(self) -> bool:
        """Whether its goods go into totes of its own, beside those of other orders."""
        return self.batch.startswith(CART)

    @property
    def missing(self) -> int:
        """Units that will not be sent, and that nothing else is sent for."""
        replaced = sum(line.quantity - line.short for line in self.lines if line.substitute_of)
        return sum(line.short for line in self.lines if not line.substitute_of) - replaced

    @property
    def outstanding(self) -> int:
        """Units still to be picked."""
        return sum(line.outstanding for line in self.lines)

    @property
    def picked(self) -> int:
        """Units on the stage."""
        return sum(line.picked for line in self.lines)

    def line(self, number: int) -> WorkLine:
        """The line of that number; it must exist."""
        return next(line for line in self.lines if line.line == number)

    def with_line(self, changed: WorkLine) -> Work:
        """The same work with one line changed."""
        lines = tuple(changed if line.line == changed.line else line for line in self.lines)
        return replace(self, lines=lines)

    def flagged(self) -> Check | None:
        """The first line that the camera doubts."""
        return next((check for check in self.checks if check.flagged), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PickFacts(Facts):
    """See the table in the module's text. `next_sscc` is what the range gives now, empty if used up.

    `cancelled`: the order that the news of a cancel is about. `tote_order` is whom the scanned tote serves now, empty
    for an empty one. `there`: units that the book has, of the SKU and lot that the session asks about, in its bin.
    `alone`: at CMD-SHORT and where a shelf is asked about, what the node decides by which other shelf serves; a line
    for each SKU that is outstanding.
    """

    work: Work | None = None
    next_work: Work | None = None
    left_work: Work | None = None
    next_works: tuple[Work, ...] = ()
    walk: tuple[Work, ...] = ()
    cancelled: Work | None = None
    tote_order: str = ""
    zero_check: ZeroCheck = ZeroCheck.PICK_FACES
    there: int = 0
    vision: VisionMode = VisionMode.OFF
    next_sscc: str = ""
    alone: Alone | None = None
