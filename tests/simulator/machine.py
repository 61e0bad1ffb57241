"""Machines: a clock that people set, a program that is started again and again, and people who ask it for things."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bodega.core.deadline import BootTime
from bodega.errors import BodegaError, Unavailable
from simulator.loop import SimLoop, belongs_to
from simulator.process import Process

Work: TypeAlias = Callable[[], Awaitable[Any]]

RESTART_S = 1.0
BURY_S = 0.1
ASK_AGAIN_S = 2.0
YEAR_MS = 365 * 24 * 3600 * 1000
BEGAN_MS = 1_800_000_000_000


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


class Machine:
    """A box with one program on it, which is started again whenever it has died, and people who ask it for things.

    Who was not answered asks again, with the same id: after a restart, and after an `Unavailable`.
    """

    def __init__(self, name: str, loop: SimLoop, said: Callable[[str], None]) -> None:
        self.name = name
        self.loop = loop
        self.said = said
        self.clock = Clock(loop, name)
        self.lives = 0
        self.process: Process | None = None
        self.is_ready = False
        self.stays_down = False
        self.crashes: list[str] = []
        self.deaths: list[str] = []
        self.asked: dict[str, Work] = {}
        self.answers: dict[str, list[Any]] = {}
        self.on_answer: Callable[[str, Any], None] = lambda _request_id, _answer: None

    @property
    def is_alive(self) -> bool:
        """Whether its program runs."""
        return self.process is not None and self.process.alive

    def start(self) -> None:
        """Start the program, unless it runs."""
        if self.is_alive:
            return
        self.lives += 1
        process = self.process = Process(f"{self.name}#{self.lives}", self.loop)
        process.on_death = lambda power_cut: self._died(process, power_cut=power_cut)
        belongs_to(process, self._launch, process)

    def kill(self, reason: str, *, power_cut: bool = False) -> None:
        """Kill the program now."""
        if self.process is not None:
            self.process.die(reason, power_cut=power_cut)

    def _launch(self, process: Process) -> None:
        self.boot()
        task = self.loop.create_task(self.live())

        def ended(done: asyncio.Task[None]) -> None:
            if process.alive:
                why = "cancelled by nobody" if done.cancelled() else repr(done.exception())
                self.crashes.append(f"{process.name}: {why}")
                process.die(f"crashed: {why}")

        task.add_done_callback(ended)

    def _died(self, process: Process, *, power_cut: bool) -> None:
        self.said(f"{process.name} dies: {process.died_of}{', power cut' if power_cut else ''}")
        self.deaths.append(f"{process.died_of}{' by a power cut' if power_cut else ''}")
        self.is_ready = False
        if power_cut:
            self.clock.reboot()
        self.save(power_cut=power_cut)
        bury = self.burial()
        self.loop.call_later(BURY_S, bury, context=Context())
        if not self.stays_down:
            self.loop.call_later(RESTART_S, self._start_again, context=Context())

    def _start_again(self) -> None:
        if not self.stays_down:
            self.start()

    # What a kind of machine does.

    def boot(self) -> None:
        """Make the parts of a new life, in its process."""

    async def live(self) -> None:
        """Run the program; calls `ready` when it can be asked. Never returns."""

    def save(self, *, power_cut: bool) -> None:
        """It has just died: keep what its disk holds at this very point."""

    def burial(self) -> Callable[[], None]:
        """What closes the files of the life that has just ended."""
        return lambda: None

    # Who asks.

    def ready(self) -> None:
        """The program can be asked."""
        self.is_ready = True
        for request_id in list(self.asked):
            self._try(request_id)

    def ask(self, request_id: str, work: Work) -> None:
        """Ask, until there is an answer. The same id again is a second device that asks the same."""
        self.asked[request_id] = work
        self._try(request_id)

    def _try(self, request_id: str) -> None:
        if self.is_ready and self.process is not None and request_id in self.asked:
            belongs_to(self.process, self.loop.create_task, self._attempt(self.process, request_id))

    async def _attempt(self, process: Process, request_id: str) -> None:
        try:
            answer: Any = await self.asked[request_id]()
        except Unavailable:
            self.loop.call_later(ASK_AGAIN_S, self._try, request_id, context=Context())
            return
        except BodegaError as error:
            answer = error
        if process.alive:
            self.asked.pop(request_id, None)
            self.answers.setdefault(request_id, []).append(answer)
            self.on_answer(request_id, answer)
