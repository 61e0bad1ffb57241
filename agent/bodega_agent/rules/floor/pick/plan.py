"""Which bins to walk to for what is still to be picked, for one order or for several in one walk.

Rules: per SKU the shelves that `bodega.core.routing.shelves.next_shelf` names, what must go first before all else;
then one walk in walking order. A person who stands at a bin takes
all that is wanted there first, so that a plan made anew after every scan never sends anybody away too early. What was
skipped comes at the end of the walk, and never goes away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bodega.core.routing.shelves import Place, next_shelf
from bodega_agent.rules.floor.pick.facts import Shelf


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of one line still to be picked."""

    line: int
    sku_id: str
    quantity: int
    fulfillment_order_id: str = ""


@dataclass(frozen=True, slots=True)
class PickStep:
    """Take `quantity` base units of one SKU and lot out of one bin."""

    line: int
    sku_id: str
    lot: str
    bin_id: str
    walk_order: int
    quantity: int
    fulfillment_order_id: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order to walk them, and what no bin holds by the book."""

    steps: tuple[PickStep, ...]
    unplaceable: tuple[Wanted, ...]


def plan_picks(
    wanted: Sequence[Wanted],
    shelves: Iterable[Shelf],
    *,
    at_bin: str = "",
    lot: str = "",
    skipped: Sequence[str] = (),
    costs: Mapping[str, Mapping[Place, float]] | None = None,
) -> Plan:
    """Plan the walk; pure and the same for the same arguments in any order of `shelves`.

    `wanted` in the sequence in which orders were released: the first gets the shelf. `lot` is taken at `at_bin` before
    any other one; `skipped` are SKUs that come last. `costs`: by SKU, what rules say of its shelves.
    """
    left: dict[str, list[Shelf]] = {}
    for shelf in sorted(shelves, key=lambda shelf: (shelf.walk_order, shelf.bin_id, shelf.lot)):
        left.setdefault(shelf.sku_id, []).append(shelf)
    steps: list[PickStep] = []
    unplaceable: list[Wanted] = []
    for want in wanted:
        missing = want.quantity
        while missing > 0:
            candidates = left.get(want.sku_id)
            if not candidates:
                unplaceable.append(replace(want, quantity=missing))
                break
            ranks = costs.get(want.sku_id) if costs else None
            shelf = next_shelf(candidates, missing, at_bin=at_bin, lot=lot, costs=ranks)
            taken = min(missing, shelf.quantity)
            steps.append(_step(want, shelf, taken))
            _take(candidates, shelf, taken)
            missing -= taken
    last = {sku_id: place for place, sku_id in enumerate(skipped, start=1)}
    first = {want.sku_id: -place for place, want in enumerate(reversed(wanted))}
    # Sorting is stable: at one bin and SKU, orders and lines stay as they were wanted.
    steps.sort(
        key=lambda step: (
            last.get(step.sku_id, 0),
            step.bin_id != at_bin,
            step.walk_order,
            step.bin_id,
            first[step.sku_id],
            step.lot,
        )
    )
    return Plan(tuple(steps), tuple(unplaceable))


def _step(want: Wanted, shelf: Shelf, taken: int) -> PickStep:
    return PickStep(
        want.line, want.sku_id, shelf.lot, shelf.bin_id, shelf.walk_order, taken, want.fulfillment_order_id
    )


def _take(shelves: list[Shelf], taken_from: Shelf, quantity: int) -> None:
    place, left = shelves.index(taken_from), taken_from.quantity - quantity
    shelves[place : place + 1] = [replace(taken_from, quantity=left)] if left > 0 else []
