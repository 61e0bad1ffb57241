"""Rows of the channels that sell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import channel
from bodega_controlplane.store.transaction import Transaction

# Writers of channels take turns, so that two of them cannot make one channel.
_CHANNEL_LOCK = 0x6368616E


def lock(tx: Transaction) -> None:
    """Be the only one who writes channels until the end of the transaction."""
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CHANNEL_LOCK)))


def by_id(tx: Transaction, channel_id: str) -> Row | None:
    """One channel."""
    return tx.connection.execute(sa.select(channel).where(channel.c.channel_id == channel_id)).first()


def all_of(tx: Transaction) -> list[Row]:
    """Every channel by id, those revoked too."""
    return list(tx.connection.execute(sa.select(channel).order_by(channel.c.channel_id)))


def put(tx: Transaction, row: Mapping[str, Any]) -> None:
    """A channel as it is now."""
    tx.upsert(channel, [row])
