"""A count races movements: somebody counts a shelf while others take from it, and the book moves under the count.

The counter says at which sequence of the journal the count began (its basis). If nothing moved at that place since,
the book of the basis is the book of now, and the difference is what the count has found. If something moved, nobody
can tell whether it was counted: nothing is booked, and the place is counted again. What is recorded late is ordered
by the journal like everything else, so a receipt that is typed afterwards can not change what a count has settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES
from bodega.limits import CONFLICT_INPUTS_MAX

KIND = "count_races_movements"

# They say what the book should be, and move nothing on the shelf: two people may count one place.
BOOK_ONLY = frozenset({"count_up", "count_down"})

_MOVEMENTS_TOLD_MAX = 3


class Touch(NamedTuple):
    """A movement that touched the counted place (one bin, SKU and lot): its event as "<node>/<epoch>/<seq>".

    `change` is base units into (or, negative, out of) the counted account; `serves` an order, or empty. `adjusts`: the
    book has learned of something at this place by it (a count, a correction, goods that a scan had to find).
    """

    event: str
    command: str
    change: int
    serves: str = ""
    adjusts: bool = False


class Counted(NamedTuple):
    """A count: `units` of a SKU (and lot) in a bin, begun when the journal stood at `basis_seq`.

    `event` is the node's event that says so, as "<node>/<epoch>/<seq>".
    """

    node_id: str
    event: str
    bin_id: str
    sku_id: str
    lot: str
    units: int
    basis_seq: int


def disturbing(window: Iterable[Touch]) -> tuple[Touch, ...]:
    """The touches between basis and now that make a count unsure, in order; none means that the count is good."""
    return tuple(touch for touch in window if touch.command not in BOOK_ONLY)


def count_races_movements(counted: Counted, window: Sequence[Touch], book: int) -> Conflict:
    """Rule count_races_movements@1: book nothing and count again.

    `window` are all touches since the basis, empty if there are too many events to look at; `book` is what the book
    holds now, in base units.
    """
    disturbed = sorted(disturbing(window), key=lambda touch: touch.event)
    inputs = (counted.event, *(touch.event for touch in disturbed[:CONFLICT_INPUTS_MAX]))
    goods = f"{counted.sku_id} (lot {counted.lot})" if counted.lot else counted.sku_id
    at_basis = book - sum(touch.change for touch in window)
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=f"the count of {goods} in {counted.bin_id} began at event {counted.basis_seq} and found {counted.units};"
        + (
            f" the book held {at_basis} then and {book} now, after {told(disturbed)}"
            if window
            else f" that was too long ago to look at what moved since; the book holds {book} now"
        ),
        effect=f"nothing is booked for {goods} in {counted.bin_id}; it is to be counted again",
        undo="nothing was changed: count again, beginning with count_begin",
        node_id=counted.node_id,
        sku_id=counted.sku_id,
        effects=(f"recount:{counted.bin_id}/{counted.sku_id}/{counted.lot}",),
        needs=f"count {goods} in {counted.bin_id} again while nobody works there",
    )


def told(disturbed: Sequence[Touch]) -> str:
    """The movements in a few words, such as "pick -3 for FO-1"; the first of them, if they are many."""
    words = [
        f"{touch.command} {touch.change:+d}{f' for {touch.serves}' if touch.serves else ''}"
        for touch in disturbed[:_MOVEMENTS_TOLD_MAX]
    ]
    more = len(disturbed) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")
