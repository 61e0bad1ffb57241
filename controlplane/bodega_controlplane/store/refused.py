"""What nodes sent and the hub could not take: kept for people, the newest of each node and of all."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import refused_envelope
from bodega_controlplane.store.transaction import Transaction

# Refusals of several connections take turns to number themselves.
_LOCK = 0x72656675

_number = refused_envelope.c.refused_no


def count_again(tx: Transaction, *, node_id: str, subject: str, reason: str, at_ms: int) -> bool:
    """Count the same once more; False if it is not kept."""
    found = tx.connection.execute(
        sa.update(refused_envelope)
        .where(
            refused_envelope.c.node_id == node_id,
            refused_envelope.c.subject == subject,
            refused_envelope.c.reason == reason,
        )
        .values(times=refused_envelope.c.times + 1, last_ms=at_ms)
    )
    return bool(found.rowcount)


def keep(
    tx: Transaction,
    *,
    node_id: str,
    subject: str,
    reason: str,
    body: bytes,
    at_ms: int,
    of_node_max: int,
    of_all_max: int,
) -> None:
    """Keep one; of its node only the newest `of_node_max` stay, of all the newest `of_all_max`."""
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    newest = tx.connection.execute(sa.select(sa.func.max(_number))).scalar_one() or 0
    row = {"node_id": node_id, "subject": subject, "reason": reason, "body": body}
    tx.connection.execute(
        sa.insert(refused_envelope).values(refused_no=newest + 1, at_ms=at_ms, times=1, last_ms=at_ms, **row)
    )
    of_node = (
        sa.select(_number)
        .where(refused_envelope.c.node_id == node_id)
        .order_by(_number.desc())
        .offset(of_node_max)
    )
    old = sa.or_(_number.in_(of_node), _number <= newest + 1 - of_all_max)
    tx.connection.execute(sa.delete(refused_envelope).where(old))


def newest(tx: Transaction, node_id: str, limit: int) -> list[Row]:
    """Kept refusals, the newest first; of one node, or of all if `node_id` is empty."""
    query = sa.select(refused_envelope).order_by(_number.desc()).limit(limit)
    if node_id:
        query = query.where(refused_envelope.c.node_id == node_id)
    return list(tx.connection.execute(query))
