"""Rows of what has been sent and of what comes back, as channels ask for them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.among import among
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import fulfillment_order, orders
from bodega_controlplane.store.schema.floor import customer_return, parcel, refund
from bodega_controlplane.store.transaction import Transaction


def parcels_of(tx: Transaction, order_id: str) -> list[Row]:
    """Parcels of an order with the work that they serve, by SSCC."""
    query = _parcels().where(fulfillment_order.c.order_id == order_id)
    return list(tx.connection.execute(query.order_by(parcel.c.sscc)))


def parcel_of(tx: Transaction, channel: str, sscc: str) -> Row | None:
    """A parcel of one of the channel's orders."""
    query = _parcels().where(orders.c.channel == channel, parcel.c.sscc == sscc)
    return tx.connection.execute(query).first()


def page_of_parcels(
    tx: Transaction, channel: str, after: tuple[int, str] | None, since_ms: int, limit: int
) -> list[Row]:
    """Parcels of a channel by the last change of their work, the oldest change first, after a (time, SSCC)."""
    at = fulfillment_order.c.updated_at_ms
    query = _parcels().where(orders.c.channel == channel, at >= since_ms)
    if after is not None:
        query = query.where(sa.tuple_(at, parcel.c.sscc) > sa.tuple_(*map(sa.literal, after)))
    return list(tx.connection.execute(query.order_by(at, parcel.c.sscc).limit(limit)))


def _parcels() -> sa.Select[Any]:
    work = fulfillment_order.c
    columns = (
        work.order_id,
        work.state.label("work_state"),
        work.updated_at_ms,
        orders.c.channel,
    )
    # The work names a node too: a parcel is that node's own.
    joined = (work.fulfillment_order_id == parcel.c.fulfillment_order_id) & (work.node_id == parcel.c.node_id)
    return (
        sa.select(parcel, *columns)
        .join(fulfillment_order, joined)
        .join(orders, orders.c.order_id == work.order_id)
    )


def returns_of(tx: Transaction, order_ids: Collection[str]) -> list[Row]:
    """What comes back of orders, or has, at each node; by return and node."""
    query = sa.select(customer_return).where(among(tx, customer_return.c.order_id, order_ids))
    return list(tx.connection.execute(query.order_by(customer_return.c.return_id, customer_return.c.node_id)))


def refunds_of(tx: Transaction, return_ids: Collection[str]) -> list[Row]:
    """What money is due for returns."""
    query = sa.select(refund).where(among(tx, refund.c.return_id, return_ids))
    return list(tx.connection.execute(query.order_by(refund.c.return_id, refund.c.node_id)))


def orders_of_return(tx: Transaction, channel: str, return_id: str) -> list[str]:
    """The orders of a channel that a return belongs to: one, or none."""
    mine = orders.c.order_id == customer_return.c.order_id
    query = sa.select(customer_return.c.order_id).join(orders, mine).distinct()
    query = query.where(orders.c.channel == channel, customer_return.c.return_id == return_id)
    return list(tx.connection.execute(query).scalars())


def page_of_returns(tx: Transaction, channel: str, after: str, limit: int) -> list[Row]:
    """(return_id, order_id) of a channel's returns, newest first: ids begin with the time. After one of them."""
    mine = orders.c.order_id == customer_return.c.order_id
    query = sa.select(customer_return.c.return_id, customer_return.c.order_id).join(orders, mine).distinct()
    query = query.where(orders.c.channel == channel)
    if after:
        query = query.where(customer_return.c.return_id < after)
    return list(tx.connection.execute(query.order_by(customer_return.c.return_id.desc()).limit(limit)))
