"""A folder that a shop and the hub share: `inbox` for the shop's files, `outbox` for ours, moved and never half there.

    inbox/   the shop puts files here, in whatever time it takes
    work/    files that an instance works on
    outbox/  answers and news for the shop, which takes them away
    done/    the shop's files of which something was used; failed/ those of which nothing could be

A file in inbox is taken when it has not changed for a while and is called neither `.name` nor `name.part`, `.tmp` or
`.filepart`. It is moved into `work` by one rename: of several instances one has it. A file that stays in `work` without
a sign of life is taken over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from bodega.limits_hub import EXCHANGE_FILE_BYTES_MAX, EXCHANGE_LEASE_S, EXCHANGE_SETTLED_S
from bodega_controlplane.exchange.ports import Arrived, Outgoing

_HALF_WRITTEN = frozenset({".part", ".tmp", ".filepart", ".crdownload"})
_FOLDERS = ("inbox", "work", "outbox", "done", "failed")
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
        """Its time of change says so."""
        await asyncio.to_thread(self._touch, self._at["work"] / arrived.token)

    async def put_away(self, arrived: Arrived, answers: Sequence[Outgoing], *, good: bool) -> None:
        """Its name gets a part of the hash of what it says: two files of one name stay two."""
        for answer in answers:
            await self.send(answer)
        path = Path(arrived.name)
        kept = f"{path.stem}.{digest_of(arrived)}{path.suffix}"
        target = self._at["done" if good else "failed"] / kept
        await asyncio.to_thread(self._move, self._at["work"] / arrived.token, target)

    async def send(self, file: Outgoing) -> None:
        """Written beside, made durable, then renamed."""
        await asyncio.to_thread(self._send, file)

    async def tidy(self, older_than_s: float) -> int:
        """In `done` and `failed`."""
        return await asyncio.to_thread(self._tidy, older_than_s)

    def _take(self) -> Arrived | None:
        for folder in self._at.values():
            folder.mkdir(mode=0o770, parents=True, exist_ok=True)
        for token in self._left_behind():
            return self._read(token)
        for name in self._whole():
            token = f"{secrets.token_hex(6)}@{name}"
            try:
                (self._at["inbox"] / name).rename(self._at["work"] / token)
            except FileNotFoundError:
                continue  # another instance has it
            return self._read(token)
        return None

    def _left_behind(self) -> Iterator[str]:
        now = self._clock()
        for path in sorted(self._at["work"].iterdir(), key=lambda one: one.name.partition("@")[2]):
            if "@" in path.name and now - path.stat().st_mtime > self._lease_s:
                yield path.name

    def _whole(self) -> Iterator[str]:
        """Names of files that have looked the same for long enough."""
        now = self._clock()
        looks: dict[str, tuple[int, int]] = {}
        for path in self._at["inbox"].iterdir():
            found = path.lstat()
            half = path.name.startswith(".") or path.suffix.lower() in _HALF_WRITTEN
            if stat.S_ISREG(found.st_mode) and not half:
                looks[path.name] = found.st_size, found.st_mtime_ns
        before = self._seen
        self._seen = {
            name: before[name] if name in before and before[name][0] == look else (look, now)
            for name, look in looks.items()
        }
        return iter(
            sorted(name for name, (_look, since) in self._seen.items() if now - since >= self._settled_s)
        )

    def _read(self, token: str) -> Arrived:
        path = self._at["work"] / token
        self._touch(path)
        with path.open("rb") as file:
            body = file.read(EXCHANGE_FILE_BYTES_MAX + 1)
        return Arrived(token.partition("@")[2], token, body)

    def _move(self, path: Path, target: Path) -> None:
        with contextlib.suppress(FileNotFoundError):  # another instance took it over, and was quicker
            path.replace(target)
            self._touch(target)

    def _touch(self, path: Path) -> None:
        now = self._clock()
        os.utime(path, (now, now))

    def _send(self, file: Outgoing) -> None:
        folder = self._at["outbox"]
        draft = folder / f".{file.name}.{secrets.token_hex(4)}.tmp"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as out:
                out.write(file.body)
                out.flush()
                os.fchmod(out.fileno(), _FILE_MODE)
                os.fsync(out.fileno())
            draft.replace(folder / file.name)
        finally:
            draft.unlink(missing_ok=True)
        listing = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(listing)
        finally:
            os.close(listing)

    def _tidy(self, older_than_s: float) -> int:
        oldest = self._clock() - older_than_s
        old = [
            path
            for name in ("done", "failed")
            if self._at[name].is_dir()
            for path in self._at[name].iterdir()
            if path.is_file() and path.stat().st_mtime < oldest
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def digest_of(arrived: Arrived) -> str:
    """Eight digits that tell two files of one name apart."""
    return sha256(arrived.body).hexdigest()[:8]
