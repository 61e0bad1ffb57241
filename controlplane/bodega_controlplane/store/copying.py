"""Many rows into PostgreSQL at once, by COPY: several times as fast as one statement a row.

SQLAlchemy has no word for COPY, so psycopg is spoken to directly, on the same connection and so in the same
transaction. Its errors leave here as SQLAlchemy's, so that `engine` runs again or names an outage as for all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

Rows = Sequence[tuple[Any, ...]]


def copy_rows(connection: sa.Connection, table: str, columns: Sequence[str], rows: Rows) -> None:
    """Insert rows, each a tuple of `columns`, in order."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    driver = connection.dialect.loaded_dbapi
    raw = connection.connection.driver_connection
    assert raw is not None, "a transaction has a connection"
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        raise DBAPIError.instance(statement, None, error, driver.Error, dialect=connection.dialect) from error


def copy_aside(connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Rows) -> str:
    """Insert rows into a table of this connection alone, with the columns of `table`; its name.

    It is emptied by the commit, for one statement of this transaction to read.
    """
    aside = f"{table.name}_aside"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {aside} (LIKE {table.name}) ON COMMIT DELETE ROWS"
    )
    copy_rows(connection, aside, columns, rows)
    return aside
