"""The audit trail: who changed what; append-only and hash-chained, without personal data."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.chain import GENESIS
from bodega.errors import FieldFault, InvalidInput
from bodega.limits_hub import AUDIT_LINES_PER_CHECK_MAX
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.views import AuditEntryView, Page, PageRequest
from bodega_controlplane.store import audit
from bodega_controlplane.store.audit import Wanted
from bodega_controlplane.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """Lines checked, and the first that does not fit the chain (0 if all do).

    `upto_seq` and `upto_hash`: the last line that fits. `newest_seq`: where the trail ends.
    """

    entries: int
    first_bad_seq: int
    upto_seq: int
    upto_hash: bytes
    newest_seq: int


def list_audit(tx: Transaction, *, subject: str = "", size: int = 0) -> tuple[AuditEntryView, ...]:
    """Newest first; `subject` is an order, node or SKU id, empty for all."""
    return page_of_audit(tx, PageRequest(size), Wanted(subject=subject)).rows


def page_of_audit(tx: Transaction, page: PageRequest, wanted: Wanted) -> Page[AuditEntryView]:
    """Newest first. Raises InvalidInput for a token that is none."""
    limit = limit_of(page.size)
    key = key_of(page.token, int)
    rows = audit.newest_first(tx, wanted, limit + 1, before_seq=int(key[0]) if key else None)
    views = tuple(
        AuditEntryView(row.seq, row.at_ms, row.actor, row.action, row.subject, row.detail, row.hash)
        for row in rows[:limit]
    )
    return Page(views, token_after(views[-1].seq) if len(rows) > limit else "")


def verify_audit(
    tx: Transaction, *, after_seq: int = 0, after_hash: bytes = GENESIS, lines_max: int | None = None
) -> AuditCheck:
    """Check the hash chain after a line that is known to be right, with its hash; `lines_max` None: to the end.

    That there is such a line, with that hash, is a part of the check: one that was cut off is found. Raises
    InvalidInput for a hash that is none.
    """
    if len(after_hash) != len(GENESIS) or (after_seq == 0 and after_hash != GENESIS):
        problem = f"must have {len(GENESIS)} bytes; for line 0 it is left out"
        raise InvalidInput("the check can not begin there", faults=(FieldFault("after_hash", problem),))
    newest_seq = audit.newest_seq(tx)
    if not audit.fits(tx, after_seq, after_hash):
        return AuditCheck(0, after_seq, 0, GENESIS, newest_seq)
    found = audit.verify(tx, after_seq, after_hash, lines_max)
    return AuditCheck(found.checked, found.first_bad_seq, found.seq, found.hash, newest_seq)


def lines_of(asked: int) -> int | None:
    """Lines to check in one call: all for 0, never more than AUDIT_LINES_PER_CHECK_MAX."""
    return min(asked, AUDIT_LINES_PER_CHECK_MAX) or None
