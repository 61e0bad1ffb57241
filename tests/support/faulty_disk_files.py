"""Files that Python itself writes in the mounted folder: part of the same disk as those of SQLite.

The real files are written as ever. What decides over their fate at a power cut is noted in the trace: the sync of a
file or a folder, a new folder, a rename, a deletion. A file comes onto the disk when it is synced or renamed, with
what it holds then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from support.faulty_disk_vfs import Mount

_link, _mkdir, _replace, _unlink = os.link, os.mkdir, os.replace, os.unlink


class _Files:
    """Stand-ins for functions of `os`: each does what it always did, and notes it if it was in our folder."""

    def __init__(self, folder: Path, mount: Mount) -> None:
        self._folder = folder
        self._mount = mount

    def fsync(self, fd: int) -> None:
        """Notes only: nobody cuts the power of this machine."""
        path = Path(f"/proc/self/fd/{fd}").resolve()
        if path == self._folder:
            self._mount.do("sync_folder")
        elif (name := self._name(path)) and path.is_dir():
            self._mount.do("sync_folder", name)
        elif name:
            self._put(name)
            self._mount.do("sync", name)

    def mkdir(self, path: Any, *rest: Any, **more: Any) -> None:
        _mkdir(path, *rest, **more)
        if name := self._name(path):
            self._mount.do("make_folder", name)

    def replace(self, source: Any, target: Any) -> None:
        before, after = self._name(source), self._name(target)
        if before:
            self._put(before)
        _replace(source, target)
        if before and after:
            self._mount.do("rename", before, after)

    def link(self, source: Any, target: Any) -> None:
        _link(source, target)
        self._mount.do("link", self._name(source), self._name(target))

    def unlink(self, path: Any) -> None:
        _unlink(path)
        name = self._name(path)
        if name and name in self._mount.disk:
            self._mount.do("delete", name)

    def _name(self, path: Any) -> str:
        """The name on our disk, empty for what lies elsewhere."""
        path = Path(path)
        return str(path.relative_to(self._folder)) if path.is_relative_to(self._folder) else ""

    def _put(self, name: str) -> None:
        """A file that SQLite does not know comes onto the disk, unsynced."""
        if name not in self._mount.disk:
            self._mount.do("create", name)
            self._mount.do("write", name, 0, (self._folder / name).read_bytes())


@contextmanager
def traced_files(folder: Path, mount: Mount) -> Iterator[None]:
    """Note what Python does in `folder` as done to the mount's disk."""
    files = _Files(folder, mount)
    with mock.patch.multiple(
        os,
        fsync=files.fsync,
        link=files.link,
        mkdir=files.mkdir,
        replace=files.replace,
        unlink=files.unlink,
    ):
        yield
