"""A copy of a database while a hub works on it, checked after it was written, and the check of such a copy.

SQLite: one file, one snapshot. PostgreSQL: an archive of pg_dump (custom format), which is checked by putting it into
an empty database. Neither holds the hub's key and tokens: those are files in `data_dir`.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bodega.errors import IntegrityBroken, InvalidInput, NotFound, PermissionRefused, Refused, Unavailable
from bodega.limits import BACKUP_PAGES_PER_STEP_MAX, BACKUP_SPARE_BYTES_MIN
from bodega_controlplane.store.care import checking, postgres
from bodega_controlplane.store.care.findings import Finding, Findings, Step
from bodega_controlplane.store.engine import Store, engine_of, sqlite_engine, sqlite_path
from bodega_controlplane.store.schema import audit, node, orders
from bodega_controlplane.store.transaction import Transaction

_SQLITE_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a database goes: the newest line of its audit trail, its orders, and each node's journal."""

    newest_ms: int
    orders: int
    journals: dict[str, int]


@dataclass(frozen=True, slots=True)
class Backup:
    """One that was written, or looked at; `findings` is empty where nothing is wrong."""

    file: Path
    size_bytes: int
    reach: Reach
    findings: Findings


def backup(database: str, data_dir: Path, target: Path, step: Step) -> Backup:
    """Write a copy to `target`, mode 0600, and check it; a hub may be at work. `step`: percents done.

    Raises Refused if `target` exists, NotFound, Unavailable without room, IntegrityBroken for a copy with faults; then
    nothing is left behind.
    """
    if target.exists():
        raise Refused(f"{target} exists", hint="name another file; a backup never replaces one")
    if not target.parent.is_dir():
        raise NotFound(f"there is no folder {target.parent}", hint="make it first")
    written = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        if database != "sqlite":
            postgres.dump(database, written)
            step(100)
            with _opened(engine_of(database, data_dir)) as live:
                made = Backup(target, written.stat().st_size, reach_of(live), Findings())
        else:
            _copy(sqlite_path(data_dir), written, step)
            made = look_at(written)
            if made.findings.faults:
                raise IntegrityBroken(
                    f"the copy has faults, so no backup was kept: {_first(made.findings.faults)}",
                    hint="bodegactl db check; keep the files as they are",
                )
        _keep(written, target)
    except PermissionError as error:
        raise PermissionRefused(
            f"can not write {error.filename}", hint="name a folder that you may write"
        ) from error
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            written.with_name(written.name + suffix).unlink(missing_ok=True)
    return Backup(target, made.size_bytes, made.reach, made.findings)


def look_at(file: Path, step: Step = lambda _steps: None) -> Backup:
    """Check a copy of SQLite without changing anything in it or beside it. Raises NotFound, InvalidInput."""
    if kind_of(file) != "sqlite":
        raise InvalidInput(
            f"{file} is no file of SQLite", hint="name a backup that bodegactl db backup has made"
        )
    with _opened(sqlite_engine(file, untouched=True)) as store:
        try:
            return Backup(file, file.stat().st_size, reach_of(store), checking.check(store, step))
        except sa.exc.DatabaseError as error:
            damage = Findings([Finding("file", f"can not be read: {error.orig}")])
            return Backup(file, file.stat().st_size, Reach(0, 0, {}), damage)


def look_into(file: Path, database: str, step: Step) -> Backup:
    """Put an archive of pg_dump into an empty database, and check that. Raises Refused if it is not empty."""
    with _opened(engine_of(database, Path())) as store:
        if store.read(lambda tx: bool(sa.inspect(tx.connection).get_table_names())):
            raise Refused(
                f"{_without_password(database)} is not empty", hint="createdb a fresh one for the check"
            )
        postgres.restore(file, database)
        return Backup(file, file.stat().st_size, reach_of(store), checking.check(store, step))


def kind_of(file: Path) -> str:
    """ "sqlite" or "postgresql", by the first bytes. Raises NotFound, InvalidInput for another file."""
    try:
        with file.open("rb") as opened:
            head = opened.read(len(_SQLITE_MAGIC))
    except OSError as error:
        raise NotFound(f"{file}: {error.strerror}", hint="name the backup's file") from error
    if head == _SQLITE_MAGIC:
        return "sqlite"
    if head.startswith(postgres.MAGIC):
        return "postgresql"
    raise InvalidInput(f"{file} is no backup", hint="name a file that bodegactl db backup has made")


def reach_of(store: Store) -> Reach:
    """How far a database goes."""
    return store.read(_reach)


def _reach(tx: Transaction) -> Reach:
    newest = tx.connection.execute(sa.select(sa.func.max(audit.c.at_ms))).scalar_one()
    placed = tx.connection.execute(sa.select(sa.func.count()).select_from(orders)).scalar_one()
    rows = tx.connection.execute(sa.select(node.c.node_id, node.c.applied_seq).order_by(node.c.node_id))
    return Reach(int(newest or 0), int(placed), {row.node_id: int(row.applied_seq) for row in rows})


def _copy(source: Path, target: Path, step: Step) -> None:
    from pysqlite3 import dbapi2  # noqa: PLC0415 - a host with PostgreSQL only never loads it

    need_room(target.parent, source.stat().st_size + BACKUP_SPARE_BYTES_MIN)
    done = 0

    def told(_status: int, remaining: int, total: int) -> None:
        nonlocal done
        percent = 100 * (total - remaining) // max(1, total)
        step(percent - done)
        done = percent

    connect = dbapi2.connect  # type: ignore[attr-defined]  # it has no types
    with closing(connect(source, isolation_level=None)) as live, closing(connect(target)) as copy:
        # One read snapshot for all pages: without it every commit of the hub would start the copy anew.
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM meta").fetchone()
        live.backup(copy, pages=BACKUP_PAGES_PER_STEP_MAX, progress=told)
        copy.execute("PRAGMA journal_mode=DELETE")


def need_room(folder: Path, size_bytes: int) -> None:
    """Raises Unavailable if the disk of a folder has less."""
    free = shutil.disk_usage(folder).free
    if free < size_bytes:
        raise Unavailable(
            f"{folder} has {free // 2**20} MiB free, {size_bytes // 2**20} MiB are needed",
            hint="make room, or name another disk",
        )


def _keep(written: Path, target: Path) -> None:
    """Under its name only when all of it is on the disk."""
    with written.open("rb") as file:
        os.fsync(file.fileno())
    os.link(written, target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    with suppress(OSError):
        os.fsync(folder)
    os.close(folder)


def _first(faults: list[Finding]) -> str:
    return f"{faults[0].where}: {faults[0].problem}"


def _opened(engine: sa.Engine) -> closing[Store]:
    return closing(Store(engine))


def _without_password(database: str) -> str:
    return sa.make_url(database).render_as_string(hide_password=True)
