"""The audit trail: who changed what; append-only and hash-chained, without personal data."""

from __future__ import annotations

from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.app.views import AuditCheck, AuditEntryView
from bodega_controlplane.store import audit
from bodega_controlplane.store.transaction import Transaction


def list_audit(tx: Transaction, *, subject: str = "", size: int = 0) -> tuple[AuditEntryView, ...]:
    """Newest first; `subject` is an order, node or SKU id, empty for all."""
    return tuple(
        AuditEntryView(row.seq, row.at_ms, row.actor, row.action, row.subject, row.detail, row.hash)
        for row in audit.newest_first(tx, subject, limit_of(size))
    )


def verify_audit(tx: Transaction) -> AuditCheck:
    """Check the hash chain of the whole trail."""
    return AuditCheck(*audit.verify(tx))
