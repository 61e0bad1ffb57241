"""Rows of edits that nodes have proposed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import conflict, field_proposal
from bodega_controlplane.store.transaction import Transaction


def put(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a proposal; the one of an event is written once."""
    tx.upsert(field_proposal, [row], keep=tuple(row))


def by_id(tx: Transaction, proposal_id: str) -> Row | None:
    """A proposal, held until the end of the transaction where databases have more than one writer."""
    query = sa.select(field_proposal).where(field_proposal.c.proposal_id == proposal_id)
    return tx.connection.execute(query.with_for_update()).first()


def change(tx: Transaction, proposal_id: str, **columns: Any) -> None:
    """Set some columns of a proposal."""
    query = sa.update(field_proposal).where(field_proposal.c.proposal_id == proposal_id)
    tx.connection.execute(query.values(**columns))


def page(tx: Transaction, limit: int, *, states: Collection[str]) -> list[Row]:
    """Proposals in these states, newest first."""
    table = field_proposal
    query = sa.select(table).where(table.c.state.in_(sorted(states)))
    order = (table.c.at_ms.desc(), table.c.node_id, table.c.epoch.desc(), table.c.seq.desc())
    return list(tx.connection.execute(query.order_by(*order).limit(limit)))


def own_words(tx: Transaction, node_id: str, kind: str, field: str) -> dict[str, str]:
    """Subject -> the newest value of a field that the node owns."""
    table = field_proposal
    query = (
        sa.select(table.c.subject, table.c.value)
        .where(table.c.node_id == node_id, table.c.kind == kind, table.c.field == field)
        .where(table.c.state == "applied")
        .order_by(table.c.epoch, table.c.seq)
    )
    return {row.subject: row.value for row in tx.connection.execute(query)}


def resolve_conflict(tx: Transaction, conflict_id: str, *, by: str, decision: str, at_ms: int) -> None:
    """A person has decided what the row of a proposal asked."""
    query = sa.update(conflict).where(conflict.c.conflict_id == conflict_id)
    tx.connection.execute(
        query.values(state="resolved", decided_by=by, decision=decision, decided_at_ms=at_ms)
    )
