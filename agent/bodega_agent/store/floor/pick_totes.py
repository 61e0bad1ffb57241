"""Totes and whose goods are in them. A tote is known by its label; it serves one order, until that is packed.

Nothing has to be cleared: a tote is empty once its order is packed, or over with nothing left on its stage.
"""

from __future__ import annotations

import re

from bodega.core.ledger import stage_of
from bodega.core.lifecycles import FULFILLMENT
from bodega.limits_floor import TOTE_CHARS_MAX
from bodega_agent.store.transaction import Transaction

_LABEL = re.compile(r"TOTE-[A-Z0-9][A-Z0-9-]*")
_BEFORE_THE_BOX = frozenset({"picking", "picked"})


def named(_tx: Transaction, text: str) -> str:
    """The tote whose label says this text; empty if it is no label of a tote."""
    name = text.upper()
    return name if len(name) <= TOTE_CHARS_MAX and _LABEL.fullmatch(name) else ""


def order_in(tx: Transaction, tote_id: str) -> str:
    """The fulfillment order whose goods are in a tote; empty for an empty one."""
    row = tx.one(
        "SELECT fulfillment_order_id, state FROM tote JOIN fulfillment_order USING (fulfillment_order_id)"
        " WHERE tote_id = ?",
        (tote_id,),
    )
    if row is None:
        return ""
    order, state = row
    holds = state in _BEFORE_THE_BOX or (state in FULFILLMENT.terminal and _has_goods(tx, order))
    return str(order) if holds else ""


def _has_goods(tx: Transaction, order: str) -> bool:
    return tx.one("SELECT 1 FROM balance WHERE bin = ? AND bin <> '' LIMIT 1", (stage_of(order),)) is not None


def totes_of(tx: Transaction, fulfillment_order_id: str) -> tuple[str, ...]:
    """The totes that were scanned for an order, and serve no other one since."""
    rows = tx.execute(
        "SELECT tote_id FROM tote WHERE fulfillment_order_id = ? ORDER BY tote_id", (fulfillment_order_id,)
    )
    return tuple(row[0] for row in rows)


def bind(tx: Transaction, fulfillment_order_id: str, tote_id: str) -> None:
    """The tote serves this order from now on."""
    tx.execute(
        "INSERT OR REPLACE INTO tote(tote_id, fulfillment_order_id) VALUES (?, ?)",
        (tote_id, fulfillment_order_id),
    )
