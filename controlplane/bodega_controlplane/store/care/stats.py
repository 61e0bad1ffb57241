"""How large a database is, table by table."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bodega_controlplane.store import migrations, schema
from bodega_controlplane.store.care.findings import Step
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class TableSize:
    """Rows, and bytes with its indexes; None where the database does not say (SQLite)."""

    table: str
    rows: int
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Stats:
    """`free_bytes`: of the file, what a vacuum would give back; None where the database does not say (PostgreSQL)."""

    kind: str
    server: str
    schema_version: int | None
    size_bytes: int
    free_bytes: int | None
    tables: tuple[TableSize, ...]


def stats(store: Store, step: Step) -> Stats:
    """Exact counts, on one snapshot; one step a table."""
    return store.read(lambda tx: _stats(tx, step))


def tables() -> int:
    """How many steps `stats` will tell of."""
    return len(schema.metadata.sorted_tables)


def _stats(tx: Transaction, step: Step) -> Stats:
    connection = tx.connection
    there = set(sa.inspect(connection).get_table_names())
    sizes = []
    for table in sorted(schema.metadata.sorted_tables, key=lambda one: one.name):
        if table.name in there:
            sizes.append(_size(tx, table))
        step(1)
    if tx.exclusive:
        pages, page, free = (
            _pragma(connection, name) for name in ("page_count", "page_size", "freelist_count")
        )
        whole, spare = pages * page, free * page
    else:
        whole, spare = _one(connection, "SELECT pg_database_size(current_database())"), None
    server = _text(connection, "SELECT sqlite_version()" if tx.exclusive else "SHOW server_version")
    version = migrations.version_of(connection)
    return Stats(connection.dialect.name, server, version, whole, spare, tuple(sizes))


def _size(tx: Transaction, table: sa.Table) -> TableSize:
    rows = int(tx.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
    size = None if tx.exclusive else _one(tx.connection, f"SELECT pg_total_relation_size('{table.name}')")
    return TableSize(table.name, rows, size)


def _pragma(connection: sa.Connection, name: str) -> int:
    return _one(connection, f"PRAGMA {name}")


def _one(connection: sa.Connection, query: str) -> int:
    return int(connection.exec_driver_sql(query).scalar_one())


def _text(connection: sa.Connection, query: str) -> str:
    return str(connection.exec_driver_sql(query).scalar_one())
