"""What of each node's stock the hub must not promise, and the transfers of rights under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

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
    tx: Transaction, after: Iterable[Any] | None, limit: int, *, node_id: str = "", sku_id: str = ""
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
