"""Processes, which can be killed at any point of their work.

A killed process does not know it. At that very point its disk is copied for the next one, and from then on nothing
that it does reaches anybody: its messages are not sent, its answers not heard, its writes go to a disk that no one
will read. Its tasks are cancelled at the next step of the loop, so that nothing of it stays behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

PROCESS: ContextVar[Process | None] = ContextVar("PROCESS", default=None)


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
