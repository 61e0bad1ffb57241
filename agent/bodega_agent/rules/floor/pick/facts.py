"""What picking and packing must know. Pack shares it: both work on one order from the shelf to the label.

- idle, take_over: `work` = the oldest open order that this device has claimed, `next_work` = the oldest
  assigned one, `left_work` = the oldest open one of a device that is gone (each with its shelves); `vision`.
- pick_bin, pick_item, pick_check, pack, label: `work` = the session's order; `vision`; `next_sscc`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bodega.core.lifecycles import FulfillmentState, PrintState
from bodega_agent.rules.floor.facts import Facts, VisionMode
from bodega_agent.rules.floor.scans import CheckOutcome


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One line to pick, in base units. `gtins` are 14 digits each, for the prompt's `expect`."""

    line: int
    sku_id: str
    name: str
    gtins: tuple[str, ...]
    quantity: int
    picked: int = 0
    short: int = 0

    @property
    def outstanding(self) -> int:
        """Units neither picked nor given up."""
        return max(0, self.quantity - self.picked - self.short)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Sellable units of one SKU and lot in one bin, as the book has them; never zero.

    `first_out` sorts lots: what must go first has the least (`core.expiry`). Lots that may not be sold any
    more are no shelves.
    """

    sku_id: str
    lot: str
    bin_id: str
    walk_order: int
    quantity: int
    first_out: str = ""


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
    """See the table in the module's text. `next_sscc` is what the range gives now, empty if used up."""

    work: Work | None = None
    next_work: Work | None = None
    left_work: Work | None = None
    vision: VisionMode = VisionMode.OFF
    next_sscc: str = ""
