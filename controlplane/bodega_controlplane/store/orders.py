"""Orders with their lines, reservations, work and routing decision."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bodega.core.floor_words import Method
from bodega.core.lifecycles import OrderState
from bodega_controlplane.store.among import among
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import (
    fulfillment_order,
    order_line,
    orders,
    reassignment,
    reservation,
    revoked_reservation,
    route_decision,
    work_to_stop,
)
from bodega_controlplane.store.transaction import Transaction

# What only the node that works on it is told: personal data, and the code of a pickup.
_FOR_THE_NODE = frozenset({"recipient", "pickup"})
_SHOWN = [column for column in orders.c if column.name not in _FOR_THE_NODE]

Values = Mapping[str, Any]


def insert(
    tx: Transaction,
    order: Values,
    lines: Sequence[Values],
    reservations: Sequence[Values],
    work: Values,
    decision: Values,
) -> None:
    """Write a new order with all that belongs to it."""
    for table, rows in (
        (orders, [order]),
        (order_line, lines),
        (reservation, reservations),
        (fulfillment_order, [work]),
        (route_decision, [decision]),
    ):
        tx.insert_many(table, rows)


def by_ids(tx: Transaction, order_ids: Collection[str]) -> list[Row]:
    """Orders without what only their node is told."""
    query = sa.select(*_SHOWN).where(orders.c.order_id.in_(sorted(order_ids)))
    return list(tx.connection.execute(query))


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which orders; what is empty asks for all. `node_id`: one that works on them, or has worked on them."""

    node_id: str = ""
    channel: str = ""
    reference: str = ""


EVERY_ORDER = Narrowed()


def page(
    tx: Transaction,
    after: tuple[int, str] | None,
    state: str | None,
    limit: int,
    about: Narrowed = EVERY_ORDER,
) -> list[Row]:
    """Orders without what only their node is told, newest first, after a (placed_at_ms, order_id)."""
    query = sa.select(*_SHOWN)
    if about.node_id:
        at_node = fulfillment_order.c.node_id == about.node_id
        query = query.where(sa.exists().where(fulfillment_order.c.order_id == orders.c.order_id, at_node))
    if about.channel:
        query = query.where(orders.c.channel == about.channel)
    if about.reference:
        query = query.where(orders.c.reference == about.reference)
    if state is not None:
        query = query.where(orders.c.state == state)
    if after is not None:
        placed, order_id = after
        query = query.where(
            sa.tuple_(orders.c.placed_at_ms, orders.c.order_id)
            < sa.tuple_(sa.literal(placed), sa.literal(order_id))
        )
    query = query.order_by(orders.c.placed_at_ms.desc(), orders.c.order_id.desc()).limit(limit)
    return list(tx.connection.execute(query))


def lines_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> its lines in order."""
    query = sa.select(order_line).where(order_line.c.order_id.in_(sorted(order_ids)))
    return _grouped(tx, query.order_by(order_line.c.order_id, order_line.c.line))


def work_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> its fulfillment orders, lowest token first: the last one is in force."""
    query = sa.select(fulfillment_order).where(fulfillment_order.c.order_id.in_(sorted(order_ids)))
    return _grouped(tx, query.order_by(fulfillment_order.c.order_id, fulfillment_order.c.fencing_token))


def reservations_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> its reservations by line."""
    query = sa.select(reservation).where(reservation.c.order_id.in_(sorted(order_ids)))
    return _grouped(tx, query.order_by(reservation.c.order_id, reservation.c.line))


def _grouped(tx: Transaction, query: sa.Select[Any]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.order_id, []).append(row)
    return found


def work_of_same_orders(tx: Transaction, fulfillment_order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> every assignment of it, lowest token first, for the orders of these fulfillment orders."""
    named = among(tx, fulfillment_order.c.fulfillment_order_id, fulfillment_order_ids)
    same = fulfillment_order.c.order_id.in_(sa.select(fulfillment_order.c.order_id).where(named))
    query = sa.select(fulfillment_order).where(same)
    return _grouped(tx, query.order_by(fulfillment_order.c.order_id, fulfillment_order.c.fencing_token))


def lock(tx: Transaction, order_ids: Collection[str]) -> None:
    """Hold the rows of orders that more than one node may change, after the nodes' rows and in id order."""
    if tx.exclusive or not order_ids:
        return
    query = sa.select(orders.c.order_id).where(orders.c.order_id.in_(sorted(order_ids)))
    tx.connection.execute(query.order_by(orders.c.order_id).with_for_update())


def save_orders(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of order_id, state, updated_at_ms."""
    _save(tx, orders, ("order_id",), rows)


def save_lines(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of order_id, line, shipped, short."""
    _save(tx, order_line, ("order_id", "line"), rows)


def save_reservations(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of order_id, line, posted, voided, state."""
    _save(tx, reservation, ("order_id", "line"), rows)


def save_work(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of fulfillment_order_id and columns to change."""
    _save(tx, fulfillment_order, ("fulfillment_order_id",), rows)


def revoked_of(tx: Transaction, fulfillment_order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Fulfillment order id -> what was promised for it before it was revoked, by line."""
    query = sa.select(revoked_reservation).where(
        revoked_reservation.c.fulfillment_order_id.in_(sorted(fulfillment_order_ids))
    )
    found: dict[str, list[Row]] = {}
    for row in tx.connection.execute(query.order_by(revoked_reservation.c.line)):
        found.setdefault(row.fulfillment_order_id, []).append(row)
    return found


def save_revoked(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of fulfillment_order_id, line, posted, voided, state."""
    _save(tx, revoked_reservation, ("fulfillment_order_id", "line"), rows)


def reassign(
    tx: Transaction, work: Values, decision: Values, revoked: Sequence[Values], promised: Sequence[Values]
) -> None:
    """A new assignment: its work, its decision, what stays promised at the old node and what is at the new one."""
    tx.insert_many(fulfillment_order, [work])
    tx.insert_many(reassignment, [decision])
    tx.insert_many(revoked_reservation, revoked)
    _save(tx, reservation, ("order_id", "line"), promised)
    order = sa.update(orders).where(orders.c.order_id == work["order_id"])
    tx.connection.execute(order.values(node_id=work["node_id"]))


def reassignments_of(tx: Transaction, order_id: str) -> list[Row]:
    """How an order was moved, newest first."""
    query = sa.select(reassignment).where(reassignment.c.order_id == order_id)
    return list(tx.connection.execute(query.order_by(reassignment.c.fencing_token.desc())))


def for_the_node(tx: Transaction, order_id: str) -> Row:
    """An order with all that its node is told: personal data, and the code of a pickup."""
    return tx.connection.execute(sa.select(orders).where(orders.c.order_id == order_id)).one()


def handed_back(tx: Transaction, limit: int) -> list[Row]:
    """Orders whose node has given the work back, and that may go to another one by themselves; oldest first."""
    query = sa.select(orders.c.order_id, orders.c.node_id).where(
        orders.c.state == OrderState.HANDED_BACK.value, orders.c.method == Method.PARCEL.value
    )
    return list(tx.connection.execute(query.order_by(orders.c.placed_at_ms, orders.c.order_id).limit(limit)))


def stop_work(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of fulfillment_order_id, reason: assignments to revoke, because another one has shipped."""
    tx.upsert(work_to_stop, rows)


def work_to_be_stopped(tx: Transaction, limit: int) -> list[Row]:
    """Assignments to revoke with their reasons, by id."""
    query = sa.select(fulfillment_order, work_to_stop.c.reason).join(
        work_to_stop, work_to_stop.c.fulfillment_order_id == fulfillment_order.c.fulfillment_order_id
    )
    return list(tx.connection.execute(query.order_by(fulfillment_order.c.fulfillment_order_id).limit(limit)))


def stopped(tx: Transaction, fulfillment_order_id: str) -> None:
    """It was revoked, or needs it no more."""
    tx.connection.execute(
        sa.delete(work_to_stop).where(work_to_stop.c.fulfillment_order_id == fulfillment_order_id)
    )


def _save(tx: Transaction, table: sa.Table, keys: tuple[str, ...], rows: Sequence[Values]) -> None:
    if not rows:
        return
    statement = sa.update(table).where(*(table.c[key] == sa.bindparam(f"key_{key}") for key in keys))
    statement = statement.values({name: sa.bindparam(name) for name in rows[0] if name not in keys})
    bound = [{f"key_{name}" if name in keys else name: value for name, value in row.items()} for row in rows]
    tx.connection.execute(statement, bound)


def decision_of(tx: Transaction, order_id: str) -> Row | None:
    """The routing decision of an order."""
    query = sa.select(route_decision).where(route_decision.c.order_id == order_id)
    return tx.connection.execute(query).first()
