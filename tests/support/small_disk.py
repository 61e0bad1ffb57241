"""A disk of a few MiB for a real ledger: simulated for SQLite, or a real tmpfs where this machine lets us mount one.

The simulated disk is a folder with a capacity. SQLite meets it as a VFS whose files refuse to grow over it, with
the error that a full disk gives; the disk service measures it instead of the folder's file system.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import apsw

# A file of another program, which no budget covers.
_FOREIGN = "somebody-elses.log"
# How the simulated disk refuses: as SQLite reports ENOSPC. Tests set other faults.
refusal: Callable[[], Exception] = apsw.FullError
last_errno = errno.ENOSPC
_IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec")


class SmallDisk:
    """`folder` as a disk of `capacity_bytes`."""

    def __init__(self, folder: Path, capacity_bytes: int) -> None:
        self.folder = folder
        self.capacity_bytes = capacity_bytes

    def free(self, _folder: Path | None = None) -> int:
        """Bytes that may still be written; what `DiskService` measures."""
        used = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return max(0, self.capacity_bytes - used)

    def fill(self) -> None:
        """Another program takes all that is left."""
        with (self.folder / _FOREIGN).open("ab") as file:
            file.write(bytes(self.free()))

    def clear(self) -> None:
        """And gives it back."""
        (self.folder / _FOREIGN).unlink()

    @contextmanager
    def under_sqlite(self) -> Iterator[None]:
        """Every SQLite file that is opened inside the block lies on this disk."""
        before = apsw.vfs_names()[0]
        vfs = _Vfs(self, before)
        try:
            yield
        finally:
            apsw.set_default_vfs(before)
            vfs.unregister()


class RealDisk(SmallDisk):
    """A file system of its own that really is that small."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 0)

    def free(self, folder: Path | None = None) -> int:
        """As the file system says."""
        from bodega_agent.services.disk import free_bytes

        return free_bytes(folder or self.folder)

    def fill(self) -> None:
        """Until the file system refuses."""
        with (self.folder / _FOREIGN).open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    @contextmanager
    def under_sqlite(self) -> Iterator[None]:
        """It is under everything."""
        yield


class _Vfs(apsw.VFS):
    def __init__(self, disk: SmallDisk, base: str) -> None:
        self.disk = disk
        self.base = base
        super().__init__("small-disk", base, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - the name is SQLite's
        """See sqlite3_vfs."""
        return _File(self.disk, self.base, name, flags)

    def xGetLastError(self) -> tuple[int, str]:  # noqa: N802 - the name is SQLite's
        """See sqlite3_vfs; what `Connection.system_errno` becomes."""
        return last_errno, ""


class _File(apsw.VFSFile):
    def __init__(
        self, disk: SmallDisk, base: str, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        self.disk = disk
        super().__init__(base, name, flags)

    def xLock(self, level: int) -> None:  # noqa: N802 - the name is SQLite's
        """See sqlite3_io_methods. A read-only file can not be locked to be written, which closing it tries."""
        try:
            super().xLock(level)
        except apsw.IOError as error:
            raise apsw.BusyError from error

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - the name is SQLite's
        """See sqlite3_io_methods; SQLITE_FULL where the file would outgrow the disk."""
        grows = offset + len(data) - self.xFileSize()
        if grows > 0 and grows > self.disk.free():
            raise refusal()
        super().xWrite(data, offset)


@cache
def can_mount() -> bool:
    """Whether this machine lets an ordinary process mount a tmpfs in a namespace of its own."""
    try:
        done = subprocess.run(
            [*_IN_A_NAMESPACE, "mount -t tmpfs -o size=64k none /mnt"],
            capture_output=True, timeout=20, check=False,
        )  # fmt: skip
    except OSError:
        return False
    return done.returncode == 0


def on_a_tmpfs(size_bytes: int, mount_point: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with `command` where `mount_point` is a tmpfs of that size."""
    script = f'mount -t tmpfs -o size={size_bytes} none "$0"; exec "$@"'
    line = [*_IN_A_NAMESPACE, script, str(mount_point), sys.executable, *command]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)
