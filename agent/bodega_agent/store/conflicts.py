"""Conflicts that rules have resolved at this node: recorded once in the journal, kept for `bodega conflicts`."""

from __future__ import annotations

from bodega.codec import conflict_to_wire
from bodega.core.conflicts.row import Conflict
from bodega.v1 import journal_pb2
from bodega_agent.store.transaction import Context, Transaction


def record(tx: Transaction, context: Context, conflict: Conflict) -> None:
    """Append the conflict and keep its row; the same meeting of facts again changes nothing."""
    if tx.one("SELECT 1 FROM conflict WHERE conflict_id = ?", (conflict.conflict_id,)):
        return
    body = conflict_to_wire(conflict)
    seq = tx.append(context, conflict_found=journal_pb2.ConflictFound(conflict=body))
    tx.execute(
        "INSERT INTO conflict(conflict_id, seq, body) VALUES (?, ?, ?)",
        (conflict.conflict_id, seq, body.SerializeToString()),
    )
