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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodega.errors import Unavailable
from bodega.limits import STOP_S

READY_S = 30.0
_LOG_LINES_SHOWN = 8
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to start one process. `notifies`: whether it speaks sd_notify; `log` gets all that it prints."""

    name: str
    argv: Sequence[str]
    log: Path
    notifies: bool = True
    env: Mapping[str, str] | None = None


class Child:
    """One process, which may be started again after it has ended."""

    def __init__(self, recipe: Recipe, runtime_dir: Path) -> None:
        self.recipe = recipe
        self._notify_path = runtime_dir / f"{recipe.name}.notify"
        self._process: asyncio.subprocess.Process | None = None

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
        ready = _notify_socket(self._notify_path) if self.recipe.notifies else None
        try:
            await self._spawn()
            if ready is not None:
                await self._until(_ready_notice(ready))
        finally:
            if ready is not None:
                ready.close()
                self._notify_path.unlink(missing_ok=True)

    async def _spawn(self) -> None:
        env = {**os.environ, **(self.recipe.env or {})}
        if self.recipe.notifies:
            env["NOTIFY_SOCKET"] = str(self._notify_path)
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

    async def _until(self, ready: asyncio.Task[None]) -> None:
        assert self._process is not None, "spawned just now"
        ended = asyncio.create_task(self._process.wait())
        waiting: set[asyncio.Task[Any]] = {ready, ended}
        await asyncio.wait(waiting, timeout=READY_S, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            ended.cancel()
            return
        ready.cancel()
        how = f"ended with exit code {self._process.returncode}" if ended.done() else "did not get ready"
        ended.cancel()
        raise Unavailable(
            f"{self.recipe.name} {how}; its last words: {self.last_words()}",
            hint=f"read {self.recipe.log} (run the demo with --keep to keep it)",
        )

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.recipe.log.read_text(errors="replace").splitlines() if self.recipe.log.exists() else []
        return " | ".join(lines[-_LOG_LINES_SHOWN:]) or "(none)"

    async def kill(self) -> None:
        """SIGKILL, and wait until the kernel has taken it away."""
        assert self._process is not None, f"{self.recipe.name} was never started"
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> bool:
        """SIGTERM, and SIGKILL if it outlasts the promised `STOP_S`. Whether it stopped by itself."""
        if not self.running:
            return True
        assert self._process is not None, "it is running"
        self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S + 1):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
            return False
        return True


def _notify_socket(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    channel.bind(str(path))
    return channel


def _ready_notice(channel: socket.socket) -> asyncio.Task[None]:
    async def listen() -> None:
        loop = asyncio.get_running_loop()
        while b"READY=1" not in await loop.sock_recv(channel, 4096):
            pass

    return asyncio.create_task(listen())


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
