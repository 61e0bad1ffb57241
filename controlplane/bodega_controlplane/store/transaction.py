"""One database transaction, as use cases see it.

On SQLite a write transaction is the only one (`exclusive`). On PostgreSQL several run at once, READ
COMMITTED, under one rule: whoever writes what belongs to a node (its journal, stock, reservations, orders,
outgoing events) first locks the node's row. Audit lines are gathered and chained last, just before the
commit, so that the one lock that all share is held only for that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bodega.limits import TEXT_CHARS_MAX
from bodega_controlplane.store import schema
from bodega_controlplane.store.copying import Rows, copy_aside, copy_rows, write_together

# From so many rows on, PostgreSQL takes them faster by COPY.
_COPY_ROWS_MIN = 100


# By table, columns and ending of the statement.
_Gathered = dict[tuple[sa.Table, tuple[str, ...], str], list[tuple[Any, ...]]]


class Contended(Exception):
    """What was decided on has changed under us: roll back and run the use case again."""


class Choked(Exception):
    """The database does not take a value; what was written with it is undone."""


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
        self._locked: set[str] = set()
        self._gathered: _Gathered | None = None

    def lock_nodes(self, node_ids: Iterable[str]) -> None:
        """Hold the rows of these nodes until the end; always in id order, so that nobody deadlocks."""
        wanted = sorted(set(node_ids) - self._locked)
        if self.exclusive or not wanted:
            return
        query = sa.select(schema.node.c.node_id).where(schema.node.c.node_id.in_(wanted))
        self.connection.execute(query.order_by(schema.node.c.node_id).with_for_update())
        self._locked.update(wanted)

    def audit(
        self, *, at_ms: int, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Add a line to the audit trail; never put personal data into `detail`."""
        text = json.dumps(detail or {}, sort_keys=True, separators=(",", ":"))
        self.audit_lines.append(AuditLine(at_ms, actor, action, subject, text))

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the transaction that is undone as a whole if it raises.

        Raises Choked for whatever is no trouble of the database's own (which is raised as it is).
        """
        lines, locked = len(self.audit_lines), set(self._locked)
        try:
            with self.connection.begin_nested():
                yield
        except (Contended, OperationalError):
            raise
        except Exception as error:
            del self.audit_lines[lines:]
            # What was locked in it is not any more.
            self._locked = locked
            raise Choked(f"{type(error).__name__}: {error}"[:TEXT_CHARS_MAX]) from error

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Rows that are inserted inside, one by one, are written at the end: those of a table in one statement.

        Tables follow one another as they were first named, and nobody inside may read what he has inserted.
        """
        if self._gathered is not None:
            yield
            return
        gathered: _Gathered = {}
        self._gathered = gathered
        try:
            yield
        finally:
            self._gathered = None
        if self.exclusive:
            for (table, columns, ending), rows in gathered.items():
                self._each(table, columns, rows, ending)
        else:
            statements = [(self._insert(*what), rows) for what, rows in gathered.items()]
            write_together(self.connection, statements)

    def wake(self, node_id: str) -> None:
        """After the commit, tell the pump that there is something to send to this node."""
        self.woken.add(node_id)

    def insert_many(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that all have the same columns."""
        self._many(table, rows, "")

    def insert_rows(self, table: sa.Table, columns: tuple[str, ...], rows: Rows) -> None:
        """Insert many rows that are tuples of `columns`."""
        if self.exclusive or len(rows) < _COPY_ROWS_MIN:
            self._each(table, columns, rows, "")
        else:
            copy_rows(self.connection, table, columns, rows)

    def add_rows(self, table: sa.Table, columns: tuple[str, ...], rows: Rows, *, add: Iterable[str]) -> None:
        """Like `upsert` for many rows that are tuples of `columns`, no two of them with the same primary key."""
        ending = _on_conflict(table, columns, frozenset(), frozenset(add))
        if self.exclusive or len(rows) < _COPY_ROWS_MIN:
            self._each(table, columns, rows, ending)
            return
        aside = copy_aside(self.connection, table, columns, rows)
        names = ", ".join(columns)
        # In the order of the key, as every other writer of these rows takes them.
        keys = ", ".join(column.name for column in table.primary_key)
        self.connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {aside} ORDER BY {keys}{ending}"  # noqa: S608 - names are our own
        )
        self.connection.exec_driver_sql(f"DELETE FROM {aside}")  # noqa: S608 - as above

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
        if rows:
            self._many(table, rows, _on_conflict(table, tuple(rows[0]), frozenset(keep), frozenset(add)))

    def _many(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], ending: str) -> None:
        """One executemany, given to the driver as it is.

        SQLAlchemy would look at every value of every row, which takes longer than SQLite takes to write it.
        """
        if not rows:
            return
        columns = tuple(rows[0])
        # itemgetter answers with a tuple for two columns and more; no table here has fewer.
        values = list(map(itemgetter(*columns), rows))
        if self._gathered is None:
            self._each(table, columns, values, ending)
        else:
            self._gathered.setdefault((table, columns, ending), []).extend(values)

    def _each(self, table: sa.Table, columns: tuple[str, ...], rows: Rows, ending: str) -> None:
        if not rows:
            return
        statement = self._insert(table, columns, ending)
        self.connection.exec_driver_sql(statement, list(rows) if len(rows) > 1 else tuple(rows[0]))

    def _insert(self, table: sa.Table, columns: tuple[str, ...], ending: str) -> str:
        marks = ", ".join(["?" if self.exclusive else "%s"] * len(columns))
        names = ", ".join(columns)
        return f"INSERT INTO {table.name} ({names}) VALUES ({marks}){ending}"  # noqa: S608 - names are our own


@cache
def _on_conflict(table: sa.Table, columns: tuple[str, ...], keep: frozenset[str], add: frozenset[str]) -> str:
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(
        f"{name} = {table.name}.{name} + excluded.{name}" if name in add else f"{name} = excluded.{name}"
        for name in columns
        if name not in keep and name not in keys
    )
    action = f"UPDATE SET {changes}" if changes else "NOTHING"
    return f" ON CONFLICT ({', '.join(keys)}) DO {action}"
