"""Stock movements inside one transaction: book by the pure rules, keep balances beside the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bodega.codec import discrepancy_to_wire
from bodega.core.ledger import (
    NO_REFERENCE,
    Account,
    Discrepancy,
    Entered,
    Goods,
    LotSeen,
    Movement,
    Reference,
    places_of_serials,
)
from bodega.core.recipes import Book, Booking, Places, SerialKey, book, taken_as
from bodega.v1 import stock_pb2
from bodega_agent.store.transaction import Context, Transaction


def move(  # noqa: PLR0913  # the parts of a movement
    tx: Transaction,
    context: Context,
    command: str,
    goods: Iterable[Goods],
    *,
    source_bin: str = "",
    target_bin: str = "",
    reference: Reference = NO_REFERENCE,
    entered: Sequence[Entered] = (),
    lots: Sequence[LotSeen] = (),
) -> int:
    """Book a command, record its movement and what it uncovered; returns the movement's sequence."""
    items = tuple(goods)
    places = Places(source_bin, target_bin)
    booking = book(command, items, held_for(tx, command, items, places), places, reference=reference)
    if entered or lots:
        movement = booking.movement._replace(entered=tuple(entered), lots=tuple(lots))
        booking = booking._replace(movement=movement)
    return record_booking(tx, context, booking)


def held_for(tx: Transaction, command: str, goods: Sequence[Goods], places: Places) -> Book:
    """What the rules must know to book a command (see `core.recipes.Book`), until the next movement."""
    bin_id, disposition = places.source_bin, taken_as(command, places)
    wanted: dict[Account, int] = {}
    for item in goods:
        if item.serials:
            return held_at(tx, goods, bin_id)
        if bin_id and disposition:
            account = Account(item.sku_id, bin_id, disposition, item.lot, item.owner)
            wanted[account] = wanted.get(account, 0) + item.quantity
    for account, quantity in wanted.items():
        _make_known(tx, account, quantity)
    return Book(tx.pending.units_at_least)


def _make_known(tx: Transaction, account: Account, wanted: int) -> None:
    """Look up how many units an account of the node holds, unless so many are known to be there."""
    if tx.pending.units_at_least.get(account, 0) >= wanted:
        tx.has_guessed = True
        return
    rows = tx.peek(_UNITS_IN, account)
    tx.pending.learn(account, rows[0][0] if rows else 0)


def held_at(tx: Transaction, goods: Iterable[Goods], *places: str) -> Book:
    """All balances of these goods at these places, and where the named serials are now."""
    balances: dict[Account, int] = {}
    serials: dict[SerialKey, Account] = {}
    for item in goods:
        for place in places:
            balances.update(balances_of(tx, item.sku_id, place))
        if item.serials:
            there = where_serials_are(tx, ((item.sku_id, serial) for serial in item.serials))
            serials.update(there)
            for place in {account.bin for account in there.values()}:
                balances.update(balances_of(tx, item.sku_id, place))
    return Book(balances, serials)


def record_booking(tx: Transaction, context: Context, booking: Booking) -> int:
    """Record a movement and what it uncovered; returns the movement's sequence."""
    seq = record(tx, context, booking.movement)
    for found in booking.discrepancies:
        open_discrepancy(tx, context, found)
    return seq


def open_discrepancy(tx: Transaction, context: Context, found: Discrepancy) -> None:
    """Say that the book and the shelf differ."""
    opened = tx.append(context, discrepancy_opened=discrepancy_to_wire(found))
    tx.execute(
        "INSERT INTO discrepancy(seq, bin, sku_id, lot, difference, reason) VALUES (?, ?, ?, ?, ?, ?)",
        (opened, found.bin_id, found.sku_id, found.lot, found.difference, found.reason),
    )


def close_discrepancies(tx: Transaction, context: Context, opened: Iterable[int], reason: str) -> None:
    """The events that opened them are settled: one fact a place, and their rows closed."""
    places: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for seq in opened:
        row = tx.one("SELECT bin, sku_id, lot FROM discrepancy WHERE seq = ?", (seq,))
        assert row is not None, "the caller has read it in this transaction"
        places[row[0], row[1], row[2]].append(seq)
    for (bin_id, sku_id, lot), seqs in places.items():
        closed = tx.append(
            context,
            discrepancy_closed=stock_pb2.DiscrepancyClosed(
                bin_id=bin_id,
                sku_id=sku_id,
                lot=lot,
                opened=[f"{tx.head.epoch}/{seq}" for seq in seqs],
                reason=reason,
            ),
        )
        tx.executemany("UPDATE discrepancy SET closed_seq = ? WHERE seq = ?", ((closed, seq) for seq in seqs))


def all_goods(tx: Transaction, balances: Mapping[Account, int]) -> list[Goods]:
    """All that lies in these accounts; units with a serial apart from those that never had one."""
    goods: list[Goods] = []
    for account, quantity in sorted(balances.items()):
        serials = serials_at(tx, account)[:quantity]
        if serials:
            goods.append(Goods(account.sku_id, len(serials), account.lot, account.owner, serials))
        if quantity > len(serials):
            goods.append(Goods(account.sku_id, quantity - len(serials), account.lot, account.owner))
    return goods


def serials_at(tx: Transaction, account: Account) -> tuple[str, ...]:
    """The serial numbers that the book has in one account of the node, in order."""
    rows = tx.execute(
        "SELECT serial FROM serial WHERE bin = ? AND bin <> '' AND sku_id = ? AND disposition = ? AND lot = ?"
        " AND owner = ? ORDER BY serial",
        (account.bin, account.sku_id, account.disposition, account.lot, account.owner),
    )
    return tuple(row[0] for row in rows)


def balance_of(tx: Transaction, account: Account) -> int:
    """Base units in one account."""
    row = tx.one(_UNITS_IN, account)
    return row[0] if row else 0


def record(tx: Transaction, context: Context, movement: Movement) -> int:
    """Append a movement and keep balances, serials and lots with it."""
    tx.pending.post(movement.postings)
    for sku_id, serial, account in places_of_serials(movement):
        tx.execute(
            "INSERT OR REPLACE INTO serial(sku_id, serial, bin, disposition, lot, owner, external)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (sku_id, serial, *account[1:]),
        )
    for seen in movement.lots:
        tx.execute(
            "INSERT INTO lot(sku_id, lot, expiry) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET expiry = excluded.expiry WHERE excluded.expiry <> ''",
            (seen.sku_id, seen.lot, seen.expiry),
        )
    return tx.append_movement(context, movement)


def balances_at(tx: Transaction, place: str) -> dict[Account, int]:
    """All balances of one place; empty for no place (goods that come from outside)."""
    rows = tx.execute(_BALANCES_AT, (place,)) if place else ()
    return {Account(*account): quantity for *account, quantity in rows}


def balances_of(tx: Transaction, sku_id: str, place: str) -> dict[Account, int]:
    """Of one SKU."""
    rows = tx.execute(_BALANCES_OF, (sku_id, place)) if place else ()
    return {Account(*account): quantity for *account, quantity in rows}


_UNITS_IN = (
    "SELECT quantity FROM balance WHERE sku_id = ? AND bin = ? AND disposition = ? AND lot = ?"
    " AND owner = ? AND external = ?"
)
_BALANCES_AT = (
    "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance WHERE bin = ? AND bin <> ''"
)
_BALANCES_OF = (
    "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance"
    " WHERE sku_id = ? AND bin = ?"
)


def where_serials_are(tx: Transaction, keys: Iterable[SerialKey]) -> dict[SerialKey, Account]:
    """The account that holds each of these (SKU, serial); one that was never seen is left out."""
    found: dict[SerialKey, Account] = {}
    for sku_id, serial in keys:
        row = tx.one(
            "SELECT bin, disposition, lot, owner, external FROM serial WHERE sku_id = ? AND serial = ?",
            (sku_id, serial),
        )
        if row:
            found[sku_id, serial] = Account(sku_id, *row)
    return found
