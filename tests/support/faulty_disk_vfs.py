"""SQLite on a `Disk`: an apsw VFS that every connection of the process uses while it is mounted.

Only the content of the mounted folder's files is ours. Locks and the WAL's shared memory are those of SQLite's
unix VFS, on empty files of the same names, so the store runs with the very settings that it has in production.
Every change to the disk is written to a `Trace`, from which the disk can be made again as it was at any operation;
a `Fault` says which operations fail, where `failing_operations` lets them.
"""

# ruff: noqa: N802 - SQLite names the methods
from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from support.faulty_disk import SECTOR_BYTES, Disk

CREATED_WITH_A_FOLDER_SYNC = (
    apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL
)

DISK_FULL = apsw.SQLITE_FULL
READ_FAILED = apsw.SQLITE_IOERR_READ
WRITE_FAILED = apsw.SQLITE_IOERR_WRITE
SYNC_FAILED = apsw.SQLITE_IOERR_FSYNC
NOT_OPENED = apsw.SQLITE_CANTOPEN

Step = tuple[str, tuple[Any, ...]]
"""A method of Disk and its arguments; or "note" and what a test wanted to remember at that moment."""


@dataclass(slots=True)
class Trace:
    """All that changed a disk, in order, and the notes that a test made between."""

    steps: list[Step] = field(default_factory=list)

    def note(self, *what: Any) -> None:
        """Remember something at this moment."""
        self.steps.append(("note", what))

    def replay(self, disk: Disk) -> Iterator[tuple[Any, ...] | None]:
        """Make each step again on `disk`; yields a note, or None after each operation of the disk."""
        for name, values in self.steps:
            if name == "note":
                yield values
            else:
                getattr(disk, name)(*values)
                yield None


@dataclass(slots=True)
class Fault:
    """Operations of these kinds fail with an SQLite result code: the `nth` one, and all after it if `lasting`.

    Kinds: open, read, write, truncate, sync, delete.
    """

    kinds: frozenset[str]
    nth: int
    code: int
    lasting: bool = False
    seen: int = 0

    def strikes(self, kind: str) -> bool:
        """Count an operation; whether it fails."""
        if kind not in self.kinds:
            return False
        self.seen += 1
        return self.seen == self.nth or (self.lasting and self.seen > self.nth)

    @property
    def happened(self) -> bool:
        """Whether anything failed so far."""
        return self.seen >= self.nth


@dataclass(slots=True)
class Mount:
    """A disk in a drive: what is done to it is traced, and may fail."""

    disk: Disk
    trace: Trace = field(default_factory=Trace)
    fault: Fault | None = None
    deaf: frozenset[str] = frozenset()
    """Suffixes of the files whose fsync is answered and not done: a drive that lies."""

    def do(self, name: str, *values: Any) -> None:
        """Change the disk."""
        self.trace.steps.append((name, values))
        getattr(self.disk, name)(*values)

    def fault_of(self, kind: str, name: str) -> int:
        """The result code with which an operation on a file fails now; SQLITE_OK if it does not."""
        if self.fault is None or not self.fault.strikes(kind):
            return apsw.SQLITE_OK
        if kind == "sync":
            self.do("fail_sync", name, self.fault.seen)
        return self.fault.code


class PlainFile(apsw.VFSFile):
    """One open file of no mounted disk."""

    def __init__(self, path: apsw.URIFilename | str | None, flags: list[int]) -> None:
        super().__init__("unix", path, flags)
        self._read_only = bool(flags[0] & apsw.SQLITE_OPEN_READONLY)

    def xLock(self, level: int) -> None:
        """SQLite ignores that a read-only file can not be locked for writing; apsw would raise it."""
        if self._read_only and level > apsw.SQLITE_LOCK_SHARED:
            raise apsw.exception_for(apsw.SQLITE_BUSY)
        super().xLock(level)


class DiskFile(PlainFile):
    """One open file of a mounted disk."""

    def __init__(self, mount: Mount, name: str, path: apsw.URIFilename | str, flags: list[int]) -> None:
        super().__init__(path, flags)
        self._mount = mount
        self._name = name
        self._syncs_folder = bool(
            flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & CREATED_WITH_A_FOLDER_SYNC
        )
        if name not in mount.disk:
            mount.do("create", name)

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._mount.disk.content(self._name)[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._mount.do("write", self._name, offset, bytes(data))

    def xTruncate(self, size: int) -> None:
        self._mount.do("truncate", self._name, size)

    def xSync(self, flags: int) -> None:
        if any(self._name.endswith(suffix) for suffix in self._mount.deaf):
            return
        self._mount.do("sync", self._name)
        if self._syncs_folder:
            self._mount.do("sync_folder")
            self._syncs_folder = False

    def xFileSize(self) -> int:
        return len(self._mount.disk.content(self._name))

    def xSectorSize(self) -> int:
        return SECTOR_BYTES

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE


class FaultyVfs(apsw.VFS):
    """The process's default VFS while it lives; files outside of `folder` are left to SQLite's own."""

    NAME = "faulty"

    def __init__(self, folder: Path) -> None:
        super().__init__(self.NAME, "unix", makedefault=True)
        self._folder = str(folder)
        self.mounted = Mount(Disk())

    def mount(self, disk: Disk, *, fault: Fault | None = None, deaf: frozenset[str] = frozenset()) -> Mount:
        """Put a disk in: the folder holds its files, and nothing else."""
        folder = Path(self._folder)
        for leftover in folder.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        for name in disk.names():
            (folder / name).parent.mkdir(exist_ok=True)
            # Python reads the files in folders, and a plan; those of SQLite only have to be there.
            read = "/" in name or name.endswith(".plan")
            (folder / name).write_bytes(disk.content(name) if read else b"")
        self.mounted = Mount(disk, fault=fault, deaf=deaf)
        return self.mounted

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> apsw.VFSFile:
        own = self.own_name(name.filename() if isinstance(name, apsw.URIFilename) else name)
        if name is None or own is None:
            return PlainFile(name, flags)
        return DiskFile(self.mounted, own, name, flags)

    def xAccess(self, name: str, flags: int) -> bool:
        own = self.own_name(name)
        return super().xAccess(name, flags) if own is None else own in self.mounted.disk

    def xDelete(self, name: str, sync_folder: bool) -> None:
        own = self.own_name(name)
        if own is not None:
            if own not in self.mounted.disk:
                raise apsw.exception_for(apsw.SQLITE_IOERR_DELETE_NOENT)
            self.mounted.do("delete", own)
            if sync_folder:
                self.mounted.do("sync_folder")
        super().xDelete(name, sync_folder)

    def own_name(self, path: str | None) -> str | None:
        """The name on our disk of a path, or None for files of others."""
        folder, _, name = (path or "").rpartition("/")
        return name if folder == self._folder else None


@contextmanager
def faulty_vfs(folder: Path) -> Iterator[FaultyVfs]:
    """All SQLite files in `folder` lie on a faulty disk, for as long as this lasts."""
    folder.mkdir(exist_ok=True)
    vfs = FaultyVfs(folder.resolve())
    try:
        yield vfs
    finally:
        vfs.unregister()
