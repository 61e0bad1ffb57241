"""An event loop in virtual time: it never waits, it jumps to the next timer, and one seed decides everything.

Threads are not started. What a program gives to an executor runs in the loop, some virtual time later; the jobs of
one executor run one after the other, as its one thread would do them. Every handle belongs to the process (see
`simulator.process`) whose code made it, and one that can be killed is asked before each of its steps.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

from simulator.process import PROCESS, Process

T = TypeVar("T")

# Steps of one moment of virtual time: more of them is a loop that never sleeps.
STEPS_PER_MOMENT_MAX = 200_000
THREAD_S = (0.00002, 0.002)


class Stuck(AssertionError):
    """The program spins: it takes steps without end and no time passes."""


class SimHandle:
    """What `call_soon` and `call_at` give back; the loop runs it unless it was cancelled."""

    __slots__ = ("_cancelled", "args", "callback", "context", "moment_s", "process")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Any, moment_s: float
    ) -> None:
        self.callback = callback
        self.args = args
        self.context = context if context is not None else contextvars.copy_context()
        self.process = self.context.get(PROCESS)
        self.moment_s = moment_s
        self._cancelled = False

    def cancel(self) -> None:
        """Do not run it."""
        self._cancelled = True

    def cancelled(self) -> bool:
        """Whether it will not run."""
        return self._cancelled

    def when(self) -> float:
        """The virtual time at which it is due."""
        return self.moment_s


class SimLoop(asyncio.AbstractEventLoop):
    """`run_until` is the only way to let time pass; `luck` draws how long threads take."""

    def __init__(self, luck: Random) -> None:
        self._luck = luck
        self._now_s = 0.0
        self._ready: deque[SimHandle] = deque()
        self._timers: list[tuple[float, int, SimHandle]] = []
        self._numbers = itertools.count()
        self._free_at_s: dict[int, float] = {}
        self._closed = False
        self.steps = 0
        self.failures: list[str] = []

    def time(self) -> float:
        """Virtual seconds since the world began."""
        return self._now_s

    def run_until(self, moment_s: float) -> None:
        """Run everything that is due up to `moment_s`, which is the time afterwards."""
        with self.running():
            self._run_ready()
            while self._timers and self._timers[0][0] <= moment_s:
                due_s, _, handle = heapq.heappop(self._timers)
                self._now_s = max(self._now_s, due_s)
                self._ready.append(handle)
                self._run_ready()
        self._now_s = max(self._now_s, moment_s)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, this is the running loop; nothing runs and no time passes by itself."""
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            yield
        finally:
            events._set_running_loop(before)

    def warp(self, seconds: float) -> None:
        """Time passes and nobody runs, as when every machine sleeps; what was due in between is late now."""
        self._now_s += seconds

    def _run_ready(self) -> None:
        for _ in range(STEPS_PER_MOMENT_MAX):
            if not self._ready:
                return
            handle = self._ready.popleft()
            if not handle.cancelled():
                self._step(handle)
        raise Stuck(f"no end of steps at {self._now_s:.3f} s: {self._ready[0].callback}")

    def _step(self, handle: SimHandle) -> None:
        self.steps += 1
        if handle.process is not None:
            handle.process.point("await")
        handle.context.run(handle.callback, *handle.args)

    # What asyncio asks of a loop.

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        """See AbstractEventLoop."""
        handle = SimHandle(callback, args, context, self._now_s)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> Any:
        """See AbstractEventLoop."""
        return self.call_at(self._now_s + max(0.0, delay), callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        """See AbstractEventLoop."""
        handle = SimHandle(callback, args, context, when)
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """See AbstractEventLoop."""
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, T], *, name: object = None, context: Any = None
    ) -> asyncio.Task[T]:
        """See AbstractEventLoop. The task belongs to the process whose code makes it."""
        task = asyncio.Task(coro, loop=self, name=name, context=context)  # type: ignore[arg-type]  # any name
        owner = PROCESS.get() if context is None else context.get(PROCESS)
        if owner is not None:
            owner.tasks[task] = None
            task.add_done_callback(owner.tasks.pop)
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Run `func` in the loop, later; one job at a time for each executor. A dead process runs nothing."""
        future: asyncio.Future[T] = self.create_future()
        key = id(executor) if executor is not None else next(self._numbers)
        start_s = max(self._now_s, self._free_at_s.get(key, 0.0)) + self._luck.uniform(*THREAD_S)
        end_s = start_s + self._luck.uniform(*THREAD_S)
        self._free_at_s[key] = end_s
        process = PROCESS.get()

        def work() -> None:
            if process is not None and not process.alive:
                return
            try:
                answer, error = func(*args), None
            except Exception as caught:  # noqa: BLE001  # whatever it is, its caller hears it
                answer, error = None, caught
            self.call_at(max(end_s, self._now_s), _tell, future, answer, error)

        self.call_at(start_s, work)
        return future

    def get_debug(self) -> bool:
        """Never: asyncio then keeps no stacks."""
        return False

    def is_running(self) -> bool:
        """Whether this is inside `run_until`."""
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        """Whether the world has ended."""
        return self._closed

    def close(self) -> None:
        """The world ends."""
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody caught is a fault of the program."""
        self.failures.append(f"{context.get('message')}: {context.get('exception')!r}")


def _tell(future: asyncio.Future[Any], answer: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(answer)


def belongs_to(process: Process, callback: Callable[..., T], *args: Any) -> T:
    """Call something as `process` would: what it starts is the process's own."""
    context = contextvars.copy_context()
    context.run(PROCESS.set, process)
    return context.run(callback, *args)
