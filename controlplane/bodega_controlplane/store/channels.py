"""Rows of the channels that sell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import channel, channel_token
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


def tokens_of(tx: Transaction, channel_id: str) -> list[Row]:
    """What opens one channel, or did, that which lasts longest first."""
    query = sa.select(channel_token).where(channel_token.c.channel_id == channel_id)
    lasts = sa.case((channel_token.c.until_ms == 0, 2**62), else_=channel_token.c.until_ms)
    return list(tx.connection.execute(query.order_by(lasts.desc(), channel_token.c.token_digest)))


def open_tokens(tx: Transaction, now_ms: int) -> list[Row]:
    """What opens a channel now."""
    lasts = (channel_token.c.until_ms == 0) | (channel_token.c.until_ms > now_ms)
    return list(tx.connection.execute(sa.select(channel_token).where(lasts)))


def put_tokens(tx: Transaction, channel_id: str, tokens: Mapping[bytes, int]) -> None:
    """These and no others open a channel: digest -> until when, 0 for no end."""
    tx.connection.execute(sa.delete(channel_token).where(channel_token.c.channel_id == channel_id))
    rows = [
        {"token_digest": digest, "channel_id": channel_id, "until_ms": until_ms}
        for digest, until_ms in tokens.items()
    ]
    tx.insert_many(channel_token, rows)


def put(tx: Transaction, row: Mapping[str, Any]) -> None:
    """A channel as it is now."""
    tx.upsert(channel, [row])
