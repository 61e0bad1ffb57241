"""The physical ledger's rules: what is where, in postings that sum to zero.

It records and never refuses a real scan: a unit taken from a place where the book holds too few is
paired with `adjustment:found` and opens a discrepancy. A physical account never goes below zero.
One table (`RECIPES`) says which way each command moves stock, and its CBV business step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bodega.errors import FieldFault, IntegrityBroken, InvalidInput
from bodega.limits import IDENTIFIER_CHARS_MAX, QUANTITY_MAX

SUPPLIER = "supplier"
CUSTOMER = "customer"
CARRIER = "carrier"
FOUND = "adjustment:found"
COUNT = "adjustment:count"
DAMAGE = "adjustment:damage"

DOCK = "DOCK"


class Disposition(StrEnum):
    """GS1 CBV 2.0 dispositions that stock in a node can have (CBV section 7.2)."""

    SELLABLE = "sellable_accessible"
    IN_PROGRESS = "in_progress"
    CONTAINER_CLOSED = "container_closed"


class BizStep(StrEnum):
    """GS1 CBV 2.0 business steps of our commands (CBV section 7.1)."""

    RECEIVING = "receiving"
    STORING = "storing"
    PICKING = "picking"
    PACKING = "packing"
    SHIPPING = "shipping"
    CYCLE_COUNTING = "cycle_counting"


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
    """`quantity` base units enter (positive) or leave (negative) `account`."""

    account: Account
    quantity: int


@dataclass(frozen=True, slots=True)
class Movement:
    """One immutable movement; see `check`."""

    command: str
    biz_step: str
    postings: tuple[Posting, ...]
    fulfillment_order_id: str = ""
    sscc: str = ""
    corrects: str = ""
    reason: str = ""


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
    """What a command is about: `quantity` base units of one SKU, lot and owner."""

    sku_id: str
    quantity: int
    lot: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a movement serves or explains itself with; each may be empty."""

    fulfillment_order_id: str = ""
    sscc: str = ""
    reason: str = ""


NO_REFERENCE = Reference()


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which way a command moves stock: from and to a (disposition | external account)."""

    biz_step: BizStep
    source: Disposition | str
    target: Disposition | str


# Where goods come from and go to: a Disposition is a place in the node, a plain text the world outside.
RECIPES: Mapping[str, Recipe] = {
    "receive": Recipe(BizStep.RECEIVING, SUPPLIER, Disposition.IN_PROGRESS),
    "put_away": Recipe(BizStep.STORING, Disposition.IN_PROGRESS, Disposition.SELLABLE),
    "pick": Recipe(BizStep.PICKING, Disposition.SELLABLE, Disposition.IN_PROGRESS),
    "pack": Recipe(BizStep.PACKING, Disposition.IN_PROGRESS, Disposition.CONTAINER_CLOSED),
    "unpack": Recipe(BizStep.PACKING, Disposition.CONTAINER_CLOSED, Disposition.IN_PROGRESS),
    "ship": Recipe(BizStep.SHIPPING, Disposition.CONTAINER_CLOSED, CARRIER),
    "count_down": Recipe(BizStep.CYCLE_COUNTING, Disposition.SELLABLE, COUNT),
    "count_up": Recipe(BizStep.CYCLE_COUNTING, COUNT, Disposition.SELLABLE),
}


def stage_of(fulfillment_order_id: str) -> str:
    """The place where the picked goods of one fulfillment order wait."""
    return f"STAGE-{fulfillment_order_id}"


def parcel_place(sscc: str) -> str:
    """The place that a closed parcel is."""
    return f"PARCEL-{sscc}"


@dataclass(frozen=True, slots=True)
class Booking:
    """What `book` answers: the movement to record, and discrepancies that it uncovered."""

    movement: Movement
    discrepancies: tuple[Discrepancy, ...]


def book(
    command: str,
    goods: Iterable[Goods],
    balances: Mapping[Account, int],
    *,
    source_bin: str = "",
    target_bin: str = "",
    reference: Reference = NO_REFERENCE,
) -> Booking:
    """Turn a command into a movement, following its row in RECIPES.

    `balances` must hold every physical source account that is not zero. Where the book holds too
    little the missing units are found first (`adjustment:found`), so the result never goes negative.
    Raises InvalidInput for an unknown command, a missing bin or a quantity out of range.
    """
    recipe = RECIPES.get(command)
    if recipe is None:
        raise InvalidInput(
            f"there is no ledger command '{command}'", hint=f"use one of: {', '.join(RECIPES)}"
        )
    postings: list[Posting] = []
    discrepancies: list[Discrepancy] = []
    taken: dict[Account, int] = defaultdict(int)
    for item in goods:
        _check_goods(item)
        source = _account(item, recipe.source, source_bin, side="source_bin")
        target = _account(item, recipe.target, target_bin, side="target_bin")
        if source.is_physical:
            held = balances.get(source, 0) - taken[source]
            missing = item.quantity - held
            if missing > 0:
                postings += _found(item, source, missing)
                discrepancies.append(
                    Discrepancy(
                        source.bin, item.sku_id, item.lot, missing, "found", reference.fulfillment_order_id
                    )
                )
            taken[source] += min(item.quantity, held)
        postings += [Posting(source, -item.quantity), Posting(target, item.quantity)]
    movement = Movement(
        command,
        recipe.biz_step,
        tuple(postings),
        fulfillment_order_id=reference.fulfillment_order_id,
        sscc=reference.sscc,
        reason=reference.reason,
    )
    check(movement)
    return Booking(movement, tuple(discrepancies))


def _found(item: Goods, place: Account, quantity: int) -> list[Posting]:
    found = Account(item.sku_id, lot=item.lot, owner=item.owner, external=FOUND)
    return [Posting(found, -quantity), Posting(place, quantity)]


def _account(item: Goods, end: Disposition | str, bin_id: str, *, side: str) -> Account:
    if not isinstance(end, Disposition):
        return Account(item.sku_id, lot=item.lot, owner=item.owner, external=end)
    if not bin_id:
        raise InvalidInput("a place in the node is missing", faults=(FieldFault(side, "must name a bin"),))
    return Account(item.sku_id, bin=bin_id, disposition=end, lot=item.lot, owner=item.owner)


def _check_goods(item: Goods) -> None:
    if not 0 < item.quantity <= QUANTITY_MAX:
        raise InvalidInput(
            f"quantity {item.quantity} of SKU '{item.sku_id}' is out of range",
            hint=f"give whole base units from 1 to {QUANTITY_MAX}",
            faults=(FieldFault("quantity", f"must be 1 to {QUANTITY_MAX}, is {item.quantity}"),),
        )
    if not 0 < len(item.sku_id) <= IDENTIFIER_CHARS_MAX:
        raise InvalidInput(
            "the SKU id is missing or too long",
            faults=(FieldFault("sku_id", f"must be 1 to {IDENTIFIER_CHARS_MAX} characters"),),
        )


def check(movement: Movement) -> None:
    """A movement has no zero postings and sums to zero per (owner, SKU, lot), or IntegrityBroken."""
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for account, quantity in movement.postings:
        if quantity == 0:
            raise IntegrityBroken(f"movement '{movement.command}' has a posting of zero units")
        sums[account.goods] += quantity
    unbalanced = {goods: total for goods, total in sums.items() if total}
    if unbalanced or not movement.postings:
        raise IntegrityBroken(
            f"movement '{movement.command}' does not sum to zero: {unbalanced or 'no postings'}"
        )


def fold(movements: Iterable[Movement]) -> dict[Account, int]:
    """Balances of all accounts after these movements; accounts at zero are left out.

    Raises IntegrityBroken if a physical account would ever be negative.
    """
    balances: dict[Account, int] = defaultdict(int)
    for movement in movements:
        changes: dict[Account, int] = defaultdict(int)
        for account, quantity in movement.postings:
            changes[account] += quantity
        for account, change in changes.items():
            balances[account] += change
            if account.is_physical and balances[account] < 0:
                raise IntegrityBroken(f"{account.sku_id} in {account.bin} would go to {balances[account]}")
    return {account: quantity for account, quantity in balances.items() if quantity}
