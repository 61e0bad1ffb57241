"""Machines and the processes on them, which can be killed at any point of their work.

A killed process does not know it. At that very point its disk is copied for the next one, and from then on nothing
that it does reaches anybody: its messages are not sent, its answers not heard, its writes go to a disk that no one
will read. Its tasks are cancelled at the next step of the loop, so that nothing of it stays behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from bodega.core.deadline import BootTime

PROCESS: ContextVar[Process | None] = ContextVar("PROCESS", default=None)

YEAR_MS = 365 * 24 * 3600 * 1000
BEGAN_MS = 1_800_000_000_000


@dataclass(slots=True)
class Fuse:
    """Kills a process at its n-th next point of a kind: "await" (a step of the loop), "sql", "disk"."""

    kind: str
    points: int
    power_cut: bool = False


class Process:
    """One life of a program. `on_death` is called at the point where it dies, once."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self.alive = True
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.fuse: Fuse | None = None
        self.died_of = ""
        self.on_death: Callable[[bool], None] = lambda _power_cut: None
        self._loop = loop

    def point(self, kind: str) -> None:
        """The process comes to a point where it could be killed."""
        fuse = self.fuse
        if fuse is None or not self.alive or fuse.kind != kind:
            return
        fuse.points -= 1
        if fuse.points <= 0:
            self.die(f"killed at {kind}", power_cut=fuse.power_cut)

    def die(self, reason: str, *, power_cut: bool = False) -> None:
        """Without a last word; `power_cut` takes the page cache with it."""
        if not self.alive:
            return
        self.alive, self.fuse, self.died_of = False, None, reason
        self.on_death(power_cut)
        self._loop.call_soon(self._end_tasks)

    def _end_tasks(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        if self.tasks:
            self._loop.call_later(0.001, self._end_tasks)


@dataclass
class Clock:
    """A machine's wall clock, which people set, and its monotonic one, which begins anew at each boot."""

    loop: asyncio.AbstractEventLoop
    name: str
    offset_ms: int = 0
    boots: int = 1
    booted_at_s: float = field(default=0.0)

    def now_ms(self) -> int:
        """The wall clock."""
        return BEGAN_MS + self.offset_ms + int(self.loop.time() * 1000)

    def now_s(self) -> float:
        """The wall clock in seconds."""
        return self.now_ms() / 1000

    def boot_time(self) -> BootTime:
        """The monotonic clock."""
        return BootTime(f"{self.name}-boot-{self.boots}", int((self.loop.time() - self.booted_at_s) * 1000))

    def jump(self, ms: int) -> None:
        """Somebody, or a broken time server, sets the wall clock."""
        self.offset_ms += ms

    def reboot(self) -> None:
        """The machine starts again."""
        self.boots += 1
        self.booted_at_s = self.loop.time()
