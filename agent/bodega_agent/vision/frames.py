"""Judged frames on the node's disk, under a budget: the oldest go first.

The agent's disk service may delete frames too, the oldest first, when the disk is short of room; then no new
ones are kept either.

A frame is evidence for people, so it is kept as JPEG (a fifth of a PNG's size, a twentieth of its time) under
the digest that its camera gave it. Trouble with this folder never spoils a verdict: the record says that the
frame was not kept. Frames may show hands and faces, so only the agent's user may read them.
"""

from __future__ import annotations

import errno
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bodega.host.log import get_logger

log = get_logger(__name__)

_SUFFIX = ".jpg"
_UNFINISHED = ".part"
_JPEG_QUALITY = 90
_FOLDER_MODE = 0o700


class FrameStore:
    """A folder of at most `bytes_max` bytes of frames. For one process and one thread.

    Nothing is kept that would leave the disk with less than `free_bytes_min`.
    """

    def __init__(self, folder: Path, bytes_max: int, *, free_bytes_min: int = 0) -> None:
        """Take stock of what an earlier worker left, in its order of age."""
        self._folder = folder
        self._bytes_max = bytes_max
        self._free_bytes_min = free_bytes_min
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._bytes = 0
        self._healthy = True
        self._guarded(self._take_stock)

    @property
    def bytes_kept(self) -> int:
        """Bytes of frames in the folder now."""
        return self._bytes

    def keep(self, digest: str, pixels: np.ndarray[Any, Any]) -> str | None:
        """Write one frame and drop the oldest ones over the budget; the path, or None when it is not kept."""
        encoded, jpeg = cv2.imencode(_SUFFIX, pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not encoded or jpeg.size > self._bytes_max:
            return None
        path = self._folder / f"{digest}{_SUFFIX}"
        return str(path) if self._guarded(lambda: self._write(path, jpeg.tobytes())) else None

    def _write(self, path: Path, content: bytes) -> None:
        self._bytes -= self._sizes.pop(path.name, 0)
        self._make_room(len(content))
        if shutil.disk_usage(self._folder).free - len(content) < self._free_bytes_min:
            raise OSError(errno.ENOSPC, "the disk is short of room")
        unfinished = path.with_suffix(_UNFINISHED)
        unfinished.write_bytes(content)
        unfinished.replace(path)
        self._sizes[path.name] = len(content)
        self._bytes += len(content)

    def _make_room(self, needed: int) -> None:
        while self._sizes and self._bytes + needed > self._bytes_max:
            name, size = next(iter(self._sizes.items()))
            (self._folder / name).unlink(missing_ok=True)
            del self._sizes[name]
            self._bytes -= size

    def _take_stock(self) -> None:
        self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        for leftover in self._folder.glob(f"*{_UNFINISHED}"):
            leftover.unlink(missing_ok=True)
        found = [(path.stat(), path.name) for path in self._folder.glob(f"*{_SUFFIX}")]
        for stat, name in sorted(found, key=lambda item: (item[0].st_mtime_ns, item[1])):
            self._sizes[name] = stat.st_size
            self._bytes += stat.st_size
        self._make_room(0)

    def _guarded(self, work: Any) -> bool:
        """Run disk work; a fault is warned of once, and its end is told once."""
        try:
            work()
        except OSError as fault:
            if self._healthy:
                log.warning("frames_not_kept", folder=str(self._folder), error=fault.strerror)
            self._healthy = False
            return False
        if not self._healthy:
            log.info("frames_kept_again", folder=str(self._folder))
        self._healthy = True
        return True
