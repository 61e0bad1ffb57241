"""Rows of differences between books, and of the counts that settle them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema.differing import divergence, divergence_count
from bodega_controlplane.store.transaction import Transaction

CLOSED = "closed"


def open_of(tx: Transaction, node_id: str) -> Row | None:
    """The difference of a node that is not settled, if there is one."""
    query = sa.select(divergence).where(divergence.c.node_id == node_id, divergence.c.state != CLOSED)
    return tx.connection.execute(query).first()


def all_open(tx: Transaction) -> list[Row]:
    """Every difference that is not settled, by node."""
    query = sa.select(divergence).where(divergence.c.state != CLOSED).order_by(divergence.c.node_id)
    return list(tx.connection.execute(query))


def put(tx: Transaction, row: Mapping[str, Any]) -> None:
    """A new difference, or all of its columns anew."""
    tx.upsert(divergence, [row])


def change(tx: Transaction, divergence_id: str, **columns: Any) -> None:
    """Set some columns."""
    query = sa.update(divergence).where(divergence.c.divergence_id == divergence_id)
    tx.connection.execute(query.values(**columns))


def count_opened(tx: Transaction, node_id: str, task_id: str, divergence_id: str) -> None:
    """A node has opened a count."""
    row = {"node_id": node_id, "task_id": task_id, "divergence_id": divergence_id, "closed_seq": 0}
    tx.upsert(divergence_count, [row], keep=["closed_seq"])


def count_closed(tx: Transaction, node_id: str, task_id: str, seq: int) -> None:
    """A node has closed a count, by its event `seq`."""
    table = divergence_count
    query = sa.update(table).where(table.c.node_id == node_id, table.c.task_id == task_id)
    tx.connection.execute(query.values(closed_seq=seq))


def forget_counts(tx: Transaction, node_id: str) -> None:
    """Counts that a node has opened on a line of its journal that has ended: what goes on is opened again."""
    table = divergence_count
    tx.connection.execute(sa.delete(table).where(table.c.node_id == node_id, table.c.closed_seq == 0))


def counts_open(tx: Transaction) -> dict[str, int]:
    """Divergence id -> counts that are open, for those that have any."""
    table = divergence_count
    query = sa.select(table.c.divergence_id, sa.func.count()).where(table.c.closed_seq == 0)
    return {row[0]: int(row[1]) for row in tx.connection.execute(query.group_by(table.c.divergence_id))}
