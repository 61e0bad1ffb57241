"""The disks of the nodes: every ledger lies on a disk that can lose its power, fill up, or fail.

All machines share one SQLite VFS, which finds the disk by the folder of the file. Bytes are in memory
(`support.faulty_disk`); SQLite's locks and shared memory are those of its unix VFS, on empty files of the same
names. Operations can kill the process that does them, and fail with a result code (`support.faulty_disk_errors`).
"""

# ruff: noqa: N802 - SQLite names the methods
from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import apsw

from simulator.process import PROCESS
from support.faulty_disk import Disk
from support.faulty_disk_errors import failing_operations
from support.faulty_disk_vfs import DISK_FULL, WRITE_FAILED, DiskFile, Fault, Mount, PlainFile

NO_SPACE = Fault(frozenset({"write"}), 1, DISK_FULL, lasting=True)
NO_WRITES = Fault(frozenset({"write", "sync"}), 1, WRITE_FAILED, lasting=True)
NO_FSYNC = frozenset({"-wal", ".db"})


@dataclass(slots=True)
class Drive(Mount):
    """A disk in a machine. What is done to it is a point where the process that does it can be killed."""

    def do(self, name: str, *values: object) -> None:
        """Change the disk."""
        process = PROCESS.get()
        if process is not None:
            process.point("disk")
        getattr(self.disk, name)(*values)

    def copied(self) -> Disk:
        """The disk as programs see it now: the page cache outlives a process."""
        return copy.deepcopy(self.disk)

    def after_power_cut(self, luck: Random) -> Disk:
        """The disk as it may be found after the power failed now."""
        return Disk(self.disk.after_power_cut(luck))


class SimVfs(apsw.VFS):
    """The process's default VFS while it lives: files in a mounted folder lie on the drive there."""

    NAME = "simulated"

    def __init__(self) -> None:
        super().__init__(self.NAME, "unix", makedefault=True)
        self._drives: dict[str, Drive] = {}

    def mount(self, folder: Path, disk: Disk, *, deaf: frozenset[str] = frozenset()) -> Drive:
        """Put a disk into a machine whose folder this is; SQLite's own VFS only needs the names."""
        folder.mkdir()
        for name in disk.names():
            (folder / name).touch()
        drive = Drive(disk, deaf=deaf)
        self._drives[str(folder)] = drive
        return drive

    def unmount(self, folder: Path) -> None:
        """No file of it may be open any more."""
        del self._drives[str(folder)]

    @property
    def mounted(self) -> SimVfs:
        """Whom `failing_operations` asks: us, for every drive."""
        return self

    def fault_of(self, kind: str, own: str) -> int:
        """The result code with which an operation on a file fails now; SQLITE_OK if it does not."""
        drive, name = self._find(own)
        return drive.fault_of(kind, name) if drive is not None else apsw.SQLITE_OK

    def own_name(self, path: str | None) -> str | None:
        """The path itself if it is on a drive, None for files of others."""
        return path if self._find(path)[0] is not None else None

    def _find(self, path: str | None) -> tuple[Drive | None, str]:
        folder, _, name = (path or "").rpartition("/")
        return self._drives.get(folder), name

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> apsw.VFSFile:
        drive, own = self._find(name.filename() if isinstance(name, apsw.URIFilename) else name)
        if name is None or drive is None:
            return PlainFile(name, flags)
        return DiskFile(drive, own, name, flags)

    def xAccess(self, name: str, flags: int) -> bool:
        drive, own = self._find(name)
        return super().xAccess(name, flags) if drive is None else own in drive.disk

    def xDelete(self, name: str, sync_folder: bool) -> None:
        drive, own = self._find(name)
        if drive is not None:
            if own not in drive.disk:
                raise apsw.exception_for(apsw.SQLITE_IOERR_DELETE_NOENT)
            drive.do("delete", own)
            if sync_folder:
                drive.do("sync_folder")
        super().xDelete(name, sync_folder)


@contextmanager
def simulated_disks() -> Iterator[SimVfs]:
    """All ledgers of the process lie on simulated disks, for as long as this lasts."""
    vfs = SimVfs()
    try:
        with failing_operations(vfs):
            yield vfs
    finally:
        vfs.unregister()
