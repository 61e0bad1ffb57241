"""Closing a return: what the customer should get money back for, and what was not as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bodega_agent.rules.floor.effects import NoteException
from bodega_agent.rules.floor.returns.choices import GRADES, WRONG_ITEM
from bodega_agent.rules.floor.returns.facts import Return
from bodega_agent.rules.floor.words import Word


def refunds(closing: Return) -> tuple[tuple[int, int], ...]:
    """(line, units): never more of a SKU than is owed for the order, and nothing for goods of another sale.

    Where nobody here knows what was sent (a blind return), all that came back is named; the hub decides.
    """
    left = Counter({due.sku_id: 0 for due in closing.owed})
    for due in closing.owed:
        left[due.sku_id] += due.quantity
    found = []
    for line in closing.lines:
        if line.grade == WRONG_ITEM:
            continue
        units = min(line.quantity, left[line.sku_id]) if closing.is_owed_known else line.quantity
        left[line.sku_id] -= units
        if units > 0:
            found.append((line.line, units))
    return tuple(found)


def exceptions(closing: Return) -> Iterator[NoteException]:
    """Announced and not come, more than was sent, another thing, damaged."""
    for due in closing.outstanding() if closing.announced else ():
        yield NoteException(
            "return_missing", reference=closing.return_id, sku_id=due.sku_id, quantity=due.quantity
        )
    refunded = dict(refunds(closing))
    for line in closing.lines:
        kind, quantity = "", line.quantity
        if line.grade == WRONG_ITEM:
            kind = "wrong_item_returned"
        elif line.quantity > refunded.get(line.line, 0):
            kind, quantity = "return_over", line.quantity - refunded.get(line.line, 0)
        elif line.grade == GRADES[Word.DAMAGED]:
            kind = "damaged_return"
        if kind:
            yield NoteException(
                kind, line.grade, closing.return_id, sku_id=line.sku_id, lot=line.lot, quantity=quantity
            )
