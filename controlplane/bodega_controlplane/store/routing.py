"""Rows of routing: bundles, activations, decisions, and what waits at the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import (
    node,
    reassignment,
    routing_activation,
    routing_bundle,
    routing_decision,
)
from bodega_controlplane.store.transaction import Transaction

# Whoever puts a bundle in force takes turns, so that each activation knows the one before it.
_ROUTING_LOCK = 0x726F7574


def lock(tx: Transaction) -> None:
    """Be the only one who puts a bundle in force until the end of the transaction."""
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ROUTING_LOCK)))


def bundle(tx: Transaction, name: str) -> Row | None:
    """A bundle by its digest or its "name@version"."""
    named = (routing_bundle.c.digest == name) | (routing_bundle.c.rule == name)
    query = sa.select(routing_bundle).where(named).order_by(routing_bundle.c.added_at_ms.desc())
    return tx.connection.execute(query).first()


def bundles(tx: Transaction) -> list[Row]:
    """Every bundle, the newest first."""
    query = sa.select(routing_bundle).order_by(
        routing_bundle.c.added_at_ms.desc(), routing_bundle.c.rule.desc()
    )
    return list(tx.connection.execute(query))


def keep_bundle(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a bundle, unless it is there."""
    tx.upsert(routing_bundle, [row], keep=tuple(row))


def activation(tx: Transaction, number: int) -> Row | None:
    """One activation."""
    query = sa.select(routing_activation).where(routing_activation.c.activation == number)
    return tx.connection.execute(query).first()


def activations(tx: Transaction, limit: int) -> list[Row]:
    """Activations, the newest first: it is in force."""
    query = sa.select(routing_activation).order_by(routing_activation.c.activation.desc())
    return list(tx.connection.execute(query.limit(limit)))


def activate(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write an activation."""
    tx.insert_many(routing_activation, [row])


def highest_at_nodes(tx: Transaction) -> int:
    """The highest activation that any node has told of: more than we know, where we were restored."""
    return int(
        tx.connection.execute(sa.select(sa.func.max(node.c.routing_activation))).scalar_one_or_none() or 0
    )


def decided(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a decision."""
    tx.insert_many(routing_decision, [row])


def next_number(tx: Transaction, order_id: str) -> int:
    """What the next decision about an order is counted as."""
    query = sa.select(sa.func.count()).where(routing_decision.c.order_id == order_id)
    return int(tx.connection.execute(query.select_from(routing_decision)).scalar_one()) + 1


def decisions_of(tx: Transaction, order_id: str) -> list[Row]:
    """Decisions about an order, the newest first."""
    query = sa.select(routing_decision).where(routing_decision.c.order_id == order_id)
    return list(tx.connection.execute(query.order_by(routing_decision.c.number.desc())))


class Moved(NamedTuple):
    """A decision that gave something out anew, under these fencing tokens. `decided_by`: a rule, or a person."""

    tokens: range
    decided_by: str
    decided_at_ms: int


def moves_of(tx: Transaction, order_id: str) -> list[Moved]:
    """How parts of an order were moved since it was placed, the newest move first; those of older versions too."""
    columns = (
        routing_decision.c.first_token,
        routing_decision.c.decided_by,
        routing_decision.c.decided_at_ms,
    )
    ours = sa.select(*columns).where(
        routing_decision.c.order_id == order_id, routing_decision.c.first_token > 0
    )
    older = (reassignment.c.fencing_token, reassignment.c.decided_by, reassignment.c.decided_at_ms)
    theirs = sa.select(*older).where(reassignment.c.order_id == order_id)
    found: list[Moved] = []
    end = _NO_TOKEN_MORE
    for first, decided_by, at_ms in sorted(tx.connection.execute(ours.union_all(theirs)), reverse=True):
        # Tokens rise, and a move gives out all of its own at once: they end where those of the next one begin.
        found.append(Moved(range(first, end), decided_by, at_ms))
        end = first
    return found


# Beyond the assignments of any order.
_NO_TOKEN_MORE = 2**31

_NEWEST = (routing_decision.c.decided_at_ms.desc(), routing_decision.c.decision_id.desc())


def decisions(tx: Transaction, since_ms: int, after: tuple[int, str] | None, limit: int) -> list[Row]:
    """Decisions from a time on, the newest first, after a (decided_at_ms, decision_id)."""
    query = sa.select(routing_decision).where(routing_decision.c.decided_at_ms >= since_ms)
    if after is not None:
        at_ms, decision_id = after
        query = query.where(
            sa.tuple_(routing_decision.c.decided_at_ms, routing_decision.c.decision_id)
            < sa.tuple_(sa.literal(at_ms), sa.literal(decision_id))
        )
    return list(tx.connection.execute(query.order_by(*_NEWEST).limit(limit)))


def count_decisions(tx: Transaction, since_ms: int) -> int:
    """Decisions from a time on."""
    query = sa.select(sa.func.count()).where(routing_decision.c.decided_at_ms >= since_ms)
    return int(tx.connection.execute(query.select_from(routing_decision)).scalar_one())


def save_decision(tx: Transaction, decision_id: str, **columns: Any) -> None:
    """Set some columns of a decision: what erasing leaves of it."""
    change = sa.update(routing_decision).where(routing_decision.c.decision_id == decision_id)
    tx.connection.execute(change.values(**columns))
