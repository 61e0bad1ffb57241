"""A file that only takes room, so that there is some to give when the disk is full."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

_RANDOM_BYTES = 1024 * 1024
_NO_FALLOCATE = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


class Ballast:
    """The file, `size_bytes` of allocated room; none at all when that is 0.

    `allocate(fd, offset, length)` is posix_fallocate(3). Where a file system can not do that, or says that it
    did and holds nothing (it compresses, or it only counts), the file is written with bytes that no
    compression shrinks.
    """

    def __init__(
        self,
        path: Path,
        size_bytes: int,
        *,
        allocate: Callable[[int, int, int], None] = os.posix_fallocate,
    ) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self._allocate = allocate

    @property
    def stands(self) -> bool:
        """Whether the room is taken: the file is there, of the right size, and really allocated."""
        if self._size_bytes == 0:
            return True
        try:
            found = os.lstat(self._path)
        except OSError:
            return False
        return found.st_size == self._size_bytes <= found.st_blocks * 512

    def make(self) -> None:
        """Take the room; OSError when there is none, and then nothing is left behind."""
        self.give_up()
        fd = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            self._fill(fd)
        except BaseException:
            self.give_up()
            raise
        finally:
            os.close(fd)

    def give_up(self) -> bool:
        """Give the room back; False when there was nothing to give."""
        try:
            self._path.unlink()
        except OSError:
            return False
        # The name is durably gone, and with it the claim on the blocks; some file systems free them only then.
        with contextlib.suppress(OSError):
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return True

    def _fill(self, fd: int) -> None:
        try:
            self._allocate(fd, 0, self._size_bytes)
        except OSError as error:
            if error.errno not in _NO_FALLOCATE:
                raise
        if os.fstat(fd).st_blocks * 512 >= self._size_bytes:
            os.fsync(fd)
            return
        left = self._size_bytes
        while left:
            left -= os.write(fd, os.urandom(min(left, _RANDOM_BYTES)))
        os.fsync(fd)
        if os.fstat(fd).st_blocks * 512 < self._size_bytes:
            raise OSError(errno.EOPNOTSUPP, "the file system takes less room than the file has bytes")
