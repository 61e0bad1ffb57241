"""Rows of nodes: profile, positions in both streams, health, desired and reported state."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import fulfillment_order, node
from bodega_controlplane.store.schema.rates import node_shipping
from bodega_controlplane.store.schema.routing import WAITING
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
).where(node.c.node_id.in_(sa.bindparam("wanted", expanding=True)))
# Assignments that have still to be handed over.
_TO_DO = (
    sa.select(fulfillment_order.c.node_id, sa.func.count().label("orders"))
    .where(sa.text(WAITING))
    .group_by(fulfillment_order.c.node_id)
    .subquery()
)
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
        node_shipping.c.digest,
        sa.func.coalesce(_TO_DO.c.orders, 0),
    )
    .outerjoin_from(node, node_shipping, node_shipping.c.node_id == node.c.node_id)
    .outerjoin(_TO_DO, _TO_DO.c.node_id == node.c.node_id)
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


def streams_of(tx: Transaction, node_ids: Collection[str]) -> dict[str, Row]:
    """Where the hub's streams for nodes stand: heads, what the node has applied, what it unpacks."""
    rows = tx.connection.execute(_STREAM, {"wanted": sorted(node_ids)})
    return {row.node_id: row for row in rows}


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


class Place(NamedTuple):
    """What routing looks at of a node. `shipping`: the hash of the services that it was given, None without any;
    `orders`: assignments that it has still to hand over."""

    node_id: str
    latitude: float
    longitude: float
    kind: str
    country: str
    capacity_orders: int
    labels: str
    time_zone: str
    last_contact_ms: int
    shipping: str | None
    orders: int


def places(tx: Transaction) -> list[Place]:
    """Every node that may be given orders, by id."""
    return [Place(*row) for row in tx.connection.execute(_PLACES).all()]


def put(tx: Transaction, row: Mapping[str, Any], *, keep: tuple[str, ...] = ()) -> None:
    """Insert a node, or replace all of its columns but those in `keep`."""
    tx.upsert(node, [row], keep=keep)


def change(tx: Transaction, node_id: str, **columns: Any) -> None:
    """Set some columns of a node."""
    tx.connection.execute(sa.update(node).where(node.c.node_id == node_id).values(**columns))


def move_down_heads(tx: Transaction, heads: Mapping[str, tuple[int, bytes]]) -> None:
    """The hub's streams for nodes are longer now: each one's last number, and its hash."""
    rows = [{"wanted": node_id, "seq": seq, "digest": digest} for node_id, (seq, digest) in heads.items()]
    if rows:
        tx.connection.execute(_MOVE_DOWN_HEAD, rows if len(rows) > 1 else rows[0])


def count_refused(tx: Transaction, node_id: str, *, foreign_ms: int | None) -> None:
    """One more refusal of a node; `foreign_ms`: when it spoke for another one, None if it did not."""
    values: dict[str, Any] = {"refused": node.c.refused + 1}
    if foreign_ms is not None:
        values["foreign_ms"] = foreign_ms
    tx.connection.execute(sa.update(node).where(node.c.node_id == node_id).values(**values))
