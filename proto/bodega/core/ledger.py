"""The physical ledger's values: what is where, in postings that sum to zero.

A physical account never goes below zero, and every movement sums to zero per (owner, SKU, lot): what
leaves a place arrives at another, or in the world outside. `core.recipes` says which postings a command makes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bodega.errors import IntegrityBroken

SUPPLIER = "supplier"
CUSTOMER = "customer"
CARRIER = "carrier"
FOUND = "adjustment:found"
COUNT = "adjustment:count"
DAMAGE = "adjustment:damage"
UNIDENTIFIED = "unidentified"
# Parts that became a kit, and kits that became parts again.
TRANSFORMATION = "transformation"

DOCK = "DOCK"


class Disposition(StrEnum):
    """GS1 CBV 2.0 dispositions that stock in a node can have (CBV section 7.2)."""

    SELLABLE = "sellable_accessible"
    NOT_ACCESSIBLE = "sellable_not_accessible"
    NOT_SELLABLE = "non_sellable_other"
    IN_PROGRESS = "in_progress"
    CONTAINER_CLOSED = "container_closed"
    RETURNED = "returned"
    DAMAGED = "damaged"
    EXPIRED = "expired"
    RECALLED = "recalled"


class BizStep(StrEnum):
    """GS1 CBV 2.0 business steps of our commands (CBV section 7.1)."""

    RECEIVING = "receiving"
    STORING = "storing"
    PICKING = "picking"
    PACKING = "packing"
    UNPACKING = "unpacking"
    SHIPPING = "shipping"
    CYCLE_COUNTING = "cycle_counting"
    INSPECTING = "inspecting"
    HOLDING = "holding"
    ASSEMBLING = "assembling"
    DISASSEMBLING = "disassembling"
    DESTROYING = "destroying"
    REPACKAGING = "repackaging"
    RETAIL_SELLING = "retail_selling"


class Account(NamedTuple):
    """A physical account (`bin` set) or an external one (`external` set); never both.

    A NamedTuple because millions of these are dictionary keys.
    """

    sku_id: str
    bin: str = ""
    disposition: str = ""
    lot: str = ""
    owner: str = ""
    external: str = ""

    @property
    def is_physical(self) -> bool:
        return not self.external

    @property
    def goods(self) -> tuple[str, str, str]:
        """What must sum to zero: (owner, SKU, lot)."""
        return (self.owner, self.sku_id, self.lot)


class Posting(NamedTuple):
    """`quantity` base units enter (positive) or leave (negative) `account`.

    `serials` names the units, one each, or is empty where serial numbers are not tracked.
    """

    account: Account
    quantity: int
    serials: tuple[str, ...] = ()


# A posting without its names, for loops over millions of them. Every Posting is one.
PostingValues = tuple[Account, int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Entered:
    """What a person or a barcode said before it became base units, with the version of the SKU's units."""

    sku_id: str
    quantity: int
    unit: str
    units_version: int


@dataclass(frozen=True, slots=True)
class LotSeen:
    """What a movement has learned about a lot; `expiry` is an ISO 8601 date or empty."""

    sku_id: str
    lot: str
    expiry: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a movement serves or explains itself with; each may be empty. `corrects` is "<epoch>/<seq>".

    `basis_seq`: of a count, where the journal stood when the counter began. `final`: of a transfer, that this side
    has nothing more to add.
    """

    fulfillment_order_id: str = ""
    sscc: str = ""
    reason: str = ""
    corrects: str = ""
    transfer_id: str = ""
    reservation_id: str = ""
    basis_seq: int = 0
    final: bool = False


NO_REFERENCE = Reference()


class Movement(NamedTuple):
    """One immutable movement; see `check`."""

    command: str
    biz_step: str
    postings: tuple[Posting, ...]
    reference: Reference = NO_REFERENCE
    entered: tuple[Entered, ...] = ()
    lots: tuple[LotSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Shelf minus book at one place, in base units."""

    bin_id: str
    sku_id: str
    lot: str
    difference: int
    reason: str
    fulfillment_order_id: str = ""


@dataclass(frozen=True, slots=True)
class Goods:
    """What a command is about: `quantity` base units of one SKU, lot and owner, and their serials if known."""

    sku_id: str
    quantity: int
    lot: str = ""
    owner: str = ""
    serials: tuple[str, ...] = ()


def stage_of(fulfillment_order_id: str) -> str:
    """The place where the picked goods of one fulfillment order wait."""
    return f"STAGE-{fulfillment_order_id}"


def parcel_place(sscc: str) -> str:
    """The place that a closed parcel is."""
    return f"PARCEL-{sscc}"


def unit_place(sscc: str) -> str:
    """The place that a pallet or tote with a number of its own is, until it is put away."""
    return f"LPN-{sscc}"


def in_transit(transfer_id: str) -> str:
    """The external account of goods between two nodes."""
    return f"in_transit:{transfer_id}"


def check(movement: Movement) -> None:
    """A movement has no zero postings and sums to zero per (owner, SKU, lot) and per serial, or IntegrityBroken."""
    try:
        check_postings(movement.postings)
    except IntegrityBroken as error:
        raise IntegrityBroken(f"movement '{movement.command}': {error.message}") from error


def check_postings(postings: Sequence[PostingValues]) -> None:
    """What `check` asks of a movement, for loops that do without one."""
    if len(postings) == 2:
        # Most movements, told at a glance: one account gets what another gives, the same goods, no serials.
        (source, taken, taken_serials), (target, given, given_serials) = postings
        if (
            taken + given == 0 != given
            and source.sku_id == target.sku_id
            and source.lot == target.lot
            and source.owner == target.owner
            and not taken_serials
            and not given_serials
        ):
            return
    _check_sums(postings)


def _check_sums(postings: Sequence[PostingValues]) -> None:
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for account, quantity, serials in postings:
        if quantity == 0:
            raise IntegrityBroken("a posting has zero units")
        if serials and len(serials) != abs(quantity):
            raise IntegrityBroken(f"a posting names {len(serials)} serials for {abs(quantity)} units")
        sums[account.goods] += quantity
        for serial in serials:
            sums[(account.sku_id, serial)] += 1 if quantity > 0 else -1
    unbalanced = {goods: total for goods, total in sums.items() if total}
    if unbalanced or not postings:
        raise IntegrityBroken(f"it does not sum to zero: {unbalanced or 'no postings'}")


def fold(movements: Iterable[Movement]) -> dict[Account, int]:
    """Balances of all accounts after these movements; accounts at zero are left out.

    Raises IntegrityBroken if a physical account would ever be negative.
    """
    balances: dict[Account, int] = defaultdict(int)
    for movement in movements:
        changes: dict[Account, int] = defaultdict(int)
        for account, quantity, _serials in movement.postings:
            changes[account] += quantity
        for account, change in changes.items():
            balances[account] += change
            if account.is_physical and balances[account] < 0:
                raise IntegrityBroken(f"{account.sku_id} in {account.bin} would go to {balances[account]}")
    return {account: quantity for account, quantity in balances.items() if quantity}


def places_of_serials(movement: Movement) -> Iterator[tuple[str, str, Account]]:
    """(SKU, serial, account) for every serial that a movement brings somewhere; the last one counts."""
    for account, quantity, serials in movement.postings:
        if quantity > 0:
            for serial in serials:
                yield account.sku_id, serial, account
