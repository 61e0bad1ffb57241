"""The nodes' journals as they arrived, byte for byte, and what could not be applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import journal, parked_event
from bodega_controlplane.store.transaction import Transaction

Values = Mapping[str, Any]

# How the reason of an event ends that a newer version may know.
NOT_KNOWN = "is not known to this version"
_NOT_KNOWN = parked_event.c.reason.endswith(NOT_KNOWN)


# Events come by the hundred thousand: their rows are plain tuples, in this order.
COLUMNS = ("node_id", "epoch", "seq", "cmd_id", "fact", "at_ms", "committed_ms", "body", "hash")


def append(tx: Transaction, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows of the journal as tuples of COLUMNS, in order."""
    tx.insert_rows(journal, COLUMNS, rows)


def park(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of node_id, epoch, seq, reason: events in the journal without an effect."""
    if rows:
        tx.insert_many(parked_event, rows)


def parked_streams(tx: Transaction) -> list[tuple[str, int]]:
    """(node, epoch) of every stream with parked events that an older version did not know, in order."""
    query = sa.select(parked_event.c.node_id, parked_event.c.epoch).where(_NOT_KNOWN).distinct()
    return sorted((row.node_id, int(row.epoch)) for row in tx.connection.execute(query))


def parked_following(
    tx: Transaction, node_id: str, epoch: int, after: int, limit: int
) -> list[tuple[int, bytes]]:
    """(sequence, bytes) of events of a stream after a sequence that an older version did not know, in order."""
    here = sa.and_(
        journal.c.node_id == parked_event.c.node_id,
        journal.c.epoch == parked_event.c.epoch,
        journal.c.seq == parked_event.c.seq,
    )
    query = (
        sa.select(parked_event.c.seq, journal.c.body)
        .join(journal, here)
        .where(_NOT_KNOWN, parked_event.c.node_id == node_id, parked_event.c.epoch == epoch)
        .where(parked_event.c.seq > after)
        .order_by(parked_event.c.seq)
        .limit(limit)
    )
    return [(int(row.seq), row.body) for row in tx.connection.execute(query)]


def unpark(tx: Transaction, node_id: str, epoch: int, seqs: Sequence[int]) -> None:
    """Forget that these events were parked."""
    tx.connection.execute(
        sa.delete(parked_event).where(
            parked_event.c.node_id == node_id, parked_event.c.epoch == epoch, parked_event.c.seq.in_(seqs)
        )
    )


def parked_rows(tx: Transaction, node_id: str, limit: int) -> list[Row]:
    """node_id, epoch, seq, fact and reason of parked events in order; of one node, or of all if `node_id` is empty."""
    here = sa.and_(
        journal.c.node_id == parked_event.c.node_id,
        journal.c.epoch == parked_event.c.epoch,
        journal.c.seq == parked_event.c.seq,
    )
    query = (
        sa.select(parked_event, journal.c.fact)
        .join(journal, here)
        .order_by(parked_event.c.node_id, parked_event.c.epoch, parked_event.c.seq)
        .limit(limit)
    )
    if node_id:
        query = query.where(parked_event.c.node_id == node_id)
    return list(tx.connection.execute(query))


def parked_counts(tx: Transaction) -> dict[str, int]:
    """How many events of each node are parked."""
    query = sa.select(parked_event.c.node_id, sa.func.count()).group_by(parked_event.c.node_id)
    return {row[0]: int(row[1]) for row in tx.connection.execute(query)}


def event_at(tx: Transaction, node_id: str, epoch: int, seq: int) -> Row | None:
    """`epoch` and `body` of one event; sequences rise over epochs, the newest is `epoch`."""
    query = sa.select(journal.c.epoch, journal.c.body).where(
        journal.c.node_id == node_id, journal.c.epoch.in_(range(1, epoch + 1)), journal.c.seq == seq
    )
    return tx.connection.execute(query).one_or_none()


def hash_at(tx: Transaction, node_id: str, epoch: int, seq: int) -> bytes | None:
    """The chain hash after one event; None if we do not have it."""
    query = sa.select(journal.c.hash).where(
        journal.c.node_id == node_id, journal.c.epoch == epoch, journal.c.seq == seq
    )
    return tx.connection.execute(query).scalar_one_or_none()


def movements_between(
    tx: Transaction, node_id: str, epoch: int, after: int, before: int, *, applied_only: bool = False
) -> list[bytes]:
    """The bytes of the movements between two sequences, both of them left out; `applied_only`: not the parked ones."""
    query = (
        sa.select(journal.c.body)
        .where(journal.c.node_id == node_id, journal.c.epoch.in_(range(1, epoch + 1)))
        .where(journal.c.fact == "movement")
        .where(journal.c.seq > after, journal.c.seq < before)
    )
    if applied_only:
        parked = sa.exists().where(
            parked_event.c.node_id == journal.c.node_id,
            parked_event.c.epoch == journal.c.epoch,
            parked_event.c.seq == journal.c.seq,
        )
        query = query.where(~parked)
    return list(tx.connection.execute(query).scalars())
