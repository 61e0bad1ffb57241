"""Opens the database and runs transactions in it, synchronously; `app.hub` keeps that off the event loop.

SQLite: pysqlite3 (SQLite up to 3.51.2 can corrupt a WAL, and the standard library may carry that), WAL,
synchronous=FULL because an acknowledged commit must survive a power cut, and BEGIN IMMEDIATE for writes.
The driver's own transaction control is off: it would start transactions late and of the wrong kind.
PostgreSQL: psycopg 3; a write that meets another one (serialization failure, deadlock) is run again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError

from bodega.errors import ConfigInvalid, FieldFault, Unavailable
from bodega.limits import DATABASE_BUSY_MS, DATABASE_CONNECTIONS_MAX, TRANSACTION_TRIES_MAX
from bodega.limits_hub import DATABASE_TRUSTED_S
from bodega_controlplane.store import audit
from bodega_controlplane.store.migrations import bring_up_to_date
from bodega_controlplane.store.transaction import Contended, Transaction

T = TypeVar("T")

_READ, _WRITE = "BEGIN DEFERRED", "BEGIN IMMEDIATE"
# SQLSTATE serialization_failure and deadlock_detected (PostgreSQL, appendix A).
_RETRY_SQLSTATES = frozenset({"40001", "40P01"})
# unique_violation: another writer has just made the same row, which is seen when looking again.
_MADE_MEANWHILE = "23505"

# Primary result codes of SQLite: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
_SQLITE_OUTAGES = frozenset({5, 6, 8, 10, 13, 14})


class Store:
    """One open database. `write` and `read` may be called from any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.single_writer = engine.dialect.name == "sqlite"

    def write(self, fn: Callable[[Transaction], T]) -> tuple[T, frozenset[str]]:
        """Run `fn` in a write transaction and commit; the result, and the nodes that it woke.

        Runs `fn` again after a conflict with another writer. Raises Unavailable when that does not end, or
        when the database is away.
        """
        for attempt in range(TRANSACTION_TRIES_MAX):
            try:
                with _outages_named(), self._begin(_WRITE) as tx:
                    result = fn(tx)
                    audit.flush(tx)
                return result, frozenset(tx.woken)
            except Contended:
                pass
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                last = attempt == TRANSACTION_TRIES_MAX - 1
                if state not in _RETRY_SQLSTATES and (state != _MADE_MEANWHILE or last):
                    raise
            time.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 6)))  # noqa: S311 - jitter, not a secret
        raise Unavailable("the database is too contended for this change", hint="try again in a moment")

    def read(self, fn: Callable[[Transaction], T]) -> T:
        """Run `fn` on one consistent snapshot; nothing that it might write is kept."""
        with _outages_named(), self._begin(_READ) as tx:
            result = fn(tx)
            tx.connection.rollback()
        return result

    def close(self) -> None:
        """Close every connection; on SQLite the last one folds the WAL into the file."""
        self._engine.dispose()

    @contextmanager
    def _begin(self, kind: str) -> Iterator[Transaction]:
        options: dict[str, Any] = {"bodega_begin": kind}
        if not self.single_writer:
            options["isolation_level"] = "READ COMMITTED" if kind == _WRITE else "REPEATABLE READ"
        with self._engine.connect().execution_options(**options) as connection:
            yield Transaction(connection)
            connection.commit()


@contextmanager
def _outages_named() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if not _is_outage(error.orig):
            raise
        raise Unavailable(
            f"the database does not answer: {error.orig}",
            hint="check that it runs and that its disk is not full",
        ) from error


def _is_outage(error: BaseException | None) -> bool:
    """Whether the database is away, busy or full, and not told something that it does not understand."""
    sqlite_code = getattr(error, "sqlite_errorcode", None)
    if sqlite_code is not None:
        # The low byte is the primary code, the rest says more about it.
        return sqlite_code & 0xFF in _SQLITE_OUTAGES
    return getattr(error, "sqlstate", None) not in _RETRY_SQLSTATES


def open_store(database: str, data_dir: Path) -> Store:
    """Open "sqlite" (data_dir/hub.db) or a "postgresql+psycopg://" URL, and bring its schema up to date.

    Raises SchemaTooNew, ConfigInvalid for another kind of URL, Unavailable when it is not there.
    """
    store = Store(engine_of(database, data_dir))
    try:
        store.write(lambda tx: bring_up_to_date(tx.connection))
    except BaseException:
        store.close()
        raise
    return store


def engine_of(database: str, data_dir: Path) -> sa.Engine:
    """The engine of a configured database, as it lies there; a file of SQLite is made when it is first used.

    Raises ConfigInvalid for another kind of URL.
    """
    if database == "sqlite":
        return sqlite_engine(sqlite_path(data_dir))
    if database.startswith("postgresql+psycopg://"):
        engine = sa.create_engine(
            database,
            pool_size=DATABASE_CONNECTIONS_MAX,
            max_overflow=0,
            # What is written may be personal, and an error is logged.
            hide_parameters=True,
            connect_args={"connect_timeout": max(2, DATABASE_BUSY_MS // 1000)},
        )
        sa.event.listen(engine, "checkin", _note_use)
        sa.event.listen(engine, "checkout", partial(_ask_if_idle, engine.dialect))
        return engine
    fault = FieldFault("database", 'must be "sqlite" or a postgresql+psycopg:// URL')
    raise ConfigInvalid("the database is of an unknown kind", faults=(fault,))


def sqlite_path(data_dir: Path) -> Path:
    """The file of the database of a hub on SQLite."""
    return data_dir / "hub.db"


def sqlite_engine(path: Path, *, untouched: bool = False) -> sa.Engine:
    """`untouched`: only to be read, and nothing is written beside the file (a backup)."""
    from pysqlite3 import dbapi2  # noqa: PLC0415 - a host with PostgreSQL only never loads it

    engine = sa.create_engine(
        f"sqlite+pysqlite:///file:{path}?mode=ro&immutable=1&uri=true"
        if untouched
        else f"sqlite+pysqlite:///{path}",
        module=dbapi2,
        pool_size=DATABASE_CONNECTIONS_MAX,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )
    sa.event.listen(engine, "connect", _by_hand if untouched else _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _by_hand(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _prepare_sqlite(connection: Any, record: Any) -> None:
    _by_hand(connection, record)
    for pragma in (
        f"busy_timeout={DATABASE_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used_s"] = time.monotonic()


def _ask_if_idle(dialect: sa.Dialect, connection: Any, record: Any, _proxy: Any) -> None:
    """Before a connection is used again that has rested: is the server still there? One that is not is made anew.

    Asking each time would be one round trip more for every transaction.
    """
    if time.monotonic() - record.info.get("used_s", time.monotonic()) < DATABASE_TRUSTED_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError(str(error)) from error


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("bodega_begin", _READ))
