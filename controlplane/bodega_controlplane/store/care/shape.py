"""Whether a database has the shape that this program makes: version, tables, columns, indexes, triggers."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store import migrations, schema
from bodega_controlplane.store.care.findings import Findings


def check(connection: sa.Connection, found: Findings) -> bool:
    """Whether the rest can be checked: the version is this program's, and no table or column is missing."""
    version = migrations.version_of(connection)
    if version != schema.SCHEMA_VERSION:
        found.add("schema", f"has version {version}, this program works with {schema.SCHEMA_VERSION}")
        return False
    before = len(found.faults)
    inspector = sa.inspect(connection)
    there = set(inspector.get_table_names())
    for table in schema.metadata.sorted_tables:
        if table.name not in there:
            found.add(table.name, "the table is missing")
            continue
        names = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in names:
                found.add(table.name, f"column {column.name} is missing")
    whole = len(found.faults) == before
    _check_indexes(inspector, there, found)
    _check_guards(connection, found)
    found.looked_at["tables"] = len(there)
    return whole


def _check_indexes(inspector: sa.Inspector, there: set[str], found: Findings) -> None:
    for table in schema.metadata.sorted_tables:
        if table.name not in there:
            continue
        names = {index["name"] for index in inspector.get_indexes(table.name)}
        for index in table.indexes:
            elsewhere = index._ddl_if is not None and index._ddl_if.dialect != inspector.dialect.name
            if index.name not in names and not elsewhere:
                found.add(table.name, f"index {index.name} is missing: questions to it are slow")


def _check_guards(connection: sa.Connection, found: Findings) -> None:
    on_sqlite = connection.dialect.name == "sqlite"
    query = (
        "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        if on_sqlite
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    )
    triggers = {str(name) for (name,) in connection.exec_driver_sql(query)}
    for table in schema.APPEND_ONLY:
        wanted = [f"{table.name}_no_update", f"{table.name}_no_delete"]
        for name in wanted if on_sqlite else [f"{table.name}_append_only"]:
            if name not in triggers:
                found.add(table.name, f"trigger {name} is missing: it is append-only no more")
