"""Lots past their day: what a node does not sell any more, the hub does not promise either.

A lot's day is what the node's movements have said of it. The day of today is the hub's clock, as it is the node's
own there; it decides what may be promised, never what lies on a shelf. A lot that a person at a node lets be sold
after its day stays out of the hub's promises.
"""

from __future__ import annotations

from bodega.core.expiry import day_of, is_past
from bodega.core.ledger import LotSeen
from bodega_controlplane.store import lots
from bodega_controlplane.store.transaction import Transaction


def row_of(node_id: str, seen: LotSeen, now_ms: int) -> dict[str, object]:
    """A row of `lot`: what a node has learned, judged by today."""
    past = is_past(seen.expiry, day_of(now_ms))
    return {
        "node_id": node_id,
        "sku_id": seen.sku_id,
        "lot": seen.lot,
        "expiry": seen.expiry,
        "past": past,
    }


def judge_all(tx: Transaction, *, now_ms: int) -> int:
    """Judge all lots by today, both ways, for a clock may have been wrong; how many have changed."""
    return lots.judge(tx, day_of(now_ms))
