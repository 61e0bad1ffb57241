"""The shelf of files that the hub gives to its nodes: plain files of one folder, read in ranges.

An operator puts a file there whole (write it beside, then rename). Its digest is taken once, and again when its size
or its time has changed.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bodega.errors import FieldFault, InvalidInput, NotFound, Refused
from bodega.limits import ARTIFACT_NAME_CHARS_MAX, ARTIFACT_RANGE_BYTES_MAX, ARTIFACTS_LISTED_MAX

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{ARTIFACT_NAME_CHARS_MAX - 1}}}")
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file: `sha256` is of the whole of it."""

    name: str
    size_bytes: int
    sha256: bytes


class Shelf:
    """Files of one folder; its methods read the disk, so call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[tuple[str, int, int], bytes] = {}

    def all(self) -> list[Artifact]:
        """By name, at most ARTIFACTS_LISTED_MAX; what is no plain file or has no proper name is not there."""
        if not self._folder.is_dir():
            return []
        names = sorted(
            entry.name
            for entry in os.scandir(self._folder)
            if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
        )
        return [self.read(name, 0, 0)[0] for name in names[:ARTIFACTS_LISTED_MAX]]

    def read(self, name: str, offset: int, length: int) -> tuple[Artifact, bytes]:
        """The artifact, and so many of its bytes from `offset` on. Raises InvalidInput, NotFound, Refused."""
        if not _NAME.fullmatch(name):
            fault = FieldFault("name", f"is no name of an artifact: {name[:ARTIFACT_NAME_CHARS_MAX]!r}")
            raise InvalidInput("the artifact's name is malformed", faults=(fault,))
        if length > ARTIFACT_RANGE_BYTES_MAX:
            fault = FieldFault("length", f"is {length}, {ARTIFACT_RANGE_BYTES_MAX} is the most")
            raise InvalidInput("the range is too long", hint="ask for shorter ones", faults=(fault,))
        handle = self._open(name)
        with os.fdopen(handle, "rb") as file:
            facts = os.fstat(handle)
            key = (name, facts.st_size, facts.st_mtime_ns)
            if key not in self._digests:
                self._forget(name)
                digest = sha256()
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
                self._digests[key] = digest.digest()
            # Beyond the end there is nothing, however far.
            file.seek(min(offset, facts.st_size))
            return Artifact(name, facts.st_size, self._digests[key]), file.read(length)

    def _open(self, name: str) -> int:
        """A plain file of the folder, opened: no link is followed, and nothing that is no file is waited for."""
        missing = NotFound(f"there is no artifact '{name}'", hint="list them: ListArtifacts")
        try:
            handle = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
                raise missing from error
            raise Refused(f"the artifact '{name}' cannot be read: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise missing
        return handle

    def _forget(self, name: str) -> None:
        for key in [key for key in self._digests if key[0] == name]:
            del self._digests[key]
