"""Rows of what nodes were told to expect: notices with their receipts, transfers ordered, returns agreed to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema.floor import (
    advance_notice,
    customer_return,
    receipt,
    transfer_order,
    transfer_progress,
)
from bodega_controlplane.store.transaction import Transaction

EXPECTED, CLOSED = "expected", "closed"
_RECEIVED = "received"

Values = Mapping[str, Any]


def notice(tx: Transaction, node_id: str, notice_id: str) -> Row | None:
    """One notice."""
    table = advance_notice
    query = sa.select(table).where(table.c.node_id == node_id, table.c.notice_id == notice_id)
    return tx.connection.execute(query).first()


def put_notice(tx: Transaction, row: Values) -> None:
    """A notice as it is now."""
    tx.upsert(advance_notice, [row])


def notices(tx: Transaction, node_id: str, limit: int) -> list[Row]:
    """Newest first; of one node, or of all where it is empty."""
    table = advance_notice
    query = sa.select(table).where(table.c.node_id == node_id) if node_id else sa.select(table)
    order = (table.c.changed_at_ms.desc(), table.c.node_id, table.c.notice_id)
    return list(tx.connection.execute(query.order_by(*order).limit(limit)))


def receipts(tx: Transaction, notice_ids: Collection[str]) -> dict[tuple[str, str], list[Row]]:
    """(node, notice) -> what has come for it."""
    query = sa.select(receipt).where(receipt.c.notice_id.in_(sorted(notice_ids)))
    found: dict[tuple[str, str], list[Row]] = {}
    for row in tx.connection.execute(query.order_by(receipt.c.node_id, receipt.c.receipt_id)):
        found.setdefault((row.node_id, row.notice_id), []).append(row)
    return found


def standing_notices(tx: Transaction, node_id: str) -> list[Row]:
    """Notices of a node that nobody has withdrawn, by id."""
    table = advance_notice
    query = sa.select(table).where(table.c.node_id == node_id, ~table.c.withdrawn)
    return list(tx.connection.execute(query.order_by(table.c.notice_id)))


def put_transfer(tx: Transaction, row: Values) -> None:
    """A transfer was ordered."""
    tx.insert_many(transfer_order, [row])


def open_transfers(tx: Transaction, node_id: str) -> list[Row]:
    """Transfers that a node was asked for or is to receive, and that have not arrived."""
    table = transfer_order
    arrived = sa.exists().where(
        transfer_progress.c.transfer_id == table.c.transfer_id, transfer_progress.c.state == _RECEIVED
    )
    here = sa.or_(table.c.from_node_id == node_id, table.c.to_node_id == node_id)
    return list(tx.connection.execute(sa.select(table).where(here, ~arrived).order_by(table.c.transfer_id)))


def ended_at(tx: Transaction, node_id: str, states: Collection[str]) -> list[tuple[Row, str]]:
    """Transfers whose end at this node is in one of these states, while the whole has not arrived or is not told of."""
    table, done = transfer_order, transfer_progress
    query = (
        sa.select(table, done.c.state.label("end_state"))
        .join(done, done.c.transfer_id == table.c.transfer_id)
        .where(done.c.node_id == node_id, done.c.state.in_(sorted(states)))
    )
    return [(row, row.end_state) for row in tx.connection.execute(query.order_by(table.c.transfer_id))]


def put_return(tx: Transaction, row: Values) -> None:
    """A return was agreed to."""
    tx.insert_many(customer_return, [row])


def returns_of(tx: Transaction, order_id: str) -> list[Row]:
    """Everything that comes back of an order, or has."""
    table = customer_return
    query = sa.select(table).where(table.c.order_id == order_id)
    return list(tx.connection.execute(query.order_by(table.c.node_id, table.c.return_id)))


def open_returns(tx: Transaction, node_id: str) -> list[Row]:
    """Returns that a node was told of and has not closed."""
    table = customer_return
    query = sa.select(table).where(
        table.c.node_id == node_id, table.c.state != CLOSED, table.c.expected != "[]"
    )
    return list(tx.connection.execute(query.order_by(table.c.return_id)))
