"""Places that are to be counted: opened by whoever doubts the book, closed by the count itself."""

from __future__ import annotations

from typing import NamedTuple

from bodega.v1 import journal_pb2
from bodega_agent.store.transaction import Context, Transaction

COUNT = "count"


class CountTask(NamedTuple):
    """A task, and the event of the journal that opened it."""

    task_id: str
    seq: int


def open_task(tx: Transaction, context: Context, bin_id: str, sku_id: str = "", lot: str = "") -> CountTask:
    """Ask for a count of one SKU and lot in a bin, or of all that lies there."""
    seq = tx.head.seq + 1
    task_id = f"count-{tx.get('node_id')}-{seq}"
    tx.append(
        context,
        task_opened=journal_pb2.TaskOpened(
            task_id=task_id, kind=COUNT, bin_id=bin_id, sku_id=sku_id, lot=lot
        ),
    )
    tx.execute(
        "INSERT INTO count_task(task_id, seq, bin, sku_id, lot) VALUES (?, ?, ?, ?, ?)",
        (task_id, seq, bin_id, sku_id, lot),
    )
    return CountTask(task_id, seq)


def close(tx: Transaction, bin_id: str, sku_id: str, lot: str) -> None:
    """A count has settled this place: nobody need count it again."""
    tx.execute(
        "UPDATE count_task SET closed_seq = ? WHERE bin = ? AND sku_id = ? AND lot = ? AND closed_seq = 0",
        (tx.head.seq, bin_id, sku_id, lot),
    )
