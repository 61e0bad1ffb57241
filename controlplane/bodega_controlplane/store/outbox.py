"""The hub's stream for each node: the record from which the broker's stream can always be made again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bodega.core.chain import GENESIS
from bodega.core.sync import Head, Recorded
from bodega_controlplane.store.schema import down_log
from bodega_controlplane.store.transaction import Transaction

# Put together once: the pump asks both for every envelope.
_OF_STREAM = (
    down_log.c.node_id == sa.bindparam("node_id"),
    down_log.c.epoch == sa.bindparam("epoch"),
)
_FROM = (
    sa.select(down_log.c.seq, down_log.c.body, down_log.c.hash)
    .where(*_OF_STREAM, down_log.c.seq >= sa.bindparam("first_seq"))
    .order_by(down_log.c.seq)
    .limit(sa.bindparam("rows_max"))
)
_HASH_AT = sa.select(down_log.c.hash).where(*_OF_STREAM, down_log.c.seq == sa.bindparam("at_seq"))


def append(
    tx: Transaction,
    node_id: str,
    epoch: int,
    first_seq: int,
    bodies: Sequence[bytes],
    hashes: Sequence[bytes],
    *,
    at_ms: int,
) -> None:
    """Write consecutive events; the caller holds the node's row and moves its head."""
    rows = [
        {
            "node_id": node_id,
            "epoch": epoch,
            "seq": first_seq + place,
            "body": body,
            "hash": digest,
            "at_ms": at_ms,
        }
        for place, (body, digest) in enumerate(zip(bodies, hashes, strict=True))
    ]
    tx.insert_many(down_log, rows)


def from_seq(tx: Transaction, node_id: str, epoch: int, seq: int, limit: int) -> list[Recorded]:
    """Events from `seq` on, in order."""
    asked = {"node_id": node_id, "epoch": epoch, "first_seq": seq, "rows_max": limit}
    return [Recorded(*row) for row in tx.connection.execute(_FROM, asked)]


def body_at(tx: Transaction, node_id: str, epoch: int, seq: int) -> bytes | None:
    """The bytes of one event."""
    query = sa.select(down_log.c.body).where(
        down_log.c.node_id == node_id, down_log.c.epoch == epoch, down_log.c.seq == seq
    )
    return tx.connection.execute(query).scalar_one_or_none()


def hash_at(tx: Transaction, node_id: str, epoch: int, seq: int) -> bytes | None:
    """The chain hash after `seq`; None if the stream is not that long."""
    if seq == 0:
        return GENESIS
    asked = {"node_id": node_id, "epoch": epoch, "at_seq": seq}
    return tx.connection.execute(_HASH_AT, asked).scalar_one_or_none()


def trim(tx: Transaction, node_id: str, applied: Head, before_ms: int, rows_max: int) -> int:
    """Delete what a node has applied and was written before a time, and all of older epochs; how many rows went.

    The row at `applied` stays: the stream goes on from its hash.
    """
    old_epoch = down_log.c.epoch < applied.epoch
    old = sa.and_(
        down_log.c.epoch == applied.epoch, down_log.c.seq < applied.seq, down_log.c.at_ms < before_ms
    )
    gone = (
        sa.select(down_log.c.epoch, down_log.c.seq)
        .where(down_log.c.node_id == node_id, sa.or_(old_epoch, old))
        .order_by(down_log.c.epoch, down_log.c.seq)
        .limit(rows_max)
    )
    keys = [{"old_epoch": row.epoch, "old_seq": row.seq} for row in tx.connection.execute(gone)]
    if keys:
        which = (down_log.c.epoch == sa.bindparam("old_epoch"), down_log.c.seq == sa.bindparam("old_seq"))
        tx.connection.execute(sa.delete(down_log).where(down_log.c.node_id == node_id, *which), keys)
    return len(keys)
