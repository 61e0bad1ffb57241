"""Many rows into PostgreSQL at once: by COPY, several times as fast as one statement a row, or in one round trip.

SQLAlchemy has no word for COPY and pipelines, so psycopg is spoken to directly, on the same connection and so in the
same transaction. Its errors leave here as SQLAlchemy's, so that `engine` runs again or names an outage as for all else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

Rows = Sequence[tuple[Any, ...]]


# Our kinds of columns (`columns.py`) as PostgreSQL names them: COPY in binary form must be told.
_TYPES: Mapping[type[sa.types.TypeEngine[Any]], str] = {
    sa.Text: "text",
    sa.BigInteger: "int8",
    sa.LargeBinary: "bytea",
}


def copy_rows(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Rows, into: str = ""
) -> None:
    """Insert rows, each a tuple of `columns`, in order; `into` names another table of the same columns."""
    statement = f"COPY {into or table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with _spoken_to(connection, statement) as raw, raw.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([_TYPES[type(table.c[name].type)] for name in columns])
        for row in rows:
            copy.write_row(row)


def write_together(connection: sa.Connection, statements: Iterable[tuple[str, Rows]]) -> None:
    """Run statements, each for all of its rows, and wait once for all of them."""
    with _spoken_to(connection, "several at once") as raw, raw.pipeline(), raw.cursor() as cursor:
        for statement, rows in statements:
            cursor.executemany(statement, rows)


@contextmanager
def _spoken_to(connection: sa.Connection, statement: str) -> Iterator[Any]:
    """psycopg's own connection."""
    driver = connection.dialect.loaded_dbapi
    raw = connection.connection.driver_connection
    assert raw is not None, "a transaction has a connection"
    try:
        yield raw
    except driver.Error as error:
        raise DBAPIError.instance(
            statement, None, error, driver.Error, hide_parameters=True, dialect=connection.dialect
        ) from error


def copy_aside(connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Rows) -> str:
    """Insert rows into a table of this connection alone, with the columns of `table`; its name.

    It is emptied by the commit, for one statement of this transaction to read.
    """
    aside = f"{table.name}_aside"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {aside} (LIKE {table.name}) ON COMMIT DELETE ROWS"
    )
    copy_rows(connection, table, columns, rows, into=aside)
    return aside
