"""What came in, counted by receipt. Stock is in the ledger; this is how a delivery stands against its notice."""

from __future__ import annotations

from typing import NamedTuple

from bodega.v1 import floor_pb2
from bodega_agent.rules.floor.receive.against import Came, Line, SkuLot, compare
from bodega_agent.store import notices
from bodega_agent.store.transaction import Context, Transaction


class Receipt(NamedTuple):
    """One delivery; `notice_id` is empty for a blind one. It belongs to the device that began it."""

    receipt_id: str
    notice_id: str
    device: str
    is_open: bool


_COLUMNS = "receipt_id, notice_id, device, closed_seq = 0"


def next_id(tx: Transaction) -> str:
    """The identifier that a receipt opened by the very next event gets: never given twice at this node."""
    return f"RCV-{tx.head.epoch}-{tx.head.seq + 1}"


def open_receipt(tx: Transaction, context: Context, receipt_id: str, notice_id: str) -> None:
    """A delivery begins to come in."""
    opened = floor_pb2.ReceiptAdvanced(receipt_id=receipt_id, notice_id=notice_id, state="open")
    seq = tx.append(context, receipt_advanced=opened)
    tx.execute(
        "INSERT INTO receipt(receipt_id, notice_id, device, opened_seq, opened_at_ms) VALUES (?, ?, ?, ?, ?)",
        (receipt_id, notice_id, context.device, seq, tx.now_ms()),
    )


def count(tx: Transaction, receipt_id: str, sku_id: str, lot: str, more: Came) -> None:
    """Count more units of one SKU and lot on a receipt."""
    tx.execute(
        "INSERT INTO receipt_line(receipt_id, sku_id, lot, received, damaged, held) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET received = received + excluded.received,"
        " damaged = damaged + excluded.damaged, held = held + excluded.held",
        (receipt_id, sku_id, lot, *more),
    )


def close(tx: Transaction, context: Context, receipt_id: str) -> None:
    """All that came is in: tell it line by line."""
    receipt = find(tx, receipt_id)
    assert receipt is not None, "a receipt is closed by those who see it open"
    lines = [
        floor_pb2.ReceiptAdvanced.Line(
            sku_id=line.sku_id,
            lot=line.lot,
            expected=line.expected,
            received=line.received,
            damaged=line.damaged,
            held=line.held,
        )
        for line in lines_of(tx, receipt)
    ]
    closed = floor_pb2.ReceiptAdvanced(
        receipt_id=receipt_id, notice_id=receipt.notice_id, state="closed", lines=lines
    )
    seq = tx.append(context, receipt_advanced=closed)
    tx.execute("UPDATE receipt SET closed_seq = ? WHERE receipt_id = ?", (seq, receipt_id))


def put_back(tx: Transaction, said: floor_pb2.ReceiptAdvanced, device: str, opened_seq: int) -> None:
    """A receipt that this ledger has lost, or has an older copy of, by the hub's word: what came in only grows."""
    closed_seq = 0 if said.state == "open" else tx.head.seq
    tx.execute(
        "INSERT INTO receipt(receipt_id, notice_id, device, opened_seq, opened_at_ms, closed_seq)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET closed_seq = max(closed_seq, excluded.closed_seq)",
        (said.receipt_id, said.notice_id, device, opened_seq, tx.now_ms(), closed_seq),
    )
    tx.executemany(
        "INSERT INTO receipt_line(receipt_id, sku_id, lot, received, damaged, held) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET received = max(received, excluded.received),"
        " damaged = max(damaged, excluded.damaged), held = max(held, excluded.held)",
        (
            (said.receipt_id, line.sku_id, line.lot, line.received, line.damaged, line.held)
            for line in said.lines
        ),
    )


def find(tx: Transaction, receipt_id: str) -> Receipt | None:
    """A receipt, or None."""
    return _one(tx, "receipt_id = ?", receipt_id)


def open_at(tx: Transaction, device: str) -> Receipt | None:
    """The receipt that a device has begun last and not closed."""
    return _one(tx, "device = ? AND closed_seq = 0 ORDER BY opened_seq DESC", device)


def open_for(tx: Transaction, notice_id: str) -> Receipt | None:
    """The receipt on which a notice comes in now."""
    return _one(tx, "notice_id = ? AND notice_id <> '' AND closed_seq = 0 ORDER BY opened_seq", notice_id)


def _one(tx: Transaction, condition: str, value: str) -> Receipt | None:
    row = tx.one(f"SELECT {_COLUMNS} FROM receipt WHERE {condition} LIMIT 1", (value,))  # noqa: S608  # conditions are constants of this file
    return Receipt(row[0], row[1], row[2], bool(row[3])) if row else None


def hand_on(tx: Transaction, from_device: str, to_device: str) -> None:
    """Open receipts of a device go to the one that takes its work over."""
    tx.execute("UPDATE receipt SET device = ? WHERE device = ? AND closed_seq = 0", (to_device, from_device))


def lines_of(tx: Transaction, receipt: Receipt) -> tuple[Line, ...]:
    """How a receipt stands: what was announced and has not come with an earlier receipt, and what came with this."""
    return compare(
        still_announced(tx, receipt.notice_id, but=receipt.receipt_id), _came(tx, receipt.receipt_id)
    )


def still_announced(tx: Transaction, notice_id: str, *, but: str = "") -> list[tuple[str, str, int]]:
    """(SKU, lot, units) of a notice that have not come with any receipt but one."""
    announced = [(line.sku_id, line.lot, line.quantity) for line in notices.lines_of(tx, notice_id)]
    earlier: dict[SkuLot, Came] = {}
    rows = tx.execute(
        "SELECT sku_id, lot, sum(l.received) FROM receipt_line l JOIN receipt r USING (receipt_id)"
        " WHERE r.notice_id = ? AND r.notice_id <> '' AND r.receipt_id <> ? GROUP BY sku_id, lot",
        (notice_id, but),
    )
    for sku_id, lot, received in rows:
        earlier[sku_id, lot] = Came(received)
    if not earlier:
        return announced
    return [(line.sku_id, line.lot, line.open) for line in compare(announced, earlier) if line.open]


def _came(tx: Transaction, receipt_id: str) -> dict[SkuLot, Came]:
    rows = tx.execute(
        "SELECT sku_id, lot, received, damaged, held FROM receipt_line WHERE receipt_id = ? ORDER BY sku_id, lot",
        (receipt_id,),
    )
    return {(sku_id, lot): Came(*units) for sku_id, lot, *units in rows}
