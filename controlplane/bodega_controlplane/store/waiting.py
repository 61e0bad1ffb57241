"""Bulk that has not entered a node's stream yet: one row per key, in the order in which the keys first came."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import down_waiting
from bodega_controlplane.store.transaction import Transaction

# Put together once, because every order asks it.
_WAITING_OF: sa.Select[Any] = (
    sa.select(down_waiting.c.node_id, down_waiting.c.key, down_waiting.c.body)
    .where(down_waiting.c.node_id.in_(sa.bindparam("node_ids", expanding=True)))
    .where(down_waiting.c.key.in_(sa.bindparam("wanted", expanding=True)))
    .order_by(down_waiting.c.place)
)

_DROP = sa.delete(down_waiting).where(
    down_waiting.c.node_id == sa.bindparam("of_node"), down_waiting.c.key == sa.bindparam("taken")
)
# Fewer than any database takes as parameters of one statement.
_KEYS_PER_STATEMENT_MAX = 500


def put(tx: Transaction, node_ids: Sequence[str], bodies: Mapping[str, bytes]) -> None:
    """Add rows for each of these nodes, or replace the body of those that wait already."""
    if not node_ids or not bodies:
        return
    place = sa.func.max(down_waiting.c.place)
    query = sa.select(down_waiting.c.node_id, place).where(down_waiting.c.node_id.in_(node_ids))
    last = {
        node_id: int(place)
        for node_id, place in tx.connection.execute(query.group_by(down_waiting.c.node_id))
    }
    rows = [
        {"node_id": node_id, "key": key, "place": place, "body": body}
        for node_id in node_ids
        for place, (key, body) in enumerate(bodies.items(), start=last.get(node_id, 0) + 1)
    ]
    tx.upsert(down_waiting, rows, keep=("place",))


def take_first(tx: Transaction, node_id: str, limit: int) -> list[bytes]:
    """The bodies that wait longest, at most `limit`; they wait no more."""
    query: sa.Select[Any] = (
        sa.select(down_waiting.c.node_id, down_waiting.c.key, down_waiting.c.body)
        .where(down_waiting.c.node_id == node_id)
        .order_by(down_waiting.c.place)
        .limit(limit)
    )
    rows = list(tx.connection.execute(query))
    _drop(tx, rows)
    return [row.body for row in rows]


def take(tx: Transaction, wanted: Mapping[str, Collection[str]]) -> dict[str, list[bytes]]:
    """Node -> the bodies of the keys that are wanted for it, as far as they wait; they wait no more."""
    keys = sorted({key for of_node in wanted.values() for key in of_node})
    found: dict[str, list[bytes]] = {}
    for start in range(0, len(keys), _KEYS_PER_STATEMENT_MAX):
        asked = {"node_ids": sorted(wanted), "wanted": keys[start : start + _KEYS_PER_STATEMENT_MAX]}
        rows = [row for row in tx.connection.execute(_WAITING_OF, asked) if row.key in wanted[row.node_id]]
        for row in rows:
            found.setdefault(row.node_id, []).append(row.body)
        _drop(tx, rows)
    return found


def _drop(tx: Transaction, rows: Sequence[Row]) -> None:
    if rows:
        tx.connection.execute(_DROP, [{"of_node": row.node_id, "taken": row.key} for row in rows])


def nodes_with_some(tx: Transaction, node_ids: Sequence[str]) -> list[str]:
    """Those of the nodes that have something waiting, in order."""
    query = sa.select(down_waiting.c.node_id).where(down_waiting.c.node_id.in_(node_ids)).distinct()
    return sorted(tx.connection.execute(query).scalars())


def counts(tx: Transaction) -> dict[str, int]:
    """How much waits for each node that has something waiting."""
    query = sa.select(down_waiting.c.node_id, sa.func.count()).group_by(down_waiting.c.node_id)
    return {row[0]: int(row[1]) for row in tx.connection.execute(query)}
