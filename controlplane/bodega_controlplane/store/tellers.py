"""The triggers of `schema.events.TELLERS`, for SQLite and for PostgreSQL.

They stand aside while a migration is under way: SQLite changes no table that a trigger speaks of in words that do
not hold any more, and rows that are copied to another place are no news.
"""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.events import TELLERS, Teller

_PREFIX = "tell_"
# The names begin alike, whatever version has made them.
_SQLITE_ONES = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'tell_*'"
_POSTGRESQL_ONES = (
    "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace "
    "AND starts_with(proname, 'tell_')"
)


def drop_tellers(connection: sa.Connection) -> None:
    """Drop those that are there."""
    if connection.dialect.name == "postgresql":
        for name in connection.exec_driver_sql(_POSTGRESQL_ONES).scalars().all():
            connection.exec_driver_sql(f"DROP FUNCTION {name}() CASCADE")
        return
    for name in connection.exec_driver_sql(_SQLITE_ONES).scalars().all():
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


def make_tellers(connection: sa.Connection) -> None:
    """Make them all, on tables that have none."""
    make = _on_postgresql if connection.dialect.name == "postgresql" else _on_sqlite
    for teller in TELLERS:
        make(connection, teller)


def _draft(teller: Teller) -> str:
    values = f"'{teller.kind}', {teller.subject}, {teller.word}, {teller.at_ms}"
    return f"INSERT INTO event_draft (kind, subject, word, at_ms) VALUES ({values})"  # noqa: S608 - all of it our own


def _on_sqlite(connection: sa.Connection, teller: Teller) -> None:
    when = f"WHEN {teller.when} " if teller.when else ""
    connection.exec_driver_sql(
        f"CREATE TRIGGER {_PREFIX}{teller.name} AFTER {teller.change} ON {teller.table} {when}"
        f"BEGIN {_draft(teller)}; END"
    )


def _on_postgresql(connection: sa.Connection, teller: Teller) -> None:
    name = f"{_PREFIX}{teller.name}"
    when = f"WHEN ({teller.when}) " if teller.when else ""
    connection.exec_driver_sql(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {_draft(teller)}; RETURN NULL; END $$"
    )
    connection.exec_driver_sql(
        f"CREATE TRIGGER {name} AFTER {teller.change} ON {teller.table} "
        f"FOR EACH ROW {when}EXECUTE FUNCTION {name}()"
    )
