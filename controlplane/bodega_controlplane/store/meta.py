"""The schema's version, and rounds that one of several control planes on one database does: whoever claims it first."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema import meta
from bodega_controlplane.store.transaction import Transaction


def claim(tx: Transaction, name: str, now_ms: int, every_ms: int) -> bool:
    """Whether this round is ours: nobody has claimed it within `every_ms`; a clock that went back claims it too."""
    tx.upsert(meta, [{"key": name, "value": "0"}], keep=("value",))
    last_ms = sa.cast(meta.c.value, sa.BigInteger)
    due = (last_ms <= now_ms - every_ms) | (last_ms > now_ms)
    change = sa.update(meta).where(meta.c.key == name, due).values(value=str(now_ms))
    return tx.connection.execute(change).rowcount == 1


def schema_version(tx: Transaction) -> int:
    """Its schema's version: a question that only a database which works answers."""
    query = sa.select(meta.c.value).where(meta.c.key == "schema_version")
    return int(tx.connection.execute(query).scalar_one())
