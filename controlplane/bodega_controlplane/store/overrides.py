"""Rules that people at the centre have set aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bodega.core.deadline import BootTime
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import hub_override, rule_override
from bodega_controlplane.store.transaction import Transaction

_OPEN = hub_override.c.state == "open"


def insert(tx: Transaction, row: Mapping[str, Any]) -> None:
    """A new one."""
    tx.insert_many(hub_override, [row])


def by_id(tx: Transaction, override_id: str) -> Row | None:
    """One row."""
    query = sa.select(hub_override).where(hub_override.c.override_id == override_id)
    return tx.connection.execute(query).first()


def open_on(tx: Transaction, kind: str, subject: str) -> Row | None:
    """The one in force on a subject."""
    query = sa.select(hub_override).where(
        hub_override.c.subject == subject, hub_override.c.kind == kind, _OPEN
    )
    return tx.connection.execute(query).first()


def untold_to(tx: Transaction, kind: str, node_id: str) -> list[Row]:
    """Overrides of a kind whose subjects begin with "<node>/", which that node must know of, oldest first.

    Those in force, and those that a person has closed while the node has not said so.
    """
    answer = sa.and_(
        rule_override.c.override_id == hub_override.c.override_id, rule_override.c.node_id == node_id
    )
    unanswered = sa.func.coalesce(rule_override.c.state, "open") == "open"
    query = (
        sa.select(hub_override)
        .outerjoin(rule_override, answer)
        .where(sa.func.substr(hub_override.c.subject, 1, len(node_id) + 1) == f"{node_id}/")
        .where(hub_override.c.kind == kind)
        .where(sa.or_(_OPEN, sa.and_(hub_override.c.state == "closed", unanswered)))
        .order_by(hub_override.c.opened_at_ms, hub_override.c.override_id)
    )
    return list(tx.connection.execute(query))


def page(tx: Transaction, after: tuple[int, str] | None, limit: int, *, only_open: bool) -> list[Row]:
    """Newest first, after an (opened_at_ms, override_id)."""
    query = sa.select(hub_override)
    if only_open:
        query = query.where(_OPEN)
    if after is not None:
        opened, override_id = after
        query = query.where(
            sa.tuple_(hub_override.c.opened_at_ms, hub_override.c.override_id)
            < sa.tuple_(sa.literal(opened), sa.literal(override_id))
        )
    order = (hub_override.c.opened_at_ms.desc(), hub_override.c.override_id.desc())
    return list(tx.connection.execute(query.order_by(*order).limit(limit)))


def begin_anew(tx: Transaction, now: BootTime) -> None:
    """After a reboot the clock begins at zero: what was under way gets its whole time again."""
    change = sa.update(hub_override).where(_OPEN, hub_override.c.boot_id != now.boot_id)
    tx.connection.execute(
        change.values(boot_id=now.boot_id, expires_at_ms=now.ms + hub_override.c.expires_after_ms)
    )


def due(tx: Transaction, now: BootTime, limit: int) -> list[Row]:
    """Open ones of this boot whose time is over."""
    query = sa.select(hub_override).where(
        _OPEN, hub_override.c.boot_id == now.boot_id, hub_override.c.expires_at_ms <= now.ms
    )
    return list(tx.connection.execute(query.order_by(hub_override.c.expires_at_ms).limit(limit)))


def any_to_look_at(tx: Transaction, now: BootTime) -> bool:
    """Whether `begin_anew` or `due` would find any."""
    late = sa.or_(hub_override.c.boot_id != now.boot_id, hub_override.c.expires_at_ms <= now.ms)
    return (
        tx.connection.execute(sa.select(hub_override.c.override_id).where(_OPEN, late).limit(1)).first()
        is not None
    )


def end_open(tx: Transaction, override_id: str, *, state: str, now_ms: int, by: str) -> None:
    """It is closed, or has expired; nothing if it was already, or is not known."""
    change = sa.update(hub_override).where(hub_override.c.override_id == override_id, _OPEN)
    tx.connection.execute(change.values(state=state, ended_at_ms=now_ms, ended_by=by))
