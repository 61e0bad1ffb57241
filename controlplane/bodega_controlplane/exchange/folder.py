"""A folder that a shop and the hub share: `inbox` for the shop's files, `outbox` for ours, moved and never half there.

    inbox/   the shop puts files here, in whatever time it takes
    work/    files that an instance works on
    outbox/  answers and news for the shop, which takes them away
    done/    the shop's files of which something was used; failed/ those of which nothing could be

A file in inbox is taken when it has not changed for a while and is called neither `.name` nor `name.part`, `.tmp` or
`.filepart`. It is moved into `work` by one rename: of several instances one has it. A file that stays in `work` without
a sign of life (a file of ours beside it) is taken over. The shop's files may belong to another user, so they are moved
and read, never written to; what is put away is a copy of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from bodega.limits_hub import (
    EXCHANGE_FILE_BYTES_MAX,
    EXCHANGE_LEASE_S,
    EXCHANGE_NAME_BYTES_MAX,
    EXCHANGE_SETTLED_S,
)
from bodega_controlplane.exchange.ports import Arrived, Outgoing

_HALF_WRITTEN = frozenset({".part", ".tmp", ".filepart", ".crdownload"})
_FOLDERS = ("inbox", "work", "outbox", "done", "failed")
_SIGN_OF_LIFE = ".alive"
_SUFFIX_CHARS_MAX = len(".filepart")
# The shop's account reads our files by its group.
_FILE_MODE = 0o640


class FolderExchange:
    """`folder` is made, with its five folders, when it is not there. The clocks are for tests."""

    def __init__(
        self,
        folder: Path,
        *,
        settled_s: float = EXCHANGE_SETTLED_S,
        lease_s: float = EXCHANGE_LEASE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._at = {name: folder / name for name in _FOLDERS}
        self._settled_s = settled_s
        self._lease_s = lease_s
        self._clock = clock
        # Name -> how it looked, and since when it has looked so.
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}

    async def take(self) -> Arrived | None:
        """The next file that is whole; the oldest name first."""
        return await asyncio.to_thread(self._take)

    async def keep_alive(self, arrived: Arrived) -> None:
        """The time of change of the file beside it says so."""
        await asyncio.to_thread(self._touch, self._sign_of(arrived.token))

    async def put_away(self, arrived: Arrived, answers: Sequence[Outgoing], *, good: bool) -> None:
        """Its name gets a part of the hash of what it says: two files of one name stay two."""
        for answer in answers:
            await self.send(answer)
        path = Path(arrived.name)
        kept = f"{path.stem}.{digest_of(arrived)}{path.suffix}"
        target = self._at["done" if good else "failed"] / kept
        await asyncio.to_thread(self._put, arrived.token, target)

    async def send(self, file: Outgoing) -> None:
        """Written beside, made durable, then renamed."""
        await asyncio.to_thread(self._send, file)

    async def tidy(self, older_than_s: float) -> int:
        """In `done` and `failed`, and signs of life of files that nobody has."""
        return await asyncio.to_thread(self._tidy, older_than_s)

    def _take(self) -> Arrived | None:
        for folder in self._at.values():
            folder.mkdir(mode=0o770, parents=True, exist_ok=True)
        for token in self._left_behind():
            return self._read(token)
        for name in self._whole():
            token = f"{secrets.token_hex(6)}@{_short(name)}"
            self._touch(self._sign_of(token))
            try:
                (self._at["inbox"] / name).rename(self._at["work"] / token)
            except FileNotFoundError:
                self._sign_of(token).unlink(missing_ok=True)
                continue  # another instance has it
            return self._read(token)
        return None

    def _left_behind(self) -> Iterator[str]:
        now = self._clock()
        there = {path.name: found.st_mtime for path, found in self._files("work")}
        for token in sorted(there, key=lambda one: one.partition("@")[2]):
            heard = there.get(self._sign_of(token).name, 0.0)
            if "@" in token and now - heard > self._lease_s:
                yield token

    def _files(self, folder: str) -> Iterator[tuple[Path, os.stat_result]]:
        """Files of a folder; others move them at the same time."""
        for path in self._at[folder].iterdir():
            with contextlib.suppress(FileNotFoundError):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode):
                    yield path, found

    def _whole(self) -> Iterator[str]:
        """Names of files that have looked the same for long enough."""
        now = self._clock()
        looks = {
            path.name: (found.st_size, found.st_mtime_ns)
            for path, found in self._files("inbox")
            if not path.name.startswith(".") and path.suffix.lower() not in _HALF_WRITTEN
        }
        before = self._seen
        self._seen = {
            name: before[name] if name in before and before[name][0] == look else (look, now)
            for name, look in looks.items()
        }
        return iter(
            sorted(name for name, (_look, since) in self._seen.items() if now - since >= self._settled_s)
        )

    def _read(self, token: str) -> Arrived:
        """A file that may not be read is told of like one that says nonsense: it must not stop those after it."""
        self._touch(self._sign_of(token))
        body, problem = b"", ""
        try:
            with (self._at["work"] / token).open("rb") as file:
                body = file.read(EXCHANGE_FILE_BYTES_MAX + 1)
        except PermissionError:
            problem = (
                "may not be read by the control plane's user: let its group read what the shop puts here"
            )
        return Arrived(token.partition("@")[2], token, body, problem)

    def _put(self, token: str, target: Path) -> None:
        path = self._at["work"] / token
        try:
            with path.open("rb") as file:
                self._write(target, partial(shutil.copyfileobj, file))
            self._touch(target)
            path.unlink()
        except FileNotFoundError:
            pass  # another instance took it over, and was quicker
        except PermissionError:
            path.replace(target)  # it may not be read: there is no copy
        self._sign_of(token).unlink(missing_ok=True)

    def _sign_of(self, token: str) -> Path:
        return self._at["work"] / f"{token.partition('@')[0]}{_SIGN_OF_LIFE}"

    def _touch(self, path: Path) -> None:
        now = self._clock()
        path.touch(mode=_FILE_MODE)
        os.utime(path, (now, now))

    def _send(self, file: Outgoing) -> None:
        self._write(self._at["outbox"] / file.name, lambda out: out.write(file.body))

    def _write(self, target: Path, fill: Callable[[BinaryIO], object]) -> None:
        """Whole and durable under its name, or not there."""
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as out:
                fill(out)
                out.flush()
                os.fchmod(out.fileno(), _FILE_MODE)
                os.fsync(out.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        listing = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(listing)
        finally:
            os.close(listing)

    def _tidy(self, older_than_s: float) -> int:
        oldest = self._clock() - older_than_s
        old = [
            path
            for name in ("done", "failed", "work")
            if self._at[name].is_dir()
            for path, found in self._files(name)
            if found.st_mtime < oldest and (name != "work" or path.suffix == _SIGN_OF_LIFE)
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _short(name: str) -> str:
    """A name that leaves room for what answers add to it, in characters that every log and file system takes."""
    path = Path(os.fsencode(name).decode("utf-8", "replace"))
    end = path.suffix if len(path.suffix) <= _SUFFIX_CHARS_MAX else ""
    return path.stem.encode()[:EXCHANGE_NAME_BYTES_MAX].decode("utf-8", "ignore") + end


def digest_of(arrived: Arrived) -> str:
    """Eight digits that tell two files of one name apart."""
    said = arrived.token.encode() if arrived.problem else arrived.body
    return sha256(said).hexdigest()[:8]
