"""Deliveries that suppliers have announced, as the hub has said; higher versions replace."""

from __future__ import annotations

from typing import NamedTuple

from bodega.errors import InvalidInput
from bodega.limits import QUANTITY_MAX
from bodega.limits_floor import NOTICE_LINES_MAX
from bodega.v1 import floor_pb2
from bodega_agent.store.transaction import Transaction


class Notice(NamedTuple):
    """A notice without its lines."""

    notice_id: str
    supplier: str
    withdrawn: bool


class NoticeLine(NamedTuple):
    """Units of one SKU and lot (empty: any); `sscc` of the pallet that holds them, or empty."""

    sku_id: str
    lot: str
    expiry: str
    quantity: int
    sscc: str


def put_notice(tx: Transaction, notice: floor_pb2.AdvanceNotice) -> None:
    """Keep a notice; raises InvalidInput for one that no receipt could answer. What came in already stays."""
    row = tx.one("SELECT version FROM notice WHERE notice_id = ?", (notice.notice_id,))
    if row and row[0] >= notice.version:
        return
    if len(notice.lines) > NOTICE_LINES_MAX:
        raise InvalidInput(
            f"notice {notice.notice_id} has {len(notice.lines)} lines, {NOTICE_LINES_MAX} is the most",
            hint="announce the delivery in several notices",
        )
    if wrong := next((line for line in notice.lines if not 0 < line.quantity <= QUANTITY_MAX), None):
        raise InvalidInput(
            f"notice {notice.notice_id} announces {wrong.quantity} units of {wrong.sku_id}",
            hint=f"announce 1 to {QUANTITY_MAX} base units a line",
        )
    tx.execute(
        "INSERT OR REPLACE INTO notice(notice_id, version, supplier, expected_at_ms, withdrawn)"
        " VALUES (?, ?, ?, ?, ?)",
        (notice.notice_id, notice.version, notice.supplier, notice.expected_at_ms, notice.withdrawn),
    )
    tx.execute("DELETE FROM notice_line WHERE notice_id = ?", (notice.notice_id,))
    tx.executemany(
        "INSERT INTO notice_line(notice_id, line, sku_id, lot, expiry, quantity, sscc) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (notice.notice_id, number, line.sku_id, line.lot, line.expiry, line.quantity, line.sscc)
            for number, line in enumerate(notice.lines, start=1)
        ),
    )


def named_by(tx: Transaction, text: str) -> str:
    """The notice, or the receipt, that this label names; empty if it names neither."""
    known = tx.one("SELECT 1 FROM notice WHERE notice_id = ?", (text,)) or tx.one(
        "SELECT 1 FROM receipt WHERE receipt_id = ?", (text,)
    )
    return text if known else ""


def find(tx: Transaction, notice_id: str) -> Notice | None:
    """A notice, or None."""
    row = tx.one("SELECT notice_id, supplier, withdrawn FROM notice WHERE notice_id = ?", (notice_id,))
    return Notice(row[0], row[1], bool(row[2])) if row else None


def lines_of(tx: Transaction, notice_id: str) -> list[NoticeLine]:
    """All lines of a notice, in its order."""
    rows = tx.execute(
        "SELECT sku_id, lot, expiry, quantity, sscc FROM notice_line WHERE notice_id = ? ORDER BY line",
        (notice_id,),
    )
    return [NoticeLine(*row) for row in rows]


def of_pallet(tx: Transaction, sscc: str) -> str:
    """The notice that announces a pallet, the newest if several do; empty if none."""
    row = tx.one(
        "SELECT notice_id FROM notice_line JOIN notice USING (notice_id) WHERE sscc = ? AND sscc <> ''"
        " ORDER BY withdrawn, version DESC LIMIT 1",
        (sscc,),
    )
    return row[0] if row else ""
