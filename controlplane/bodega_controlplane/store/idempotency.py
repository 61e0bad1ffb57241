"""Stored responses by idempotency key."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import idempotency
from bodega_controlplane.store.transaction import Transaction

# Put together once, because every write asks it.
_STORED = sa.select(idempotency).where(
    idempotency.c.channel.in_(sa.bindparam("channels", expanding=True)),
    idempotency.c.key.in_(sa.bindparam("keys", expanding=True)),
)
_CLAIM = "SELECT name, pg_try_advisory_xact_lock(name) FROM unnest(%s::bigint[]) AS name"

# A channel and its key.
Name = tuple[str, str]


def claim(tx: Transaction, names: Collection[Name]) -> set[Name]:
    """Those that no other transaction works on; held until the end of this one."""
    if tx.exclusive:
        return set(names)
    numbers = {_number(*name): name for name in names}
    rows = tx.connection.exec_driver_sql(_CLAIM, (list(numbers),))
    return {numbers[number] for number, is_ours in rows if is_ours}


def _number(channel: str, key: str) -> int:
    digest = sha256(f"{len(channel)}:{channel}{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def find(tx: Transaction, names: Collection[Name]) -> dict[Name, Row]:
    """The stored responses."""
    asked = {"channels": sorted({channel for channel, _ in names}), "keys": sorted({key for _, key in names})}
    rows = {(row.channel, row.key): row for row in tx.connection.execute(_STORED, asked)}
    return {name: rows[name] for name in names if name in rows}


def put(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store responses: channel, key, digest, status, response, headers (JSON) and at_ms."""
    tx.insert_many(idempotency, rows)


def trim(tx: Transaction, before_ms: int, limit: int) -> int:
    """Forget responses that are older, the oldest first; how many there were."""
    keys = (idempotency.c.channel, idempotency.c.key)
    old = sa.select(*keys).where(idempotency.c.at_ms < before_ms).order_by(idempotency.c.at_ms).limit(limit)
    return tx.connection.execute(sa.delete(idempotency).where(sa.tuple_(*keys).in_(old))).rowcount
