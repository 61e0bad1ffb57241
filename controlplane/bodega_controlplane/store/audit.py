"""The audit trail's rows: a hash chain over all lines, written last in each transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from bodega.core.chain import GENESIS, link
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import audit
from bodega_controlplane.store.transaction import AuditLine, Transaction

# All writers meet here: the chain has one end.
_CHAIN_LOCK = 0x61756469

_BATCH = 1_000
# Put together once: every transaction that changes something asks it.
_NEWEST = sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)


def flush(tx: Transaction) -> None:
    """Chain and write the lines that the transaction has gathered."""
    if not tx.audit_lines:
        return
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    row = tx.connection.execute(_NEWEST).first()
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; what is empty asks for all. `action` that ends in a dot: all actions that begin with it."""

    subject: str = ""
    actor: str = ""
    action: str = ""
    since_ms: int = 0


def newest_first(tx: Transaction, wanted: Wanted, limit: int, before_seq: int | None = None) -> list[Row]:
    """Lines of the trail before one, or from its end."""
    query = sa.select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if wanted.subject:
        query = query.where(audit.c.subject == wanted.subject)
    if wanted.actor:
        query = query.where(audit.c.actor == wanted.actor)
    if wanted.action.endswith("."):
        query = query.where(audit.c.action.startswith(wanted.action, autoescape=True))
    elif wanted.action:
        query = query.where(audit.c.action == wanted.action)
    if wanted.since_ms:
        query = query.where(audit.c.at_ms >= wanted.since_ms)
    if before_seq is not None:
        query = query.where(audit.c.seq < before_seq)
    return list(tx.connection.execute(query))


def newest_seq(tx: Transaction) -> int:
    """The last line's sequence; 0 for none."""
    return int(tx.connection.execute(sa.select(sa.func.max(audit.c.seq))).scalar_one() or 0)


def fits(tx: Transaction, seq: int, digest: bytes) -> bool:
    """Whether this line is there with this hash; there is a line 0 before the first."""
    query = sa.select(audit.c.hash).where(audit.c.seq == seq)
    return seq == 0 or tx.connection.execute(query).scalar_one_or_none() == digest


class Verified(NamedTuple):
    """Lines checked, the first bad sequence or 0, and the last line that fits."""

    checked: int
    first_bad_seq: int
    seq: int
    hash: bytes


def verify(
    tx: Transaction, after_seq: int = 0, after_hash: bytes = GENESIS, lines_max: int | None = None
) -> Verified:
    """Check the lines after one, in batches: all of them, or the first `lines_max`."""
    head, seq, checked = after_hash, after_seq, 0
    while rows := _after(tx, seq, _BATCH if lines_max is None else min(_BATCH, lines_max - checked)):
        for row in rows:
            entry = AuditLine(row.at_ms, row.actor, row.action, row.subject, row.detail)
            expected = link(head, canonical(row.seq, entry))
            checked += 1
            if row.seq != seq + 1 or row.hash != expected:
                return Verified(checked, row.seq, seq, head)
            seq, head = row.seq, expected
    return Verified(checked, 0, seq, head)


def _after(tx: Transaction, seq: int, limit: int) -> list[Row]:
    query = sa.select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(limit)
    return list(tx.connection.execute(query))
