"""Which bins to walk to for what is still to be picked.

Rules: per SKU the lots that must go first (first expired, first out); of those the fewest bins that hold enough,
and among equals the one nearer to the door; then one walk in walking order. A person who stands at a bin takes
all that is wanted there first, so that a plan made anew after every scan never sends anybody away too early.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bodega_agent.rules.floor.pick.facts import Shelf, Work


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of one line still to be picked."""

    line: int
    sku_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PickStep:
    """Take `quantity` base units of one SKU and lot out of one bin."""

    line: int
    sku_id: str
    lot: str
    bin_id: str
    walk_order: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order to walk them, and what no bin holds by the book."""

    steps: tuple[PickStep, ...]
    unplaceable: tuple[Wanted, ...]


def plan_picks(wanted: Sequence[Wanted], shelves: Iterable[Shelf], *, at_bin: str = "") -> Plan:
    """Plan the walk; pure and the same for the same arguments in any order of `shelves`."""
    left = sorted(shelves, key=lambda shelf: (shelf.walk_order, shelf.bin_id, shelf.lot))
    steps: list[PickStep] = []
    unplaceable: list[Wanted] = []
    for want in wanted:
        missing = want.quantity
        while missing > 0:
            candidates = [shelf for shelf in left if shelf.sku_id == want.sku_id]
            if not candidates:
                unplaceable.append(replace(want, quantity=missing))
                break
            shelf = _best(candidates, missing, at_bin)
            taken = min(missing, shelf.quantity)
            steps.append(
                PickStep(want.line, want.sku_id, shelf.lot, shelf.bin_id, shelf.walk_order, quantity=taken)
            )
            left = _take(left, shelf, taken)
            missing -= taken
    steps.sort(key=lambda step: (step.bin_id != at_bin, step.walk_order, step.bin_id, step.line, step.lot))
    return Plan(tuple(steps), tuple(unplaceable))


def plan_of(work: Work, *, at_bin: str = "") -> Plan:
    """The plan for all that is outstanding in an order."""
    wanted = [Wanted(line.line, line.sku_id, line.outstanding) for line in work.lines if line.outstanding > 0]
    return plan_picks(wanted, work.shelves, at_bin=at_bin)


def _best(candidates: Sequence[Shelf], missing: int, at_bin: str) -> Shelf:
    first = min(shelf.first_out for shelf in candidates)
    candidates = [shelf for shelf in candidates if shelf.first_out == first]
    here = [shelf for shelf in candidates if shelf.bin_id == at_bin]
    enough = [shelf for shelf in candidates if shelf.quantity >= missing]
    # The fullest shelves until one of the rest is enough: that is the fewest bins. Ties: walking order.
    return (here or enough or [max(candidates, key=lambda shelf: shelf.quantity)])[0]


def _take(shelves: Sequence[Shelf], taken_from: Shelf, quantity: int) -> list[Shelf]:
    left = taken_from.quantity - quantity
    emptied = [replace(taken_from, quantity=left)] if left > 0 else []
    return [kept for shelf in shelves for kept in (emptied if shelf is taken_from else [shelf])]
