"""The hub's stream for each node: the record from which the broker's stream can always be made again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bodega.core.chain import GENESIS
from bodega.core.sync import Recorded
from bodega_controlplane.store.schema import down_log
from bodega_controlplane.store.transaction import Transaction


def append(
    tx: Transaction,
    node_id: str,
    epoch: int,
    first_seq: int,
    bodies: Sequence[bytes],
    hashes: Sequence[bytes],
) -> None:
    """Write consecutive events; the caller holds the node's row and moves its head."""
    rows = [
        {"node_id": node_id, "epoch": epoch, "seq": first_seq + place, "body": body, "hash": digest}
        for place, (body, digest) in enumerate(zip(bodies, hashes, strict=True))
    ]
    tx.insert_many(down_log, rows)


def from_seq(tx: Transaction, node_id: str, epoch: int, seq: int, limit: int) -> list[Recorded]:
    """Events from `seq` on, in order."""
    query = (
        sa.select(down_log.c.seq, down_log.c.body, down_log.c.hash)
        .where(down_log.c.node_id == node_id, down_log.c.epoch == epoch, down_log.c.seq >= seq)
        .order_by(down_log.c.seq)
        .limit(limit)
    )
    return [Recorded(row.seq, row.body, row.hash) for row in tx.connection.execute(query)]


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
    query = sa.select(down_log.c.hash).where(
        down_log.c.node_id == node_id, down_log.c.epoch == epoch, down_log.c.seq == seq
    )
    return tx.connection.execute(query).scalar_one_or_none()
