"""Facts that nodes report and people read: labels, discrepancies, verdicts, tasks, conflicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store import schema
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

Values = Mapping[str, Any]


def close_discrepancies(tx: Transaction, node_id: str, closed_seq: Mapping[tuple[int, int], int]) -> None:
    """(epoch, seq) of the opening event -> sequence of the one that closed it."""
    table = schema.discrepancy
    query = (
        sa.update(table)
        .where(
            table.c.node_id == node_id,
            # A later epoch closes what an earlier one has opened, by the same sequence.
            table.c.epoch <= sa.bindparam("opened_epoch"),
            table.c.seq == sa.bindparam("opened_seq"),
        )
        .values(closed_seq=sa.bindparam("by_seq"))
    )
    rows = [
        {"opened_epoch": epoch, "opened_seq": seq, "by_seq": by} for (epoch, seq), by in closed_seq.items()
    ]
    if rows:
        tx.connection.execute(query, rows)


def put_overrides(tx: Transaction, rows: Sequence[Values]) -> None:
    """The newest state of each rule that was set aside."""
    tx.upsert(schema.rule_override, rows)


def put_vision_decisions(tx: Transaction, rows: Sequence[Values]) -> None:
    """One row per verdict."""
    tx.upsert(schema.vision_decision, rows)


def put_tasks(tx: Transaction, rows: Sequence[Values]) -> None:
    """One row per task."""
    tx.upsert(schema.task, rows)


def put_conflicts(tx: Transaction, rows: Sequence[Values]) -> None:
    """The same meeting of facts is the same row: the first one stays."""
    tx.upsert(schema.conflict, rows, keep=[column.name for column in schema.conflict.c])


def has_conflict(tx: Transaction, conflict_id: str) -> bool:
    """Whether this meeting of facts is known."""
    table = schema.conflict
    query = sa.select(table.c.conflict_id).where(table.c.conflict_id == conflict_id)
    return tx.connection.execute(query).first() is not None


def vision_decisions(tx: Transaction, order_id: str, limit: int) -> list[Row]:
    """Newest first."""
    table = schema.vision_decision
    query = sa.select(table)
    if order_id:
        query = query.where(table.c.order_id == order_id)
    order = (table.c.committed_ms.desc(), table.c.node_id, table.c.epoch.desc(), table.c.seq.desc())
    return list(tx.connection.execute(query.order_by(*order).limit(limit)))


def conflict(tx: Transaction, conflict_id: str, *, hold: bool = False) -> Row | None:
    """One row; with `hold` nobody else may change it until the end of the transaction (after nodes and orders)."""
    table = schema.conflict
    query = sa.select(table).where(table.c.conflict_id == conflict_id)
    return tx.connection.execute(query.with_for_update() if hold and not tx.exclusive else query).first()


def conflicts(
    tx: Transaction,
    limit: int,
    after: tuple[int, str] | None = None,
    *,
    state: str = "",
    kind: str = "",
    node_id: str = "",
    order_id: str = "",
) -> list[Row]:
    """Newest first, after an (opened_at_ms, conflict_id); empty filters mean all."""
    table = schema.conflict
    query = sa.select(table)
    for column, wanted in (
        (table.c.state, state),
        (table.c.kind, kind),
        (table.c.node_id, node_id),
        (table.c.order_id, order_id),
    ):
        if wanted:
            query = query.where(column == wanted)
    if after is not None:
        opened, conflict_id = after
        query = query.where(
            sa.tuple_(table.c.opened_at_ms, table.c.conflict_id)
            < sa.tuple_(sa.literal(opened), sa.literal(conflict_id))
        )
    order = (table.c.opened_at_ms.desc(), table.c.conflict_id.desc())
    return list(tx.connection.execute(query.order_by(*order).limit(limit)))


def change_conflict(tx: Transaction, conflict_id: str, **columns: Any) -> None:
    """What people, or the end of an override, make of it; what the rule found stays as it is."""
    table = schema.conflict
    tx.connection.execute(sa.update(table).where(table.c.conflict_id == conflict_id).values(**columns))
