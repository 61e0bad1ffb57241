"""For every test: files in memory, no event loop left lying about, and no bar on its time."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the code: how fast is for the benchmarks.
settings.register_profile("no-time-bar", deadline=None)
settings.load_profile("no-time-bar")

_MEMORY = Path("/dev/shm")
_ROOM_BYTES_MIN = 4 << 30


def _write_to_memory() -> None:
    """Temporary files, databases and brokers' stores go to memory, if there is room and TMPDIR says nothing else.

    A kill finds there what it would find on a disk. Cuts of the power are told by a file system of our own
    (support/faulty_disk.py), which knows what was synced; a real disk would only make every test wait for it.
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK):
        return
    if shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES_MIN and not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


_write_to_memory()


# Of the files in order, every so manieth is one of those that start many processes and wait for them most of the time.
_BESIDE = 8


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins early, beside what computes: no worker is left alone in the end."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting = [path for path in files if "system" in path.parts]
    order = sorted(files.keys() - set(waiting), key=lambda path: (_weight(path), path))
    for number, path in enumerate(waiting):
        order.insert(number * _BESIDE, path)
    items[:] = [item for path in order for item in files[path]]


def _weight(path: Path) -> int:
    """The folders of the slow tests first."""
    slow = ("simulator", "store", "controlplane", "cli")
    return min((slow.index(part) for part in path.parts if part in slow), default=len(slow))


def pytest_configure(config: pytest.Config) -> None:
    """Looptime asks for a current loop even in sync tests; without one there is none to leak."""
    asyncio.set_event_loop(None)
