"""Places that are to be counted: opened by whoever doubts the book, closed by the count itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bodega.codec import account_to_wire
from bodega.core.ledger import Account
from bodega.limits import DIVERGENCE_BOOK_ROWS_MAX
from bodega.v1 import journal_pb2, stock_pb2
from bodega_agent.store.transaction import Context, Transaction

COUNT = "count"

# Set while a comparison with the hub is wanted sooner than by the schedule: see `IntegrityService`.
CHECKPOINT_WANTED = "checkpoint_wanted"


class CountTask(NamedTuple):
    """A task, and the event of the journal that opened it."""

    task_id: str
    seq: int


def open_task(
    tx: Transaction, context: Context, bin_id: str, sku_id: str = "", lot: str = "", divergence_id: str = ""
) -> CountTask:
    """Ask for a count of one SKU and lot in a bin, or of all that lies there."""
    seq = tx.head.seq + 1
    task_id = f"count-{tx.get('node_id')}-{seq}"
    tx.append(
        context,
        task_opened=journal_pb2.TaskOpened(
            task_id=task_id, kind=COUNT, bin_id=bin_id, sku_id=sku_id, lot=lot, divergence_id=divergence_id
        ),
    )
    tx.execute(
        "INSERT INTO count_task(task_id, seq, bin, sku_id, lot, divergence_id) VALUES (?, ?, ?, ?, ?, ?)",
        (task_id, seq, bin_id, sku_id, lot, divergence_id),
    )
    return CountTask(task_id, seq)


def close(tx: Transaction, context: Context, bin_id: str, sku_id: str, lot: str) -> None:
    """A count has settled this place: nobody need count it again."""
    rows = tx.execute(
        "SELECT task_id, sku_id, divergence_id FROM count_task"
        " WHERE bin = ? AND sku_id = ? AND lot = ? AND closed_seq = 0 ORDER BY seq",
        (bin_id, sku_id, lot),
    )
    for task_id, of_sku, divergence_id in list(rows):
        seq = tx.append(
            context, task_closed=_closed(tx, divergence_id, of_sku, task_id=task_id, bin_id=bin_id, lot=lot)
        )
        tx.execute("UPDATE count_task SET closed_seq = ? WHERE task_id = ?", (seq, task_id))
        _compare_if_done(tx, divergence_id)


def open_wanted(tx: Transaction, context: Context, wanted: journal_pb2.CountWanted) -> None:
    """The hub's copy of the stock differs here: a task for each place, once.

    A place that this node does not have cannot be counted. A SKU with no other place is settled at once: what the book
    says of it is told.
    """
    if tx.one("SELECT 1 FROM count_task WHERE divergence_id = ?", (wanted.divergence_id,)):
        return
    asked: dict[str, set[tuple[str, str]]] = {}
    for place in wanted.places:
        asked.setdefault(place.sku_id, set()).add((place.bin_id, place.lot))
    uncountable = []
    for sku_id, places in asked.items():
        countable = sorted(_countable(tx, sku_id, places))
        for bin_id, lot in countable:
            open_task(tx, context, bin_id, sku_id, lot, wanted.divergence_id)
        if not countable:
            uncountable.append(sku_id)
    for sku_id in uncountable:
        tx.append(context, task_closed=_closed(tx, wanted.divergence_id, sku_id))
    _compare_if_done(tx, wanted.divergence_id)


def _countable(tx: Transaction, sku_id: str, places: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    here = {
        (bin_id, lot)
        for bin_id, lot in tx.execute(
            "SELECT DISTINCT bin, lot FROM balance WHERE sku_id = ? AND bin <> ''", (sku_id,)
        )
    }
    named = {place for place in places if tx.one("SELECT 1 FROM bin WHERE bin_id = ?", (place[0],))}
    return here | named


def _compare_if_done(tx: Transaction, divergence_id: str) -> None:
    """With the last count of a difference both books are compared again, soon."""
    left = tx.one("SELECT 1 FROM count_task WHERE divergence_id = ? AND closed_seq = 0", (divergence_id,))
    if divergence_id and not left:
        tx.put(CHECKPOINT_WANTED, 1)


def _closed(
    tx: Transaction, divergence_id: str, sku_id: str, *, task_id: str = "", bin_id: str = "", lot: str = ""
) -> journal_pb2.TaskClosed:
    book = _book_of(tx, sku_id) if divergence_id else []
    fits = len(book) <= DIVERGENCE_BOOK_ROWS_MAX
    return journal_pb2.TaskClosed(
        task_id=task_id,
        bin_id=bin_id,
        sku_id=sku_id,
        lot=lot,
        divergence_id=divergence_id,
        book=book if fits else (),
        book_left_out=not fits,
    )


def _book_of(tx: Transaction, sku_id: str) -> list[stock_pb2.LedgerSnapshot.Balance]:
    """Every account of a SKU."""
    rows = tx.execute(
        "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance WHERE sku_id = ?"
        " ORDER BY bin, disposition, lot, owner, external",
        (sku_id,),
    )
    return [
        stock_pb2.LedgerSnapshot.Balance(account=account_to_wire(Account(*account)), quantity=quantity)
        for *account, quantity in rows
    ]
