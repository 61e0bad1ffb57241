"""One database transaction, as use cases see it.

On SQLite a write transaction is the only one (`exclusive`). On PostgreSQL several run at once, READ
COMMITTED, under one rule: whoever writes what belongs to a node (its journal, stock, reservations, orders,
outgoing events) first locks the node's row. Audit lines are gathered and chained last, just before the
commit, so that the one lock that all share is held only for that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bodega_controlplane.store import schema


class Contended(Exception):
    """What was decided on has changed under us: roll back and run the use case again."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line for the audit trail; `detail` must hold no personal data."""

    at_ms: int
    actor: str
    action: str
    subject: str
    detail: str


class Transaction:
    """Everything that a use case reads and writes goes through one of these; see `Hub.run`."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.exclusive = connection.dialect.name == "sqlite"
        self.audit_lines: list[AuditLine] = []
        self.woken: set[str] = set()

    def lock_nodes(self, node_ids: Iterable[str]) -> None:
        """Hold the rows of these nodes until the end; always in id order, so that nobody deadlocks."""
        wanted = sorted(set(node_ids))
        if self.exclusive or not wanted:
            return
        query = sa.select(schema.node.c.node_id).where(schema.node.c.node_id.in_(wanted))
        self.connection.execute(query.order_by(schema.node.c.node_id).with_for_update())

    def audit(
        self, *, at_ms: int, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Add a line to the audit trail; never put personal data into `detail`."""
        text = json.dumps(detail or {}, sort_keys=True, separators=(",", ":"))
        self.audit_lines.append(AuditLine(at_ms, actor, action, subject, text))

    def wake(self, node_id: str) -> None:
        """After the commit, tell the pump that there is something to send to this node."""
        self.woken.add(node_id)

    def upsert(
        self,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        keep: Iterable[str] = (),
        add: Iterable[str] = (),
    ) -> None:
        """Insert rows or, where the primary key exists, replace their other columns.

        Columns in `keep` stay as they are, columns in `add` are summed with what is there.
        """
        if not rows:
            return
        insert: Any = (sqlite if self.exclusive else postgresql).insert(table)
        keys = [column.name for column in table.primary_key]
        summed, kept = set(add), {*keep, *keys}
        changes = {
            name: table.c[name] + insert.excluded[name] if name in summed else insert.excluded[name]
            for name in rows[0]
            if name not in kept
        }
        statement = (
            insert.on_conflict_do_update(index_elements=keys, set_=changes)
            if changes
            else insert.on_conflict_do_nothing(index_elements=keys)
        )
        self.connection.execute(statement, list(rows))
