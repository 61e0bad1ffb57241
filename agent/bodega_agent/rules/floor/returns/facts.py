"""What taking back must know: the return that the session is about, and the one that a scan names."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bodega_agent.rules.floor.facts import Facts, VisionMode

# States of a return. One that is NEW is not in the store yet.
NEW, EXPECTED, OPEN, CLOSED = "new", "expected", "open", "closed"


@dataclass(frozen=True, slots=True)
class Due:
    """Units of a SKU, in base units; `gtins` are 14 digits each, for the prompt's `expect`."""

    sku_id: str
    name: str
    quantity: int
    gtins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Units alike that have come back. `grade`, `disposition` and `bin_id` are empty until somebody has said them.

    `camera` is empty, "waiting", "pass", "fail" or "review", with its reasons. `unfit`: why it can not be sold again
    whatever it looks like, or empty.
    """

    line: int
    sku_id: str
    name: str
    quantity: int
    lot: str = ""
    serials: tuple[str, ...] = ()
    grade: str = ""
    disposition: str = ""
    bin_id: str = ""
    camera: str = ""
    camera_reasons: tuple[str, ...] = ()
    unfit: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """`order_id` is empty for a blind one; `fulfillment_order_id` is one that this node has sent, or empty.

    `owed`: what was sent for the order, less what was refunded for it before; of an order of another node what was
    announced. `is_owed_known` is false where nobody here can say. `announced`: what the hub has agreed to.
    `has_left`: false while the order is still in the house.
    """

    return_id: str
    order_id: str = ""
    fulfillment_order_id: str = ""
    state: str = NEW
    lines: tuple[ReturnLine, ...] = ()
    owed: tuple[Due, ...] = ()
    is_owed_known: bool = False
    announced: tuple[Due, ...] = ()
    has_left: bool = True

    @property
    def unfinished(self) -> ReturnLine | None:
        """The first line that still lies in a person's hand."""
        return next((line for line in self.lines if not line.bin_id), None)

    def line(self, number: int) -> ReturnLine | None:
        """The line of that number, or None."""
        return next((line for line in self.lines if line.line == number), None)

    def with_line(self, changed: ReturnLine) -> Return:
        """The same return with a line changed, or added."""
        others = [line for line in self.lines if line.line != changed.line]
        return replace(self, lines=tuple(sorted([*others, changed], key=lambda line: line.line)))

    def back(self, sku_id: str) -> int:
        """Units of a SKU that have come back with it."""
        return sum(line.quantity for line in self.lines if line.sku_id == sku_id)

    def outstanding(self) -> tuple[Due, ...]:
        """What should still come, by what was announced, else by what was sent."""
        left = ((due, due.quantity - self.back(due.sku_id)) for due in self.announced or self.owed)
        return tuple(replace(due, quantity=quantity) for due, quantity in left if quantity > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFacts(Facts):
    """`current`: the session's return. `found`: what the scan names at return_find; a NEW one for an order.

    `next_return_id` is what a return that begins now is called. `places`: bins of kind "returns", in walking order.
    """

    current: Return | None = None
    found: Return | None = None
    next_return_id: str = ""
    places: tuple[str, ...] = ()
    vision: VisionMode = VisionMode.OFF
