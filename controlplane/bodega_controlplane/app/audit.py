"""The audit trail."""

from __future__ import annotations

from bodega_controlplane.app.views import AuditCheck, AuditEntryView
from bodega_controlplane.store.transaction import Transaction


def list_audit(tx: Transaction, *, subject: str = "", size: int = 0) -> tuple[AuditEntryView, ...]:
    """Newest first; `subject` is an order, node or SKU id, empty for all."""
    raise NotImplementedError


def verify_audit(tx: Transaction) -> AuditCheck:
    """Check the hash chain of the whole trail."""
    raise NotImplementedError
