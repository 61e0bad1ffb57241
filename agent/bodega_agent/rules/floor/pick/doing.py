"""What picking must remember between two scans. What was picked is not here: that is in the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class LastScan:
    """What was scanned last at this bin, and how many units of it are booked: a number typed now is the total."""

    sku_id: str
    lot: str
    units: int


@dataclass(frozen=True, slots=True)
class InHand:
    """Units that are booked to an order, and shall be scanned into its tote."""

    fulfillment_order_id: str
    name: str
    units: int


@dataclass(frozen=True, slots=True)
class MayBeEmpty:
    """By the book the last unit of a SKU and lot has just left this bin: is it so?"""

    bin_id: str
    sku_id: str
    lot: str
    name: str
    walk_order: int = 0
    first_out: str = ""


@dataclass(frozen=True, slots=True)
class AskedWhy:
    """The shelf that does not give what it should."""

    bin_id: str
    sku_id: str
    lot: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A SKU that no shelf gives any more, and why; `line` of the order is asked about, if it may be substituted."""

    sku_id: str
    reason: str
    fulfillment_order_id: str
    line: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A shelf that may serve, by bin and lot, and what it costs by the rules: the less the better."""

    bin_id: str
    lot: str
    cost: float


@dataclass(frozen=True, slots=True)
class Instead:
    """The shelves that serve a SKU for the rest of this walk: what the node has decided by rules about shelves."""

    sku_id: str
    shelves: tuple[Ranked, ...]


@dataclass(frozen=True, slots=True)
class Picking(Doing):
    """`skipped`: SKUs that come last in this walk. `passed`: bins that can not be reached in this walk.

    `instead`: SKUs of which a shelf did not give what it should, if rules have said which other ones serve.

    `lot` is taken here instead of the planned one; with `any_lot` a lot that the book does not have here is, too.
    The others are what is in hand, and questions that wait for an answer.
    """

    skipped: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    instead: tuple[Instead, ...] = ()
    lot: str = ""
    any_lot: bool = False
    last: LastScan | None = None
    in_hand: InHand | None = None
    may_be_empty: MayBeEmpty | None = None
    asked_why: AskedWhy | None = None
    missing: Missing | None = None


NOTHING = Picking()


def doing_of(doing: Doing | None) -> Picking:
    """What is remembered; nothing where the session has just begun to pick."""
    return doing if isinstance(doing, Picking) else NOTHING
