"""Stored responses by idempotency key."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import idempotency
from bodega_controlplane.store.transaction import Transaction


def claim(tx: Transaction, channel: str, key: str) -> bool:
    """Whether no other transaction works on this key; held until the end of this one."""
    if tx.exclusive:
        return True
    digest = sha256(f"{len(channel)}:{channel}{key}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    return bool(tx.connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(number))).scalar_one())


def find(tx: Transaction, channel: str, key: str) -> Row | None:
    """The stored response."""
    wanted = (idempotency.c.channel == channel, idempotency.c.key == key)
    return tx.connection.execute(sa.select(idempotency).where(*wanted)).first()


def put(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Store a response: channel, key, digest, status, response, headers (JSON) and at_ms."""
    tx.insert_many(idempotency, [row])


def trim(tx: Transaction, before_ms: int, limit: int) -> int:
    """Forget responses that are older, the oldest first; how many there were."""
    keys = (idempotency.c.channel, idempotency.c.key)
    old = sa.select(*keys).where(idempotency.c.at_ms < before_ms).order_by(idempotency.c.at_ms).limit(limit)
    return tx.connection.execute(sa.delete(idempotency).where(sa.tuple_(*keys).in_(old))).rowcount
