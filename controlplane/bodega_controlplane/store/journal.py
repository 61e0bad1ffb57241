"""The nodes' journals as they arrived, byte for byte, and what could not be applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.schema import journal, parked_event, refused_envelope
from bodega_controlplane.store.transaction import Transaction

Values = Mapping[str, Any]

# Refused envelopes of several connections take turns to number themselves.
_REFUSED_LOCK = 0x72656675


# Events come by the hundred thousand: their rows are plain tuples, in this order.
COLUMNS = ("node_id", "epoch", "seq", "cmd_id", "fact", "at_ms", "committed_ms", "body", "hash")


def append(tx: Transaction, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows of the journal as tuples of COLUMNS, in order."""
    tx.insert_rows(journal, COLUMNS, rows)


def park(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of node_id, epoch, seq, reason: events in the journal without an effect."""
    if rows:
        tx.insert_many(parked_event, rows)


def body_at(tx: Transaction, node_id: str, epoch: int, seq: int) -> bytes | None:
    """The bytes of one event."""
    query = sa.select(journal.c.body).where(
        journal.c.node_id == node_id, journal.c.epoch == epoch, journal.c.seq == seq
    )
    return tx.connection.execute(query).scalar_one_or_none()


def movements_between(tx: Transaction, node_id: str, epoch: int, after: int, before: int) -> list[bytes]:
    """The bytes of the movements between two sequences, both of them left out."""
    query = (
        sa.select(journal.c.body)
        .where(journal.c.node_id == node_id, journal.c.epoch == epoch, journal.c.fact == "movement")
        .where(journal.c.seq > after, journal.c.seq < before)
    )
    return list(tx.connection.execute(query).scalars())


def keep_refused(
    tx: Transaction, *, node_id: str, subject: str, reason: str, body: bytes, at_ms: int, rows_max: int
) -> None:
    """Keep an envelope for people to look at; of all kept, only the newest `rows_max` stay."""
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_REFUSED_LOCK)))
    number = refused_envelope.c.refused_no
    newest = tx.connection.execute(sa.select(sa.func.max(number))).scalar_one() or 0
    row = {"node_id": node_id, "subject": subject, "reason": reason, "body": body, "at_ms": at_ms}
    tx.connection.execute(sa.insert(refused_envelope).values(refused_no=newest + 1, **row))
    tx.connection.execute(sa.delete(refused_envelope).where(number <= newest + 1 - rows_max))
