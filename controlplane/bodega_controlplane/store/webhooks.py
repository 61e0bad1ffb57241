"""Endpoints that are called with events, and what came of each call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema.events import webhook, webhook_delivery
from bodega_controlplane.store.transaction import Transaction

ENABLED, DISABLED = "enabled", "disabled"
_MAKERS_LOCK = 0x77656268


def add(tx: Transaction, row: Mapping[str, Any]) -> None:
    """A new endpoint."""
    tx.insert_many(webhook, [row])


def by_id(tx: Transaction, webhook_id: str) -> Row | None:
    """An endpoint."""
    return tx.connection.execute(sa.select(webhook).where(webhook.c.webhook_id == webhook_id)).first()


def lock(tx: Transaction, webhook_id: str) -> Row | None:
    """An endpoint, held until the end of the transaction."""
    query = sa.select(webhook).where(webhook.c.webhook_id == webhook_id)
    return tx.connection.execute(query.with_for_update()).first()


def lock_makers(tx: Transaction) -> None:
    """Be the only one who makes endpoints until the end of the transaction."""
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKERS_LOCK)))


def of_channel(tx: Transaction, channel: str) -> list[Row]:
    """Endpoints of a channel, oldest first; of all channels where it is empty."""
    query = sa.select(webhook).order_by(webhook.c.created_at_ms, webhook.c.webhook_id)
    return list(tx.connection.execute(query.where(webhook.c.channel == channel) if channel else query))


def change(tx: Transaction, webhook_id: str, **columns: Any) -> None:
    """Set columns of an endpoint."""
    tx.connection.execute(sa.update(webhook).where(webhook.c.webhook_id == webhook_id).values(**columns))


def turn_off_all(tx: Transaction, channel: str, reason: str, now_ms: int) -> list[str]:
    """Call none of a channel's endpoints any more; which were called. Runs that are under way write nothing over it."""
    on = sa.update(webhook).where(webhook.c.channel == channel, webhook.c.state == ENABLED)
    off = {"state": DISABLED, "reason": reason, "lease": "", "version": webhook.c.version + 1}
    changed = on.values(**off, updated_at_ms=now_ms).returning(webhook.c.webhook_id)
    return sorted(tx.connection.execute(changed).scalars())


def remove(tx: Transaction, webhook_id: str) -> None:
    """Forget an endpoint and its deliveries."""
    for table in (webhook_delivery, webhook):
        tx.connection.execute(sa.delete(table).where(table.c.webhook_id == webhook_id))


def any_due(tx: Transaction, now_ms: int, head: int) -> bool:
    """Whether `claim` would find one."""
    return bool(tx.connection.execute(sa.select(sa.exists(_due(now_ms, head)))).scalar_one())


def claim(tx: Transaction, lease: str, now_ms: int, until_ms: int, head: int, limit: int) -> list[Row]:
    """Take endpoints that have something to be told and that nobody is telling; those called longest ago first."""
    query = _due(now_ms, head).order_by(webhook.c.next_attempt_ms, webhook.c.webhook_id).limit(limit)
    ids = [row.webhook_id for row in tx.connection.execute(query.with_for_update(skip_locked=True))]
    mine = webhook.c.webhook_id.in_(ids)
    tx.connection.execute(sa.update(webhook).where(mine).values(lease=lease, lease_until_ms=until_ms))
    return list(tx.connection.execute(sa.select(webhook).where(mine).order_by(webhook.c.webhook_id)))


def _due(now_ms: int, head: int) -> sa.Select[Any]:
    return sa.select(webhook.c.webhook_id).where(
        webhook.c.state == ENABLED,
        webhook.c.cursor_seq < head,
        # One that takes all it is told may always be called: no clock that jumps keeps it waiting.
        sa.or_(webhook.c.attempts == 0, webhook.c.next_attempt_ms <= now_ms),
        webhook.c.lease_until_ms <= now_ms,
    )


def end_run(tx: Transaction, webhook_id: str, lease: str, columns: Mapping[str, Any]) -> bool:
    """Give an endpoint back with what has changed, if it is still this run's; whether it was.

    Whoever changed the endpoint in the meantime took the lease's name away but not its time: nobody else has begun.
    """
    ours = sa.update(webhook).where(webhook.c.webhook_id == webhook_id, webhook.c.lease == lease)
    if tx.connection.execute(ours.values(lease="", lease_until_ms=0, **columns)).rowcount:
        return True
    broken = sa.update(webhook).where(webhook.c.webhook_id == webhook_id, webhook.c.lease == "")
    tx.connection.execute(broken.values(lease_until_ms=0))
    return False


def note(tx: Transaction, deliveries: Sequence[Mapping[str, Any]]) -> None:
    """What came of calls."""
    tx.insert_many(webhook_delivery, deliveries)


def deliveries(tx: Transaction, webhook_id: str, limit: int, *, failed: bool = False) -> list[Row]:
    """Calls of an endpoint, newest first."""
    query = sa.select(webhook_delivery).where(webhook_delivery.c.webhook_id == webhook_id)
    if failed:
        query = query.where(~webhook_delivery.c.status.between(200, 299))
    return list(tx.connection.execute(query.order_by(webhook_delivery.c.delivery_id.desc()).limit(limit)))


def trim_deliveries(tx: Transaction, before_ms: int, limit: int) -> int:
    """Forget calls that were made before a time, oldest first; how many went."""
    old = sa.select(webhook_delivery.c.delivery_id).where(webhook_delivery.c.at_ms < before_ms)
    ids = [row.delivery_id for row in tx.connection.execute(old.order_by("delivery_id").limit(limit))]
    if ids:
        gone = webhook_delivery.c.delivery_id <= ids[-1]
        tx.connection.execute(sa.delete(webhook_delivery).where(gone, webhook_delivery.c.at_ms < before_ms))
    return len(ids)
