"""Stored responses by idempotency key."""

from __future__ import annotations

from hashlib import sha256

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


def put(
    tx: Transaction, *, channel: str, key: str, digest: bytes, status: int, response: bytes, at_ms: int
) -> None:
    """Store a response."""
    tx.connection.execute(
        sa.insert(idempotency).values(
            channel=channel, key=key, digest=digest, status=status, response=response, at_ms=at_ms
        )
    )
