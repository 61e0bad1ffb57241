"""What of each node's stock the hub must not promise, and the transfers of rights under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from bodega.core.rebalance import GRANT
from bodega.core.rights import NodeRights
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import node_reservation, node_rights, rights_transfer
from bodega_controlplane.store.transaction import Transaction

Values = Mapping[str, Any]

# The key, in the order in which rights are listed.
LISTING = (node_rights.c.sku_id, node_rights.c.node_id)


def of(tx: Transaction, node_id: str, sku_id: str) -> NodeRights:
    """A node's rights to a SKU; none at all if there is no row."""
    columns = (node_rights.c.held, node_rights.c.in_flight, node_rights.c.wanted)
    query = sa.select(*columns).where(node_rights.c.sku_id == sku_id, node_rights.c.node_id == node_id)
    row = tx.connection.execute(query).first()
    return NodeRights(*row) if row is not None else NodeRights()


def put(tx: Transaction, node_id: str, rights: Mapping[str, NodeRights]) -> None:
    """Save rights by SKU; the caller holds the node's row."""
    rows = [
        {
            "sku_id": sku_id,
            "node_id": node_id,
            "held": one.held,
            "in_flight": one.in_flight,
            "wanted": one.wanted,
        }
        for sku_id, one in rights.items()
    ]
    tx.upsert(node_rights, rows)


def page(
    tx: Transaction, after: Iterable[Any] | None, limit: int | None, *, node_id: str = "", sku_id: str = ""
) -> list[Row]:
    """Rights in LISTING order with `promised`, what the node's pending reservations have of them."""
    pending = node_reservation.c.quantity - node_reservation.c.posted - node_reservation.c.voided
    promised = (
        sa.select(sa.func.coalesce(sa.func.sum(pending), 0))
        .where(node_reservation.c.state == "pending")
        .where(node_reservation.c.sku_id == node_rights.c.sku_id)
        .where(node_reservation.c.node_id == node_rights.c.node_id)
        .scalar_subquery()
    )
    query = sa.select(node_rights, promised.label("promised"))
    if node_id:
        query = query.where(node_rights.c.node_id == node_id)
    if sku_id:
        query = query.where(node_rights.c.sku_id == sku_id)
    if after is not None:
        query = query.where(sa.tuple_(*LISTING) > sa.tuple_(*(sa.literal(str(part)) for part in after)))
    return list(tx.connection.execute(query.order_by(*LISTING).limit(limit)))


def used_since(tx: Transaction, since_ms: int) -> dict[tuple[str, str], int]:
    """(SKU, node) -> units that nodes have promised or sold by themselves since, and not given back."""
    kept = sa.func.sum(node_reservation.c.quantity - node_reservation.c.voided)
    key = (node_reservation.c.sku_id, node_reservation.c.node_id)
    query = sa.select(*key, kept).where(node_reservation.c.changed_at_ms >= since_ms).group_by(*key)
    return {(row[0], row[1]): int(row[2]) for row in tx.connection.execute(query) if row[2]}


class Moves(NamedTuple):
    """Moves of one node's rights to one SKU: how many are open, when the last ended and the last grant was given."""

    open: int
    ended_at_ms: int
    granted_at_ms: int


def moves_since(tx: Transaction, since_ms: int) -> dict[tuple[str, str], Moves]:
    """(SKU, node) -> moves that are open, or were asked since."""
    table = rights_transfer
    query = (
        sa.select(
            table.c.sku_id,
            table.c.node_id,
            sa.func.sum(sa.case((table.c.state == "open", 1), else_=0)),
            sa.func.max(table.c.settled_at_ms),
            sa.func.max(sa.case((table.c.kind == GRANT, table.c.asked_at_ms), else_=0)),
        )
        .where((table.c.state == "open") | (table.c.asked_at_ms >= since_ms))
        .group_by(table.c.sku_id, table.c.node_id)
    )
    return {(row[0], row[1]): Moves(*map(int, row[2:])) for row in tx.connection.execute(query)}


def all_of(tx: Transaction) -> list[Row]:
    """Every row of rights with `promised`, by SKU and node."""
    return page(tx, None, None)


def begin_transfer(tx: Transaction, row: Values) -> None:
    """Write a new transfer."""
    tx.insert_many(rights_transfer, [row])


def transfer(tx: Transaction, transfer_id: str) -> Row | None:
    """A transfer by its id."""
    query = sa.select(rights_transfer).where(rights_transfer.c.transfer_id == transfer_id)
    return tx.connection.execute(query).first()


def settle_transfer(tx: Transaction, transfer_id: str, settled: int, now_ms: int) -> None:
    """The node has answered it."""
    change = sa.update(rights_transfer).where(rights_transfer.c.transfer_id == transfer_id)
    tx.connection.execute(change.values(settled=settled, state="settled", settled_at_ms=now_ms))


def put_reservations(tx: Transaction, rows: Sequence[Values]) -> None:
    """The newest state of each promise of a node's own."""
    tx.upsert(node_reservation, rows)
