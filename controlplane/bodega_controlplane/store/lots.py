"""What nodes know of their lots, and which of them are past their day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.schema import lot
from bodega_controlplane.store.transaction import Transaction


def put(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """The newest word of a node on a lot."""
    tx.upsert(lot, rows)


def judge(tx: Transaction, today: str) -> int:
    """Mark lots that are past their day on `today`, and those that are not; how many marks have changed."""
    past = lot.c.expiry < today
    change = sa.update(lot).where(lot.c.past != past).values(past=past)
    return int(tx.connection.execute(change).rowcount)
