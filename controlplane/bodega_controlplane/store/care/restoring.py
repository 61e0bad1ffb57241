"""Puts a backup in the place of the configured database. What was there is kept aside, never deleted.

The backup is put beside the database first, brought up to this program's schema and checked there; only then does it
take the place, at once. Nobody else may have the database open. SQLite: the old file gets another name. PostgreSQL:
the old tables go into a schema of another name.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bodega.errors import (
    BodegaError,
    IntegrityBroken,
    InvalidInput,
    NotFound,
    PermissionRefused,
    Refused,
    Unavailable,
)
from bodega.limits import BACKUP_SPARE_BYTES_MIN
from bodega.limits_hub import DATABASE_LEFT_S_MAX
from bodega_controlplane.store.care import backup as copies
from bodega_controlplane.store.care import checking, postgres
from bodega_controlplane.store.care.backup import Reach
from bodega_controlplane.store.care.findings import Step
from bodega_controlplane.store.engine import Store, engine_of, open_store, sqlite_engine, sqlite_path

_LOOK_S = 0.05
_STOP = "stop every bodegactl serve that uses it first"
_UNREADABLE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR")
_KINDS = {"sqlite": "a file of SQLite", "postgresql": "an archive of pg_dump"}


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in force now. `before`: how far the database that was there went, None where there was none or it could
    not be read; `kept_as`: where it is now, empty where there was none.
    """

    reach: Reach
    before: Reach | None
    kept_as: str


def restore(
    database: str, data_dir: Path, file: Path, suffix: str, step: Step, *, over_newer: bool = False
) -> Restored:
    """Put a backup in force; what was there is kept under its name with `suffix`.

    Raises InvalidInput for a backup of another kind of database, IntegrityBroken for one with faults, SchemaTooNew,
    Unavailable while somebody has the database open, and, without `over_newer`, Refused where the present database has
    something that the backup lacks, or can not be read. Then everything is as it was.
    """
    kind, wanted = copies.kind_of(file), "sqlite" if database == "sqlite" else "postgresql"
    if kind != wanted:
        raise InvalidInput(
            f"{file} is {_KINDS[kind]}, and the configured database wants {_KINDS[wanted]}",
            hint="see `database` in --config",
        )
    if kind == "sqlite":
        return _sqlite(sqlite_path(data_dir), file, suffix, step, over_newer=over_newer)
    return _postgresql(database, file, suffix, step, over_newer=over_newer)


def _check_may_replace(now: Reach | None, reach: Reach, *, over_newer: bool) -> None:
    """`now`: None where it can not be read."""
    hint = "--over-newer replaces it all the same; it is kept aside"
    if over_newer:
        return
    if now is None:
        raise Refused("the present database can not be read", code="database-unreadable", hint=hint)
    more = sum(max(0, seq - reach.journals.get(node, 0)) for node, seq in now.journals.items())
    if now.newest_ms > reach.newest_ms or now.orders > reach.orders or more:
        raise Refused(
            f"the present database is newer: it has {now.orders} orders, the backup {reach.orders}, and {more} events "
            "of nodes that the backup lacks",
            code="database-newer",
            hint=hint,
        )


def _sound(store: Store, step: Step) -> Reach:
    """How far a backup goes that has been put somewhere. Raises IntegrityBroken."""
    faults = checking.check(store, step).faults
    if faults:
        raise IntegrityBroken(
            f"the backup has {len(faults)} faults, so nothing was restored: {faults[0].where}: {faults[0].problem}",
            hint="bodegactl db restore-check says which; take an older one",
        )
    return copies.reach_of(store)


def _sqlite(live: Path, file: Path, suffix: str, step: Step, *, over_newer: bool) -> Restored:
    if not live.parent.is_dir():
        raise NotFound(
            f"there is no folder {live.parent}", hint="make it, and put the keys of the backup's hub there"
        )
    folder = live.parent / f".restoring.{os.getpid()}"
    copies.need_room(live.parent, file.stat().st_size + BACKUP_SPARE_BYTES_MIN)
    folder.mkdir(mode=0o700)
    try:
        staged = sqlite_path(folder)
        shutil.copyfile(file, staged)
        staged.chmod(0o600)
        with closing(open_store("sqlite", folder)) as store:
            reach = _sound(store, step)
        was_there = live.exists()
        now = _reach_of_sqlite(live) if was_there else None
        if was_there:
            _check_may_replace(now, reach, over_newer=over_newer)
        kept = _swap(staged, live, suffix) if was_there else ""
        if not was_there:
            staged.rename(live)
        return Restored(reach, now, kept)
    except sa.exc.DatabaseError as error:
        raise IntegrityBroken(
            f"{file} can not be read: {error.orig}", hint="nothing was restored; take an older backup"
        ) from error
    finally:
        shutil.rmtree(folder)


def _reach_of_sqlite(live: Path) -> Reach | None:
    """How far a database goes, all of it in its one file then. Raises Unavailable if somebody has it open."""
    engine = sqlite_engine(live)
    with closing(Store(engine)) as store:
        try:
            with engine.connect() as connection:
                # Nobody can leave the write-ahead log while another connection is open.
                raw = connection.connection.driver_connection
                assert raw is not None, "it was opened just now"
                raw.execute("PRAGMA journal_mode=DELETE")
            return copies.reach_of(store)
        except Exception as error:
            name = getattr(getattr(error, "orig", error), "sqlite_errorname", "")
            if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise Unavailable(f"{live} is in use", hint=_STOP) from error
            if name.startswith(_UNREADABLE) or isinstance(error, sa.exc.DatabaseError):
                return None
            raise


def _swap(staged: Path, live: Path, suffix: str) -> str:
    """At every moment there is a whole database under the name of the live one."""
    kept = live.with_name(f"{live.name}.{suffix}")
    for beside in ("-wal", "-shm"):
        # Only what could not be read has left something beside it, which must not be taken for the new one's.
        with_it = live.with_name(live.name + beside)
        if with_it.exists():
            with_it.rename(kept.with_name(kept.name + beside))
    os.link(live, kept)
    staged.replace(live)
    handle = os.open(live.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)
    return str(kept)


def _postgresql(database: str, file: Path, suffix: str, step: Step, *, over_newer: bool) -> Restored:
    engine = engine_of(database, Path())
    aside = "public_" + suffix.replace("-", "_").lower()
    with closing(Store(engine)) as store:
        _check_alone(store)
        was_there = store.read(lambda tx: bool(sa.inspect(tx.connection).get_table_names()))
        now = _reach_or_none(store) if was_there else None
        with _schema_aside(engine, aside):
            postgres.restore(file, database)
            open_store(database, Path()).close()
            reach = _sound(store, step)
            if was_there:
                _check_may_replace(now, reach, over_newer=over_newer)
        if not was_there:
            _run(engine, f"DROP SCHEMA {aside}")
    return Restored(reach, now, f"schema {aside}" if was_there else "")


def _reach_or_none(store: Store) -> Reach | None:
    try:
        return copies.reach_of(store)
    except (BodegaError, sa.exc.DatabaseError):
        return None


def _check_alone(store: Store) -> None:
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    give_up_s = time.monotonic() + DATABASE_LEFT_S_MAX
    # Whoever has just gone is seen for a moment longer.
    while number := store.read(lambda tx: int(tx.connection.exec_driver_sql(others).scalar_one())):
        if time.monotonic() > give_up_s:
            break
        time.sleep(_LOOK_S)
    if number:
        raise Unavailable(f"the database is in use: it has {number} other connections", hint=_STOP)


@contextmanager
def _schema_aside(engine: sa.Engine, aside: str) -> Iterator[None]:
    """An empty schema `public`, and the one that was there as `aside`; if something fails, as it was before."""
    try:
        _run(engine, f"ALTER SCHEMA public RENAME TO {aside}", "CREATE SCHEMA public")
    except sa.exc.ProgrammingError as error:
        raise PermissionRefused(
            f"the database's user can not put its schema aside: {error.orig}",
            hint="make it the owner of the database and of its schema public",
        ) from error
    try:
        yield
    except BaseException:
        engine.dispose()
        _run(engine, "DROP SCHEMA public CASCADE", f"ALTER SCHEMA {aside} RENAME TO public")
        raise


def _run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
