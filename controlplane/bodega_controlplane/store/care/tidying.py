"""Gives space back to the disk and renews what the query planner knows."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bodega.errors import Unavailable
from bodega_controlplane.store.care.backup import need_room
from bodega_controlplane.store.engine import engine_of, sqlite_path


def vacuum(database: str, data_dir: Path) -> tuple[int, int]:
    """Bytes before and after.

    SQLite writes the whole file anew, so nobody else may have it open: raises Unavailable while a hub runs, or without
    room for a second copy. PostgreSQL does it beside a hub at work.
    """
    engine = engine_of(database, data_dir)
    try:
        return _sqlite(engine, sqlite_path(data_dir)) if database == "sqlite" else _postgresql(engine)
    finally:
        engine.dispose()


def _sqlite(engine: sa.Engine, path: Path) -> tuple[int, int]:
    need_room(path.parent, 2 * path.stat().st_size)
    raw = engine.raw_connection()
    try:
        connection = raw.driver_connection
        assert connection is not None, "it was opened just now"
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        before = path.stat().st_size
        connection.execute("VACUUM")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA locking_mode=NORMAL")
        connection.execute("SELECT count(*) FROM meta").fetchone()
    except Exception as error:
        if getattr(error, "sqlite_errorname", "") in {"SQLITE_BUSY", "SQLITE_LOCKED"}:
            raise Unavailable(
                f"{path} is in use", hint="stop bodegactl serve first: a vacuum writes the whole file anew"
            ) from error
        raise
    finally:
        raw.close()
    return before, path.stat().st_size


def _postgresql(engine: sa.Engine) -> tuple[int, int]:
    size = "SELECT pg_database_size(current_database())"
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            before = int(connection.exec_driver_sql(size).scalar_one())
            connection.exec_driver_sql("VACUUM (ANALYZE)")
            return before, int(connection.exec_driver_sql(size).scalar_one())
    except OperationalError as error:
        raise Unavailable(f"the database does not answer: {error.orig}", hint="check that it runs") from error
