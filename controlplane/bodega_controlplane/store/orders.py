"""Orders with their lines, parts, assignments and routing decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bodega.core.floor_words import CARRIED
from bodega.core.lifecycles import OrderState
from bodega.core.parts import FINAL, PartState
from bodega.core.promise import ServiceClass
from bodega_controlplane.store.among import among
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import (
    fulfillment_line,
    fulfillment_order,
    order_line,
    order_part,
    orders,
    part_line,
    reassignment,
    route_decision,
    work_to_stop,
)
from bodega_controlplane.store.schema.ordering import TO_LEAVE
from bodega_controlplane.store.schema.routing import WAITING
from bodega_controlplane.store.transaction import Transaction

# What only the node that works on it is told: personal data, and the code of a pickup.
_FOR_THE_NODE = frozenset({"recipient", "pickup"})
_SHOWN = [column for column in orders.c if column.name not in _FOR_THE_NODE]

# Neither final nor asked to stop.
_GOING_ON = sorted(set(OrderState) - FINAL - {OrderState.CANCEL_REQUESTED})

Values = Mapping[str, Any]


def insert(tx: Transaction, order: Values, lines: Sequence[Values]) -> None:
    """Write a new order with its lines; its parts follow by `put_parts`."""
    for table, rows in ((orders, [order]), (order_line, lines)):
        tx.insert_many(table, rows)


def put_parts(tx: Transaction, parts: Sequence[Values], lines: Sequence[Values]) -> None:
    """Rows of order_part, new or changed; and all rows of part_line of those of which these changed.

    What a part was asked for and is not any more, stands there with 0 units.
    """
    tx.upsert(order_part, parts)
    tx.upsert(part_line, lines)


def give(tx: Transaction, work: Values, lines: Sequence[Values]) -> None:
    """A new assignment with what it is asked for and promised."""
    tx.insert_many(fulfillment_order, [work])
    tx.insert_many(fulfillment_line, lines)


def by_ids(tx: Transaction, order_ids: Collection[str]) -> list[Row]:
    """Orders without what only their node is told."""
    query = sa.select(*_SHOWN).where(orders.c.order_id.in_(sorted(order_ids)))
    return list(tx.connection.execute(query))


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which orders; what is empty asks for all. `node_id`: one that works on them, or has worked on them.

    With `updated_since_ms` they are listed by their last change, the oldest change first, and not by their age.
    """

    node_id: str = ""
    channel: str = ""
    reference: str = ""
    updated_since_ms: int | None = None


EVERY_ORDER = Narrowed()


def page(
    tx: Transaction,
    after: tuple[int, str] | None,
    state: str | None,
    limit: int,
    about: Narrowed = EVERY_ORDER,
) -> list[Row]:
    """Orders without what only their node is told, after a (time, order_id): newest first, or as `Narrowed` says."""
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
    forward = about.updated_since_ms is not None
    at = orders.c.updated_at_ms if forward else orders.c.placed_at_ms
    if forward:
        query = query.where(at >= about.updated_since_ms)
    if after is not None:
        place, last = sa.tuple_(at, orders.c.order_id), sa.tuple_(*map(sa.literal, after))
        query = query.where(place > last if forward else place < last)
    order = (at, orders.c.order_id) if forward else (at.desc(), orders.c.order_id.desc())
    return list(tx.connection.execute(query.order_by(*order).limit(limit)))


def lines_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> its lines in order."""
    query = sa.select(order_line).where(order_line.c.order_id.in_(sorted(order_ids)))
    return _grouped(tx, query.order_by(order_line.c.order_id, order_line.c.line))


def work_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> its fulfillment orders, lowest token first: the last one is in force."""
    query = sa.select(fulfillment_order).where(fulfillment_order.c.order_id.in_(sorted(order_ids)))
    return _grouped(tx, query.order_by(fulfillment_order.c.order_id, fulfillment_order.c.fencing_token))


def parts_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> its parts in order."""
    query = sa.select(order_part).where(order_part.c.order_id.in_(sorted(order_ids)))
    return _grouped(tx, query.order_by(order_part.c.order_id, order_part.c.part))


def part_lines_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> what its parts are asked for."""
    query = sa.select(part_line).where(part_line.c.order_id.in_(sorted(order_ids)), part_line.c.quantity > 0)
    return _grouped(tx, query.order_by(part_line.c.order_id, part_line.c.part, part_line.c.line))


def work_lines_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> what its assignments were asked for and promised, with what may be sent instead, by line."""
    named: list[Any] = [fulfillment_order.c.order_id, order_line.c.substitutes]
    query = (
        sa.select(fulfillment_line, *named)
        .join(
            fulfillment_order,
            fulfillment_order.c.fulfillment_order_id == fulfillment_line.c.fulfillment_order_id,
        )
        .join(
            order_line,
            sa.and_(
                order_line.c.order_id == fulfillment_order.c.order_id,
                order_line.c.line == fulfillment_line.c.line,
            ),
        )
        .where(fulfillment_order.c.order_id.in_(sorted(order_ids)))
    )
    return _grouped(tx, query.order_by(fulfillment_line.c.fulfillment_order_id, fulfillment_line.c.line))


def _grouped(tx: Transaction, query: sa.Select[Any]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.order_id, []).append(row)
    return found


def assignments_of_same_orders(tx: Transaction, fulfillment_order_ids: Collection[str]) -> dict[str, int]:
    """Order id -> how many assignments it has, for the orders of these fulfillment orders."""
    named = among(tx, fulfillment_order.c.fulfillment_order_id, fulfillment_order_ids)
    same = fulfillment_order.c.order_id.in_(sa.select(fulfillment_order.c.order_id).where(named))
    query = sa.select(fulfillment_order.c.order_id, sa.func.count()).where(same)
    rows = tx.connection.execute(query.group_by(fulfillment_order.c.order_id))
    return {row.order_id: int(row[1]) for row in rows}


def lock(tx: Transaction, order_ids: Collection[str]) -> None:
    """Hold the rows of orders that more than one node may change, after the nodes' rows and in id order."""
    if tx.exclusive or not order_ids:
        return
    query = sa.select(orders.c.order_id).where(orders.c.order_id.in_(sorted(order_ids)))
    tx.connection.execute(query.order_by(orders.c.order_id).with_for_update())


def save_orders(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of order_id and columns to change."""
    _save(tx, orders, ("order_id",), rows)


def save_lines(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of order_id, line, shipped, short."""
    _save(tx, order_line, ("order_id", "line"), rows)


def save_work_lines(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of fulfillment_order_id, line and columns to change."""
    _save(tx, fulfillment_line, ("fulfillment_order_id", "line"), rows)


def save_work(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of fulfillment_order_id and columns to change."""
    _save(tx, fulfillment_order, ("fulfillment_order_id",), rows)


def reassignments_of(tx: Transaction, order_id: str) -> list[Row]:
    """How an order was moved by versions before schema 5, newest first."""
    query = sa.select(reassignment).where(reassignment.c.order_id == order_id)
    return list(tx.connection.execute(query.order_by(reassignment.c.fencing_token.desc())))


def for_the_node(tx: Transaction, order_id: str) -> Row:
    """An order with all that its node is told: personal data, and the code of a pickup."""
    return tx.connection.execute(sa.select(orders).where(orders.c.order_id == order_id)).one()


def open_parts(tx: Transaction, states: Collection[PartState], limit: int) -> list[Row]:
    """Parts in one of these states of orders that are not final, oldest order first, with the terms of their orders."""
    of_order = [
        orders.c[name]
        for name in ("node_id", "placed_at_ms", "service_class", "method", "not_before_ms", "ship_by_ms")
    ]
    query = (
        sa.select(order_part, *of_order)
        .join(orders, orders.c.order_id == order_part.c.order_id)
        .where(
            order_part.c.state.in_(sorted(states)),
            orders.c.state.not_in(sorted([*FINAL, OrderState.CANCEL_REQUESTED])),
        )
    )
    query = query.order_by(orders.c.placed_at_ms, order_part.c.order_id, order_part.c.part)
    return list(tx.connection.execute(query.limit(limit)))


def untouched_parts(tx: Transaction, now_ms: int, down: Collection[str], limit: int) -> list[Row]:
    """Parcels that nobody has begun: order_id, part, node_id; those at nodes that are down, then those that should
    have left, each oldest first and at most `limit`."""
    at_down_nodes: list[Row] = []
    if down:
        there = sa.select(fulfillment_order).where(
            sa.text(WAITING), fulfillment_order.c.node_id.in_(sorted(down))
        )
        query = _untouched(orders, there.subquery()).where(orders.c.state.in_(_GOING_ON))
        at_down_nodes = list(tx.connection.execute(query.limit(limit)))
    to_leave = sa.select(orders).where(sa.text(TO_LEAVE), orders.c.ship_by_ms < now_ms).subquery()
    seen = {(row.order_id, row.part) for row in at_down_nodes}
    late = tx.connection.execute(_untouched(to_leave, fulfillment_order).limit(limit))
    return at_down_nodes + [row for row in late if (row.order_id, row.part) not in seen]


def _untouched(order: sa.FromClause, work: sa.FromClause) -> sa.Select[Any]:
    """Parts of these orders whose newest assignment is one of these, and begun by nobody; oldest first."""
    given = fulfillment_order.alias()
    newest = (
        sa.select(sa.func.max(given.c.fencing_token))
        .where(given.c.order_id == order_part.c.order_id, given.c.part == order_part.c.part)
        .correlate(order_part)
    )
    return (
        sa.select(order_part, work.c.node_id)
        .join(order, order.c.order_id == order_part.c.order_id)
        .join(
            work,
            sa.and_(
                work.c.order_id == order_part.c.order_id,
                work.c.fencing_token == newest.scalar_subquery(),
            ),
        )
        .where(order_part.c.state == PartState.ASSIGNED.value, order.c.method.in_(sorted(CARRIED)))
        .order_by(order.c.placed_at_ms, order_part.c.order_id, order_part.c.part)
    )


def skus_waited_for(tx: Transaction, now_ms: int) -> set[str]:
    """SKUs of parts that wait for stock, or whose date has come."""
    query = sa.select(order_line.c.sku_id).join(part_line, _SAME_LINE).join(order_part, _SAME_PART)
    query = query.join(orders, orders.c.order_id == order_part.c.order_id)
    return set(tx.connection.execute(query.where(*_waiting(now_ms)).distinct()).scalars())


def parts_waiting(tx: Transaction, now_ms: int, lacking: Collection[str], limit: int) -> list[Row]:
    """Lines of parts that wait, and of which no SKU is among `lacking`: order_id, part, state, sku_id, units, pickup.

    By service class and then by age, as promises are kept.
    """
    rank = sa.case(
        {name.value: place for place, name in enumerate(ServiceClass)}, value=orders.c.service_class
    )
    short = sa.exists().where(
        part_line.c.order_id == order_part.c.order_id,
        part_line.c.part == order_part.c.part,
        part_line.c.quantity > 0,
        _SAME_LINE,
        among(tx, order_line.c.sku_id, lacking),
    )
    first = (
        sa.select(order_part, rank.label("rank"), orders.c.placed_at_ms, orders.c.pickup)
        .join(orders, orders.c.order_id == order_part.c.order_id)
        .where(*_waiting(now_ms), sa.or_(order_part.c.state == PartState.PREORDERED.value, ~short))
        .order_by(rank, orders.c.placed_at_ms, order_part.c.order_id, order_part.c.part)
        .limit(limit)
        .subquery()
    )
    query = (
        sa.select(first, order_line.c.sku_id, part_line.c.quantity.label("units"))
        .join(
            part_line,
            sa.and_(part_line.c.order_id == first.c.order_id, part_line.c.part == first.c.part),
        )
        .join(order_line, _SAME_LINE)
        .where(part_line.c.quantity > 0)
        .order_by(first.c.rank, first.c.placed_at_ms, first.c.order_id, first.c.part)
    )
    return list(tx.connection.execute(query))


_SAME_LINE = sa.and_(
    order_line.c.order_id == part_line.c.order_id,
    order_line.c.line == part_line.c.line,
)
_SAME_PART = sa.and_(
    order_part.c.order_id == part_line.c.order_id,
    order_part.c.part == part_line.c.part,
)


def _waiting(now_ms: int) -> tuple[sa.ColumnElement[bool], ...]:
    states = sorted([PartState.BACKORDERED, PartState.PREORDERED])
    return (
        order_part.c.state.in_(states),
        orders.c.not_before_ms <= now_ms,
        orders.c.state.not_in(sorted(FINAL)),
    )


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
