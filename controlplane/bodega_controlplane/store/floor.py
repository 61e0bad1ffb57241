"""Rows of what nodes say of their floors."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema_floor import line_substitution
from bodega_controlplane.store.transaction import Transaction


def substituted(tx: Transaction, fulfillment_order_id: str, line: int) -> int:
    """Units of a line of work that are served by other SKUs."""
    query = sa.select(sa.func.coalesce(sa.func.sum(line_substitution.c.quantity), 0)).where(
        line_substitution.c.fulfillment_order_id == fulfillment_order_id, line_substitution.c.line == line
    )
    return int(tx.connection.execute(query).scalar_one())
