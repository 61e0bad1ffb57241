"""Child processes of the demo: started, awaited, killed and stopped; only ever those that it started itself.

Each child runs in a session of its own, so that Ctrl-C in the terminal reaches the demo alone, which then
stops its children in order. A child says that it is ready as it would say it to systemd (sd_notify), so
nothing here polls or sleeps. If the demo itself is killed, the kernel takes its children down with it.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodega.errors import Unavailable
from bodega.limits import STOP_S

READY_S = 30.0
_LOG_LINES_SHOWN = 8
_PR_SET_PDEATHSIG = 1
_NOTICE_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to start one process. `notifies`: whether it speaks sd_notify; `log` gets all that it prints."""

    name: str
    argv: Sequence[str]
    log: Path
    notifies: bool = True
    env: Mapping[str, str] | None = None


class Child:
    """One process, which may be started again after it has ended.

    `ready_s`: seconds from the start to the notice that it is ready, the last time.
    """

    def __init__(self, recipe: Recipe, runtime_dir: Path) -> None:
        self.recipe = recipe
        self._manager = _Manager(runtime_dir / f"{recipe.name}.notify")
        self._process: asyncio.subprocess.Process | None = None
        self.ready_s = 0.0

    @property
    def pid(self) -> int:
        """Process id of the present or last life."""
        assert self._process is not None, f"{self.recipe.name} was never started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it lives now."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and wait until it is ready, if it can say so; Unavailable with its last words if not."""
        assert not self.running, f"{self.recipe.name} is running already"
        env = {**os.environ, **(self.recipe.env or {})}
        if self.recipe.notifies:
            env["NOTIFY_SOCKET"] = self._manager.listen()
        begun_s = time.monotonic()
        with self.recipe.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.recipe.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        if self.recipe.notifies:
            await self._until_ready(self._process)
        self.ready_s = time.monotonic() - begun_s

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        ready = asyncio.create_task(self._manager.ready.wait())
        ended = asyncio.create_task(process.wait())
        waiting: set[asyncio.Task[Any]] = {ready, ended}
        await asyncio.wait(waiting, timeout=READY_S, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if self._manager.ready.is_set():
            return
        code = process.returncode
        how = "did not get ready" if code is None else f"ended with exit code {code}"
        raise Unavailable(
            f"{self.recipe.name} {how}; its last words: {self.last_words()}",
            hint=f"read {self.recipe.log}",
        )

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.recipe.log.read_text(errors="replace").splitlines() if self.recipe.log.exists() else []
        return " | ".join(lines[-_LOG_LINES_SHOWN:]) or "(none)"

    async def kill(self) -> None:
        """SIGKILL, and wait until the kernel has taken it away."""
        assert self._process is not None, f"{self.recipe.name} was never started"
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._manager.close()

    async def stop(self) -> str:
        """SIGTERM, and SIGKILL if it outlasts the promised `STOP_S`; what was not as it should be, or ""."""
        if self._process is None:
            return ""
        if not self.running:
            self._manager.close()
            code = self._process.returncode
            by_itself = code != -signal.SIGKILL
            return f"{self.recipe.name} had ended by itself, with exit code {code}" if by_itself else ""
        self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
            return f"{self.recipe.name} did not stop within {STOP_S:.0f} s and was killed"
        self._manager.close()
        code = self._process.returncode
        return f"{self.recipe.name} stopped with exit code {code}" if code else ""


class _Manager:
    """The service manager's end of sd_notify(3): hears READY=1, for as long as the service lives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._channel: socket.socket | None = None
        self.ready = asyncio.Event()

    def listen(self) -> str:
        """Listen anew; the address for NOTIFY_SOCKET."""
        self.close()
        self.ready.clear()
        channel = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        )
        channel.bind(str(self._path))
        asyncio.get_running_loop().add_reader(channel.fileno(), self._hear, channel)
        self._channel = channel
        return str(self._path)

    def _hear(self, channel: socket.socket) -> None:
        if b"READY=1" in channel.recv(_NOTICE_BYTES_MAX):
            self.ready.set()

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        channel, self._channel = self._channel, None
        if channel is not None:
            asyncio.get_running_loop().remove_reader(channel.fileno())
            channel.close()
            self._path.unlink(missing_ok=True)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
