"""Rows that hold something personal, found and blanked."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from bodega.core.lifecycles import FULFILLMENT
from bodega.core.parts import FINAL
from bodega_controlplane.store.among import among
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema.ordering import fulfillment_order, orders
from bodega_controlplane.store.transaction import Transaction

_ENDED = orders.c.state.in_(sorted(FINAL))
# An order that has ended may have work that nobody needs any more, at a node that has not heard of it.
_UNDER_WAY = sa.exists().where(
    fulfillment_order.c.order_id == orders.c.order_id,
    fulfillment_order.c.state.not_in(sorted(FULFILLMENT.terminal)),
)
_PERSONAL = (orders.c.recipient != "") | (orders.c.pickup != "")


def ended_before(tx: Transaction, before_ms: int, limit: int) -> list[str]:
    """Orders that ended before a time and still say whom they went to, oldest first."""
    query = sa.select(orders.c.order_id).where(
        _PERSONAL, _ENDED, orders.c.updated_at_ms < before_ms, ~_UNDER_WAY
    )
    rows = tx.connection.execute(query.order_by(orders.c.updated_at_ms, orders.c.order_id).limit(limit))
    return [row.order_id for row in rows]


def known(tx: Transaction, order_ids: Collection[str]) -> dict[str, Row]:
    """Order id -> whether it has `ended`, and is `personal` still."""
    query = sa.select(
        orders.c.order_id, (_ENDED & ~_UNDER_WAY).label("ended"), _PERSONAL.label("personal")
    ).where(among(tx, orders.c.order_id, order_ids))
    return {row.order_id: row for row in tx.connection.execute(query)}


def nodes_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[str]]:
    """Node -> those of the orders that it was ever asked to serve."""
    query = sa.select(fulfillment_order.c.node_id, fulfillment_order.c.order_id).distinct()
    query = query.where(among(tx, fulfillment_order.c.order_id, order_ids))
    found: dict[str, list[str]] = {}
    for row in tx.connection.execute(
        query.order_by(fulfillment_order.c.node_id, fulfillment_order.c.order_id)
    ):
        found.setdefault(row.node_id, []).append(row.order_id)
    return found


def blank(tx: Transaction, order_ids: Collection[str]) -> None:
    """Whom these orders went to, and what was to be said to fetch them, is kept no more."""
    change = sa.update(orders).where(among(tx, orders.c.order_id, order_ids))
    tx.connection.execute(change.values(recipient="", pickup=""))
