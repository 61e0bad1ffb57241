"""Whether a device is there: three misses before it is gone, one warning when it is lost, one line when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

from bodega.host.log import get_logger
from bodega.limits import DEVICE_BACKOFF_MAX_S, DEVICE_MISSES_BEFORE_GONE
from bodega_adapters.backoff import backoff_delays
from bodega_adapters.clock import wall_clock_ms

log = get_logger(__name__)


class Presence:
    """The memory of one driver about its device. `kind` is "scanner", "printer", "scale", "camera"."""

    def __init__(
        self, kind: str, device: str, *, place: str = "", clock: Callable[[], float] | None = None
    ) -> None:
        """`place` is the port or address, without credentials; `clock` gives seconds, the loop's by default."""
        self._kind = kind
        self._device = device
        self._place = place
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._delays: Iterator[float] = backoff_delays()
        self._misses = 0
        self._since_s: float | None = None
        self._plug = asyncio.Event()
        self.lost = False
        self.problem = ""
        self.changed_ms = wall_clock_ms()

    @property
    def connected(self) -> bool:
        """Whether it answered last time."""
        return self._since_s is not None

    @property
    def misses(self) -> int:
        """How many times in a row it did not answer."""
        return self._misses

    @property
    def place(self) -> str:
        """The port or address, without credentials."""
        return self._place

    def answered(self) -> None:
        """It is there."""
        self._plug.clear()
        if self._since_s is None:
            self._since_s = self._clock()
            self.changed_ms = wall_clock_ms()
        self._misses = 0
        self.problem = ""
        if self.lost:
            self.lost = False
            log.info("device_back", kind=self._kind, device=self._device, place=self._place)

    def missed(self, problem: str, *, silent: bool = False) -> float:
        """It did not answer, or hung up; the seconds to wait before it is tried again.

        One that fails to open, or is open and `silent`, may be busy or slow: three misses make it gone. One that hangs
        up while it is open is lost at once. Only a device that has lasted resets the backoff: a loose plug opens and
        hangs up many times a minute.
        """
        was_open, since_s = self._since_s is not None, self._since_s
        self._misses += 1
        if not silent or self._misses >= DEVICE_MISSES_BEFORE_GONE:
            self._since_s = None
        self.problem = problem
        if since_s is not None and self._clock() - since_s > DEVICE_BACKOFF_MAX_S:
            self._delays = backoff_delays()
        hung_up = was_open and not silent
        if not self.lost and (hung_up or self._misses >= DEVICE_MISSES_BEFORE_GONE):
            self.lost = True
            self.changed_ms = wall_clock_ms()
            log.warning(
                "device_lost", kind=self._kind, device=self._device, place=self._place, problem=problem
            )
        return next(self._delays)

    def plugged(self) -> None:
        """The kernel says that something was plugged in: who rests tries again now, as if for the first time."""
        self._delays = backoff_delays()
        self._plug.set()

    async def rest(self, closed: asyncio.Event, seconds: float) -> None:
        """Wait before the device is tried again: `seconds`, or until it is `plugged` or the driver is `closed`.

        A plug between `missed` and this is not forgotten.
        """
        waiting = [asyncio.ensure_future(event.wait()) for event in (closed, self._plug)]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._plug.clear()
            for each in waiting:
                each.cancel()


class Perceived(Protocol):
    """A driver that shows its `presence`: the agent tells it what was plugged in, and people how it is.

    Not part of a port: a driver that keeps no presence is tried again as its own backoff says.
    """

    @property
    def presence(self) -> Presence:
        """Its memory about its device."""
        ...


def presence_of(device: object) -> Presence | None:
    """The presence that a driver shows, if it does."""
    found = getattr(device, "presence", None)
    return found if isinstance(found, Presence) else None
