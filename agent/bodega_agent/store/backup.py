"""A copy of the ledger while the agent works, and a ledger put back from such a copy.

A backup is one SQLite file, one snapshot of the journal and its tables, checked after it was written. Archives are
not in it: they are files of their own that never change. A restored ledger says so (`store.condition`), because
what its node has told the hub since the backup is not in it any more.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from bodega.errors import (
    BodegaError,
    IntegrityBroken,
    InvalidInput,
    NotFound,
    PermissionRefused,
    Refused,
)
from bodega.limits import BACKUP_PAGES_PER_STEP_MAX, BACKUP_SPARE_BYTES_MIN
from bodega_agent.store import condition
from bodega_agent.store.condition import Restored
from bodega_agent.store.files import need_room, put_in_place, sync
from bodega_agent.store.schema import open_for_reading, open_for_writing
from bodega_agent.store.verify import verify

Json = dict[str, Any]
Progress = Callable[[int, int], None]

_UNFINISHED = ".part"
_SQLITE_MAGIC = b"SQLite format 3\0"
_BESIDE = ("-wal", "-shm")


def backup(ledger: Path, target: Path, *, force: bool = False, progress: Progress | None = None) -> Json:
    """Write a verified copy of the ledger to `target`, mode 0600; the agent may run.

    `progress`: called with pages done and pages in all. Returns {file, events, head_seq, head_hash, size_bytes,
    archives}: `archives` is how many files with older events are not in it. Raises Refused if `target` exists,
    Unavailable without room, IntegrityBroken if the copy does not verify; then nothing is left behind.
    """
    _check_target(ledger, target, force=force)
    written = target.with_name(f".{target.name}.{os.getpid()}{_UNFINISHED}")
    try:
        os.close(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_source(ledger)) as source:
            need_room(
                target.parent,
                source.pragma("page_count") * source.pragma("page_size") + BACKUP_SPARE_BYTES_MIN,
            )
            _copy(source, written, progress or (lambda _done, _total: None))
        with closing(open_for_reading(written)) as copy:
            told = _checked(copy, "the ledger does not verify, so no backup was kept")
        put_in_place(written, target)
    except PermissionError as error:
        raise PermissionRefused(
            f"can not write {error.filename}", hint="name a folder that you may write"
        ) from error
    finally:
        for suffix in ("", "-journal", *_BESIDE):
            written.with_name(written.name + suffix).unlink(missing_ok=True)
    return {"file": str(target), "size_bytes": target.stat().st_size, **told}


def _check_target(ledger: Path, target: Path, *, force: bool) -> None:
    if not target.parent.is_dir():
        raise NotFound(f"there is no folder {target.parent}", hint="make it first")
    if target.is_dir():
        raise InvalidInput(f"{target} is a folder", hint="name a file in it")
    if target.resolve().parent == ledger.resolve().parent and target.name.startswith(ledger.name):
        raise InvalidInput(f"{target} is the ledger itself", hint="name another file, best on another disk")
    if target.exists() and not force:
        raise Refused(f"{target} exists", hint="name another file, or overwrite it with --force")


def _source(ledger: Path) -> apsw.Connection:
    if not ledger.exists():
        raise NotFound(f"there is no ledger at {ledger}", hint="start the agent once: bodega run")
    return open_for_reading(ledger)


def _copy(source: apsw.Connection, target: Path, progress: Progress) -> None:
    with closing(apsw.Connection(str(target))) as copy:
        # One read snapshot for all pages: without it every commit of the agent would start the copy anew.
        with source:
            next(iter(source.execute("SELECT 1 FROM journal LIMIT 1")), None)
            with copy.backup("main", source, "main") as copying:
                while not copying.done:
                    copying.step(BACKUP_PAGES_PER_STEP_MAX)
                    progress(copying.page_count - copying.remaining, copying.page_count)
        # One file, that needs no other beside it.
        copy.execute("PRAGMA journal_mode=DELETE")


def _checked(copy: apsw.Connection, failed: str) -> Json:
    damage = condition.quick_check(copy)
    report = verify(copy, None) if damage is None else {}
    problem = damage.problem if damage else report["problem"]
    if problem:
        raise IntegrityBroken(f"{failed}: {problem}", hint="bodega ledger verify; keep the files as they are")
    seq, chain_hash = next(
        iter(copy.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")), (0, b"")
    )
    ((archives,),) = copy.execute("SELECT count(*) FROM archive")
    return {"events": report["events"], "head_seq": seq, "head_hash": chain_hash.hex(), "archives": archives}


def restore(ledger: Path, source: Path, *, node_id: str, actor: str, reason: str, now_ms: int) -> Json:
    """Put a backup in the ledger's place; the caller holds `store.lock`. The replaced ledger stays beside it.

    Returns {head_seq, replaced_seq, replaced}: `replaced` is the old ledger's new name, or "". Raises, with the
    ledger as it was: NotFound, InvalidInput (no ledger, or another node's), SchemaTooNew, IntegrityBroken,
    Unavailable without room.
    """
    ledger.parent.mkdir(parents=True, exist_ok=True)
    written = ledger.with_name(f"{ledger.name}.restoring{_UNFINISHED}")
    with _cleared(written):
        _fetch(source, written)
        replaced_seq = _head_seq(ledger)
        try:
            told = _prepare(written, node_id, Restored(0, replaced_seq, actor, reason, now_ms))
        except apsw.NotADBError as error:
            raise InvalidInput(f"{source} is no ledger of Bodega: {error}") from error
        except (apsw.CorruptError, apsw.IOError) as error:
            raise IntegrityBroken(f"{source} is damaged: {error}", hint="take an older backup") from error
        replaced = _set_aside(ledger, now_ms)
        _take_owner(written, ledger.parent)
        put_in_place(written, ledger)
    return {"head_seq": told["head_seq"], "replaced_seq": replaced_seq, "replaced": str(replaced or "")}


@contextmanager
def _cleared(path: Path) -> Iterator[None]:
    """Nothing of an unfinished copy lies there before and after."""
    beside = [path.with_name(path.name + suffix) for suffix in ("", "-journal", *_BESIDE)]
    for left in beside:
        left.unlink(missing_ok=True)
    try:
        yield
    finally:
        for left in beside:
            left.unlink(missing_ok=True)


def _fetch(source: Path, written: Path) -> None:
    """Work on a copy only: even opening a file of SQLite can change it."""
    try:
        with source.open("rb") as file:
            if file.read(len(_SQLITE_MAGIC)) != _SQLITE_MAGIC:
                raise InvalidInput(f"{source} is no ledger: it is not a file of SQLite")
        need_room(written.parent, source.stat().st_size + BACKUP_SPARE_BYTES_MIN)
        os.close(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        shutil.copyfile(source, written)
    except FileNotFoundError as error:
        raise NotFound(f"there is no backup {source}") from error
    except IsADirectoryError as error:
        raise InvalidInput(f"{source} is a folder", hint="name the backup's file") from error
    except PermissionError as error:
        raise PermissionRefused(f"may not use {error.filename}", hint="run it as the agent's user") from error


def _prepare(written: Path, node_id: str, restored: Restored) -> Json:
    """Check the copy, and mark it as restored."""
    with closing(apsw.Connection(str(written), flags=apsw.SQLITE_OPEN_READONLY)) as copy:
        ((tables,),) = copy.execute(
            "SELECT count(*) FROM sqlite_schema WHERE name IN ('journal', 'balance', 'meta')"
        )
    if tables != 3:
        raise InvalidInput("the backup is no ledger of Bodega: it has other tables", hint="name another file")
    with closing(open_for_writing(written)) as copy:
        owner = next(iter(copy.execute("SELECT value FROM meta WHERE key = 'node_id'")), (None,))[0]
        if owner != node_id:
            raise InvalidInput(
                f"the backup is of node '{owner}', this node is '{node_id}'",
                hint="a node can only go on with its own ledger",
            )
        told = _checked(copy, "the backup does not verify, so nothing was replaced")
        marks = Restored(**{**asdict(restored), "backup_seq": told["head_seq"]})
        with copy:
            copy.execute("DELETE FROM meta WHERE key IN (?, ?)", (condition.TROUBLE, condition.RESTORED_SEQ))
            copy.executemany(
                "INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)",
                [(condition.RESTORED, json.dumps(asdict(marks))), (condition.CLEAN_STOP, 1)],
            )
    return told


def _head_seq(ledger: Path) -> int:
    """The head of the ledger that is to be replaced, its log written into it; 0 if it can not be read."""
    if not ledger.exists():
        return 0
    try:
        # Read-only first: of a file that it does not understand, SQLite would delete the log.
        with closing(open_for_reading(ledger)) as old:
            ((seq,),) = old.execute("SELECT coalesce(max(seq), 0) FROM journal")
        with closing(apsw.Connection(str(ledger))) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(seq)
    except (apsw.Error, BodegaError):
        return 0


def _set_aside(ledger: Path, now_ms: int) -> Path | None:
    """Give the old ledger a second name; its log, if it could not be written into it, must not meet the new one."""
    if not ledger.exists():
        return None
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    aside = ledger.with_name(f"{ledger.name}.replaced-{at:%Y%m%dT%H%M%SZ}")
    if aside.exists():
        raise Refused(f"{aside} exists", hint="try again in a second")
    os.link(ledger, aside)
    for suffix in _BESIDE:
        beside = ledger.with_name(ledger.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    sync(ledger.parent)
    return aside


def _take_owner(written: Path, folder: Path) -> None:
    """Root restores for the agent's user."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(written, owner.st_uid, owner.st_gid)
