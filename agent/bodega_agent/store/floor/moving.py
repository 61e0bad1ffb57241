"""Movements whose recipe leaves a disposition open: `move`, `change_disposition` and `scrap` on the floor."""

from __future__ import annotations

from bodega.core.ledger import NO_REFERENCE, Goods, Reference
from bodega.core.recipes import Places, book
from bodega_agent.store import ledger
from bodega_agent.store.floor.common import owned
from bodega_agent.store.transaction import Context, Transaction


def move_as(
    tx: Transaction,
    context: Context,
    command: str,
    goods: Goods,
    places: Places,
    reference: Reference = NO_REFERENCE,
) -> int:
    """Book a command over places with their dispositions; returns the movement's sequence."""
    items = (owned(tx, goods),)
    held = ledger.held_for(tx, command, items, places)
    return ledger.record_booking(tx, context, book(command, items, held, places, reference=reference))
