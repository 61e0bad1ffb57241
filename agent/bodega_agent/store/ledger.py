"""Stock movements inside one transaction: book by the pure rules, keep balances beside the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from bodega.codec import discrepancy_to_wire, movement_to_wire
from bodega.core.ledger import NO_REFERENCE, Account, Goods, Movement, Posting, Reference, book
from bodega_agent.store.transaction import Context, Transaction


def move(
    tx: Transaction,
    context: Context,
    command: str,
    goods: Iterable[Goods],
    *,
    source_bin: str = "",
    target_bin: str = "",
    reference: Reference = NO_REFERENCE,
) -> int:
    """Book a command, record its movement and what it uncovered; returns the movement's sequence."""
    items = tuple(goods)
    booking = book(
        command,
        items,
        balances_at(tx, source_bin),
        source_bin=source_bin,
        target_bin=target_bin,
        reference=reference,
    )
    seq = record(tx, context, booking.movement)
    for discrepancy in booking.discrepancies:
        tx.append(context, discrepancy_opened=discrepancy_to_wire(discrepancy))
    return seq


def record(tx: Transaction, context: Context, movement: Movement) -> int:
    """Append a movement and keep the balances with it."""
    apply_postings(tx, movement.postings)
    return tx.append(context, movement=movement_to_wire(movement))


def apply_postings(tx: Transaction, postings: Iterable[Posting]) -> None:
    """Net change per account; an account at zero has no row, and a CHECK keeps bins from going below."""
    changes: dict[Account, int] = defaultdict(int)
    for account, quantity in postings:
        changes[account] += quantity
    for account, change in changes.items():
        if not change:
            continue
        tx.execute(
            "UPDATE balance SET quantity = quantity + ? WHERE sku_id = ? AND bin = ? AND disposition = ?"
            " AND lot = ? AND owner = ? AND external = ?",
            (change, *account),
        )
        if tx.changes() == 0:
            tx.execute(
                "INSERT INTO balance(sku_id, bin, disposition, lot, owner, external, quantity)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*account, change),
            )
        elif change < 0 or account.external:
            tx.execute(
                "DELETE FROM balance WHERE sku_id = ? AND bin = ? AND disposition = ? AND lot = ?"
                " AND owner = ? AND external = ? AND quantity = 0",
                tuple(account),
            )


def balances_at(tx: Transaction, place: str) -> dict[Account, int]:
    """All balances of one place; empty for no place (goods that come from outside)."""
    if not place:
        return {}
    rows = tx.execute(
        "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance"
        " WHERE bin = ? AND bin <> ''",
        (place,),
    )
    return {Account(*row[:6]): row[6] for row in rows}
