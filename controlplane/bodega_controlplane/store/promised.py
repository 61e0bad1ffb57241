"""Who was promised what at a node: asked when its shelf turns out to hold less."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from bodega.core.ledger import Disposition
from bodega_controlplane.store.among import among
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import (
    fulfillment_line,
    fulfillment_order,
    node_reservation,
    orders,
    stock,
)
from bodega_controlplane.store.transaction import Transaction

_PENDING = fulfillment_line.c.quantity - fulfillment_line.c.posted - fulfillment_line.c.voided
_LOCAL_PENDING = node_reservation.c.quantity - node_reservation.c.posted - node_reservation.c.voided


def _of_orders(node_id: Any, sku_id: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """Of assignments in force: what a node was told to leave alone is not promised to anybody there."""
    return (
        fulfillment_line.c.state == "pending",
        fulfillment_line.c.sku_id == sku_id,
        fulfillment_line.c.node_id == node_id,
        ~fulfillment_line.c.superseded,
    )


def _of_node(node_id: Any, sku_id: Any) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        node_reservation.c.state == "pending",
        node_reservation.c.sku_id == sku_id,
        node_reservation.c.node_id == node_id,
    )


def _totals_query() -> sa.Select[Any]:
    sku_id: sa.BindParameter[Any] = sa.bindparam("sku_id")
    node_id: sa.BindParameter[Any] = sa.bindparam("node_id")
    lies = (stock.c.sku_id == sku_id, stock.c.node_id == node_id, stock.c.external == "")
    sellable = sa.select(sa.func.coalesce(sa.func.sum(stock.c.quantity), 0)).where(
        *lies, stock.c.disposition == Disposition.SELLABLE.value
    )
    of_orders = sa.select(sa.func.coalesce(sa.func.sum(_PENDING), 0)).where(*_of_orders(node_id, sku_id))
    local = sa.select(sa.func.coalesce(sa.func.sum(_LOCAL_PENDING), 0)).where(*_of_node(node_id, sku_id))
    return sa.select(sellable.scalar_subquery(), of_orders.scalar_subquery() + local.scalar_subquery())


# Put together once: a node that counts its shelves asks it for every SKU.
_TOTALS = _totals_query()


def totals(tx: Transaction, node_id: str, sku_id: str) -> tuple[int, int]:
    """Units sellable at a node, and units promised there by the hub and by the node, neither yet handed over."""
    sellable, promised = tx.connection.execute(_TOTALS, {"sku_id": sku_id, "node_id": node_id}).one()
    return int(sellable), int(promised)


def of_skus(tx: Transaction, node_id: str, sku_ids: Collection[str]) -> set[str]:
    """Those of these SKUs of which anything is promised at a node, by the hub or by the node."""
    of_each = [
        sa.select(table.c.sku_id).where(
            table.c.state == "pending", among(tx, table.c.sku_id, sku_ids), table.c.node_id == node_id
        )
        for table in (fulfillment_line, node_reservation)
    ]
    return set(tx.connection.execute(sa.union(*of_each)).scalars())


def to_orders(tx: Transaction, node_id: str, sku_id: str) -> list[Row]:
    """One row per order: order_id, service_class, placed_at_ms, units pending, and the assigned_event."""
    named: list[Any] = [orders.c.order_id, orders.c.service_class, orders.c.placed_at_ms]
    event = sa.func.max(fulfillment_order.c.assigned_event).label("assigned_event")
    query = (
        sa.select(*named, event, sa.func.sum(_PENDING).label("units"))
        .select_from(fulfillment_line)
        .join(
            fulfillment_order,
            fulfillment_order.c.fulfillment_order_id == fulfillment_line.c.fulfillment_order_id,
        )
        .join(orders, orders.c.order_id == fulfillment_order.c.order_id)
        .where(*_of_orders(node_id, sku_id))
        .group_by(*named)
    )
    return list(tx.connection.execute(query))


def by_node(tx: Transaction, node_id: str, sku_id: str) -> int:
    """Units that the node has promised by itself and not yet handed over."""
    query = sa.select(sa.func.coalesce(sa.func.sum(_LOCAL_PENDING), 0)).where(*_of_node(node_id, sku_id))
    return int(tx.connection.execute(query).scalar_one())
