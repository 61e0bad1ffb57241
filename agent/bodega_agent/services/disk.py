"""The node's disk, kept: measures, drops by plan, holds the ballast, and tells the gate what may be written.

Everything here blocks on the file system, so it runs in a thread of its own, or in the ledger's writer when a
commit found the disk full. It deletes only plain files that lie flat in the class folders below the state
folder: symbolic links are never followed, files that are still being written (`.part`) are their writer's.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from bodega.host.log import get_logger
from bodega.limits import DISK_PASSES_MAX
from bodega_agent.rules.disk import (
    DROP_ORDER,
    FOLDERS,
    DataClass,
    Disk,
    DiskRung,
    Kept,
    Limits,
    Plan,
    plan,
)
from bodega_agent.services.ballast import Ballast
from bodega_agent.store.gate import Gate

log = get_logger(__name__)

Json = dict[str, Any]

_JOURNAL = "ledger.db"
_JOURNAL_SUFFIXES = ("", "-wal", "-shm")
_UNFINISHED = ".part"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def total_bytes(folder: Path) -> int:
    """The size of the file system that holds `folder`."""
    found = os.statvfs(folder)
    return found.f_blocks * found.f_frsize


def free_bytes(folder: Path) -> int:
    """What this user may still write on it."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class DiskService:
    """Stands on one rung of `rules.disk.LADDER`. Any thread may call it.

    `settle` once before the ledger is opened, so that a full disk keeps no node from starting; `sweep` by the
    schedule; `make_room` from the writer. `free` measures the state folder's file system. `on_archives_dropped`
    is told, from `sweep`, the names of archives that are gone, and again if it fails.
    """

    def __init__(
        self,
        state_dir: Path,
        limits: Limits,
        gate: Gate,
        *,
        ballast: Ballast | None = None,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._state_dir = state_dir
        self._limits = limits
        self._gate = gate
        gate.make_room = self.make_room
        self._ballast = ballast or Ballast(state_dir / "ballast", limits.ballast_bytes)
        self._free = free
        self._lock = threading.Lock()
        self._rung = DiskRung.ROOMY
        self._reason = ""
        self._free_bytes = 0
        self._used: Counter[DataClass] = Counter()
        self._ballast_stands = False
        self._ballast_trouble = ""
        self._warned: set[str] = set()
        self._archives_gone: set[str] = set()
        self.on_archives_dropped: Callable[[Collection[str]], Awaitable[None]] | None = None

    @property
    def rung(self) -> DiskRung:
        """Where the node stands."""
        return self._rung

    def status(self) -> Json:
        """What `bodega status` shows; as measured last, sizes in bytes."""
        return {
            "rung": str(self._rung),
            "reason": self._reason,
            "free_bytes": self._free_bytes,
            "used_bytes": {str(one): self._used[one] for one in DataClass},
            "budget_bytes": {str(one): self._limits.budgets[one] for one in DROP_ORDER},
            "ballast_bytes": self._limits.ballast_bytes if self._ballast_stands else 0,
            "ballast_trouble": self._ballast_trouble,
        }

    async def sweep(self) -> None:
        """`settle`, away from the event loop."""
        await asyncio.to_thread(self.settle)
        if self.on_archives_dropped and (gone := frozenset(self._archives_gone)):
            await self.on_archives_dropped(gone)
            self._archives_gone -= gone

    def settle(self) -> None:
        """Measure, drop, keep the ballast, and step the ladder, until nothing changes any more."""
        with self._lock:
            out_of_room = False
            for _ in range(DISK_PASSES_MAX):
                planned = self._look(out_of_room=out_of_room)
                if planned is None:
                    return
                freed = self._drop(planned.drops)
                self._stand_on(planned)
                moved, out_of_room = self._keep_ballast(planned.ballast)
                if not (freed or moved or out_of_room):
                    return

    def make_room(self) -> bool:
        """A write found the disk full: give up the ballast and what may be dropped; whether that made room."""
        with self._lock:
            given = self._ballast.give_up()
            planned = self._look(out_of_room=True)
            if planned is None:
                return given
            # The gate first: what is tried again now must already know.
            self._stand_on(planned)
            return self._drop(planned.drops) > 0 or given

    def _look(self, *, out_of_room: bool) -> Plan | None:
        """None while the file system does not even answer."""
        try:
            kept = list(self._kept())
            self._free_bytes = self._free(self._state_dir)
            self._used = Counter({DataClass.JOURNAL: self._journal_bytes()})
        except OSError as error:
            self._warn_once("disk_not_measured", error=error.strerror)
            return None
        self._warned.discard("disk_not_measured")
        for file in kept:
            self._used[file.data_class] += file.size_bytes
        self._ballast_stands = self._ballast.stands
        disk = Disk(self._free_bytes, self._ballast_stands, out_of_room)
        return plan(kept, disk, self._limits, self._rung)

    def _kept(self) -> Iterator[Kept]:
        for data_class in DROP_ORDER:
            with self._folder(data_class) as folder:
                if folder is None:
                    continue
                with os.scandir(folder) as entries:
                    for entry in entries:
                        with contextlib.suppress(FileNotFoundError):  # its writer was faster
                            if entry.is_file(follow_symlinks=False) and not entry.name.endswith(_UNFINISHED):
                                found = entry.stat(follow_symlinks=False)
                                yield Kept(data_class, entry.name, found.st_size, found.st_mtime_ns)

    @contextlib.contextmanager
    def _folder(self, data_class: DataClass) -> Iterator[int | None]:
        """The class's folder, opened; None where there is none, or where a link points elsewhere."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(self._state_dir / FOLDERS[data_class], flags)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            yield None
            return
        try:
            yield fd
        finally:
            os.close(fd)

    def _journal_bytes(self) -> int:
        total = 0
        for suffix in _JOURNAL_SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                total += (self._state_dir / f"{_JOURNAL}{suffix}").stat().st_size
        return total

    def _drop(self, drops: tuple[Kept, ...]) -> int:
        """Delete, oldest first as planned; the bytes that went."""
        files: Counter[DataClass] = Counter()
        freed: Counter[DataClass] = Counter()
        for data_class in DROP_ORDER:
            with self._folder(data_class) as folder:
                for file in drops:
                    if folder is not None and file.data_class is data_class and self._delete(file, folder):
                        files[data_class] += 1
                        freed[data_class] += file.size_bytes
        for data_class, count in files.items():
            self._used[data_class] -= freed[data_class]
            log.info("disk_dropped", data_class=data_class, files=count, freed_bytes=freed[data_class])
        return freed.total()

    def _delete(self, file: Kept, folder: int) -> bool:
        try:
            os.unlink(file.name, dir_fd=folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._warn_once("disk_file_not_dropped", file=file.name, error=error.strerror)
            return False
        if file.data_class is DataClass.ARCHIVES:
            self._archives_gone.add(file.name)
        return True

    def _stand_on(self, planned: Plan) -> None:
        was, self._rung, self._reason = self._rung, planned.rung, planned.reason
        refusing = planned.rung in (DiskRung.NO_NEW_PROMISES, DiskRung.PHYSICAL_ONLY)
        self._gate.closed_because = planned.reason if refusing else ""
        self._gate.scans_only = planned.rung is DiskRung.PHYSICAL_ONLY
        if was is planned.rung:
            return
        tell = log.info if planned.rung is DiskRung.ROOMY else log.warning
        tell(
            "disk_rung_changed",
            rung=planned.rung,
            was=was,
            reason=planned.reason,
            free_bytes=self._free_bytes,
        )

    def _keep_ballast(self, wanted: bool) -> tuple[bool, bool]:
        """Make the ballast or give it up; whether that changed anything, and whether there was no room."""
        if wanted == self._ballast.stands:
            return False, False
        if not wanted:
            return self._ballast.give_up(), False
        try:
            self._ballast.make()
        except OSError as error:
            self._ballast_trouble = error.strerror or str(error)
            self._warn_once("ballast_not_made", error=self._ballast_trouble)
            return False, error.errno in _NO_ROOM
        self._ballast_trouble = ""
        self._warned.discard("ballast_not_made")
        return True, False

    def _warn_once(self, event: str, **values: object) -> None:
        if event not in self._warned:
            self._warned.add(event)
            log.warning(event, **values)
