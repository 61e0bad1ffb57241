"""Rows of telemetry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import telemetry
from bodega_controlplane.store.transaction import Transaction


def put(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows; one that is there already stays as it is."""
    tx.upsert(telemetry, rows, keep=("at_ms", "came_ms", "kind", "subject", "detail"))


def drop_old(tx: Transaction, node_id: str, rows_max: int) -> None:
    """Keep only the newest of a node."""
    old = (
        sa.select(telemetry.c.row_no)
        .where(telemetry.c.node_id == node_id)
        .order_by(telemetry.c.row_no.desc())
        .offset(rows_max)
    )
    tx.connection.execute(
        sa.delete(telemetry).where(telemetry.c.node_id == node_id, telemetry.c.row_no.in_(old))
    )


def newest(tx: Transaction, node_id: str, limit: int) -> list[Row]:
    """The newest rows of a node, the newest first."""
    query = (
        sa.select(telemetry)
        .where(telemetry.c.node_id == node_id)
        .order_by(telemetry.c.row_no.desc())
        .limit(limit)
    )
    return list(tx.connection.execute(query))
