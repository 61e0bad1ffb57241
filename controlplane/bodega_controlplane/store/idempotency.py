"""Stored responses by idempotency key."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import idempotency
from bodega_controlplane.store.transaction import Transaction

# Put together once, because every write asks it.
_STORED = sa.select(idempotency).where(
    idempotency.c.channel == sa.bindparam("channel"), idempotency.c.key == sa.bindparam("key")
)


def claim(tx: Transaction, channel: str, key: str) -> bool:
    """Whether no other transaction works on this key; held until the end of this one."""
    if tx.exclusive:
        return True
    digest = sha256(f"{len(channel)}:{channel}{key}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    return bool(tx.connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(number))).scalar_one())


def find(tx: Transaction, channel: str, key: str) -> Row | None:
    """The stored response."""
    return tx.connection.execute(_STORED, {"channel": channel, "key": key}).first()


def put(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Store a response: channel, key, digest, status, response, headers (JSON) and at_ms."""
    tx.insert_many(idempotency, [row])


def trim(tx: Transaction, before_ms: int, limit: int) -> int:
    """Forget responses that are older, the oldest first; how many there were."""
    keys = (idempotency.c.channel, idempotency.c.key)
    old = sa.select(*keys).where(idempotency.c.at_ms < before_ms).order_by(idempotency.c.at_ms).limit(limit)
    return tx.connection.execute(sa.delete(idempotency).where(sa.tuple_(*keys).in_(old))).rowcount
