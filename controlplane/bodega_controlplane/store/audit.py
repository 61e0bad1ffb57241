"""The audit trail's rows: a hash chain over all lines, written last in each transaction."""

from __future__ import annotations

import sqlalchemy as sa

from bodega.core.chain import GENESIS, link
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import audit
from bodega_controlplane.store.transaction import AuditLine, Transaction

# All writers meet here: the chain has one end.
_CHAIN_LOCK = 0x61756469

_BATCH = 1_000


def flush(tx: Transaction) -> None:
    """Chain and write the lines that the transaction has gathered."""
    if not tx.audit_lines:
        return
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    newest = sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    row = tx.connection.execute(newest).first()
    seq, head = (row.seq, row.hash) if row else (0, GENESIS)
    rows = []
    for entry in tx.audit_lines:
        seq, head = seq + 1, link(head, canonical(seq + 1, entry))
        rows.append(
            {
                "seq": seq,
                "at_ms": entry.at_ms,
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject,
                "detail": entry.detail,
                "hash": head,
            }
        )
    tx.insert_many(audit, rows)
    tx.audit_lines.clear()


def canonical(seq: int, entry: AuditLine) -> bytes:
    """The bytes of a line that are hashed: each text with its length, so that none can be shifted."""
    parts = (str(seq), str(entry.at_ms), entry.actor, entry.action, entry.subject, entry.detail)
    return b"bodega-audit-v1\n" + b"\n".join(f"{len(part)}:{part}".encode() for part in parts)


def newest_first(tx: Transaction, subject: str, limit: int) -> list[Row]:
    """Rows of the trail, of one subject or all."""
    query = sa.select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if subject:
        query = query.where(audit.c.subject == subject)
    return list(tx.connection.execute(query))


def verify(tx: Transaction) -> tuple[int, int]:
    """(lines checked, first bad sequence or 0); reads the whole trail in batches."""
    head, seq, checked = GENESIS, 0, 0
    while rows := _after(tx, seq):
        for row in rows:
            entry = AuditLine(row.at_ms, row.actor, row.action, row.subject, row.detail)
            head = link(head, canonical(row.seq, entry))
            checked += 1
            if row.seq != seq + 1 or row.hash != head:
                return checked, row.seq
            seq = row.seq
    return checked, 0


def _after(tx: Transaction, seq: int) -> list[Row]:
    query = sa.select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(_BATCH)
    return list(tx.connection.execute(query))
