"""What makes a file last: synced itself, and its name in the folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bodega.errors import Unavailable


def sync(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def put_in_place(written: Path, target: Path) -> None:
    """Give a synced file its name, in place of what had it, so that it survives a power cut."""
    sync(written)
    written.replace(target)
    sync(target.parent)


def need_room(folder: Path, size_bytes: int) -> None:
    """Unavailable, with the figures, if the file system has not that much room."""
    free = shutil.disk_usage(folder).free
    if free < size_bytes:
        raise Unavailable(
            f"{folder} has {free} bytes of room, {size_bytes} are needed",
            hint="make room, or name a file on another disk",
        )
