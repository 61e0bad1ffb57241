"""Rows of nodes: profile, positions in both streams, health, desired and reported state."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import node
from bodega_controlplane.store.transaction import Transaction

# Put together once, because every order and every envelope asks them.
_BY_ID = sa.select(node).where(node.c.node_id == sa.bindparam("wanted"))
# Where the stream for a node stands, without the large columns that lie beside.
_STREAM: sa.Select[Any] = sa.select(
    node.c.node_id,
    node.c.applied_seq,
    node.c.down_epoch,
    node.c.down_seq,
    node.c.down_hash,
    node.c.down_applied_seq,
    node.c.understands,
).where(node.c.node_id == sa.bindparam("wanted"))
# Where the hub has lost events that the node holds (a restore), it knows neither stock nor rights: no new orders.
_PLACES: sa.Select[Any] = (
    sa.select(
        node.c.node_id,
        node.c.latitude,
        node.c.longitude,
        node.c.kind,
        node.c.country,
        node.c.capacity_orders,
        node.c.labels,
        node.c.time_zone,
        node.c.last_contact_ms,
    )
    .where(node.c.lost_to_seq == 0)
    .order_by(node.c.node_id)
)
_MOVE_DOWN_HEAD = (
    sa.update(node)
    .where(node.c.node_id == sa.bindparam("wanted"))
    .values(down_seq=sa.bindparam("seq"), down_hash=sa.bindparam("digest"))
)


def by_id(tx: Transaction, node_id: str) -> Row | None:
    """The row of a node, as it is now."""
    return tx.connection.execute(_BY_ID, {"wanted": node_id}).first()


def stream_of(tx: Transaction, node_id: str) -> Row | None:
    """Where the hub's stream for a node stands: heads, what the node has applied, what it unpacks."""
    return tx.connection.execute(_STREAM, {"wanted": node_id}).first()


def all_of(tx: Transaction) -> list[Row]:
    """Every node by id."""
    return list(tx.connection.execute(sa.select(node).order_by(node.c.node_id)))


def some(tx: Transaction, node_ids: Collection[str]) -> list[Row]:
    """These nodes by id."""
    query = sa.select(node).where(node.c.node_id.in_(sorted(node_ids)))
    return list(tx.connection.execute(query.order_by(node.c.node_id)))


def page(tx: Transaction, after: str, limit: int) -> list[Row]:
    """Nodes by id, after one."""
    query = sa.select(node).where(node.c.node_id > after).order_by(node.c.node_id).limit(limit)
    return list(tx.connection.execute(query))


def ids(tx: Transaction) -> list[str]:
    """Every node's id, in order."""
    return list(tx.connection.execute(sa.select(node.c.node_id).order_by(node.c.node_id)).scalars())


def contacts(tx: Transaction) -> dict[str, int]:
    """Node -> when it was heard last; those that never were are left out."""
    query = sa.select(node.c.node_id, node.c.last_contact_ms).where(node.c.last_contact_ms > 0)
    return {row.node_id: int(row.last_contact_ms) for row in tx.connection.execute(query)}


def places(tx: Transaction) -> list[Row]:
    """What routing looks at of every node that may be given orders, by id."""
    return list(tx.connection.execute(_PLACES).all())


def put(tx: Transaction, row: Mapping[str, Any], *, keep: tuple[str, ...] = ()) -> None:
    """Insert a node, or replace all of its columns but those in `keep`."""
    tx.upsert(node, [row], keep=keep)


def change(tx: Transaction, node_id: str, **columns: Any) -> None:
    """Set some columns of a node."""
    tx.connection.execute(sa.update(node).where(node.c.node_id == node_id).values(**columns))


def move_down_head(tx: Transaction, node_id: str, seq: int, digest: bytes) -> None:
    """The hub's stream for a node is longer now."""
    tx.connection.execute(_MOVE_DOWN_HEAD, {"wanted": node_id, "seq": seq, "digest": digest})


def count_refused(tx: Transaction, node_id: str, *, foreign_ms: int | None) -> None:
    """One more refusal of a node; `foreign_ms`: when it spoke for another one, None if it did not."""
    values: dict[str, Any] = {"refused": node.c.refused + 1}
    if foreign_ms is not None:
        values["foreign_ms"] = foreign_ms
    tx.connection.execute(sa.update(node).where(node.c.node_id == node_id).values(**values))
