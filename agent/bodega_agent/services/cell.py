"""Where one device lives, apart from all others: whatever its driver does, it does it to itself.

| the driver | and then |
|---|---|
| raises one of our errors | that is its voice: the device is not there, or talks nonsense; the caller hears it |
| raises anything else, ends, says nonsense, hangs | it has a fault: logged once, closed, opened anew after a while |

A fault is remembered for DEVICE_FAULT_KEPT_S after the last one, so that a driver that breaks at every scan is one line
in the log and one problem in `bodega status`, and not a thousand. What can not be contained here is a driver that
never gives the event loop back, or ends the process: systemd's watchdog and restart are for that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar

from bodega.errors import BodegaError, Unavailable
from bodega.host.log import get_logger
from bodega.limits import DEVICE_BACKOFF_MAX_S, DEVICE_CLOSE_S, DEVICE_FAULT_KEPT_S, DEVICE_OPEN_S
from bodega_adapters.backoff import backoff_delays
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.discovery import stable_name
from bodega_adapters.presence import Presence, presence_of
from bodega_adapters.registry import Device, open_device, records
from bodega_adapters.wires.tape import Recorder

log = get_logger(__name__)

Json = dict[str, Any]
D = TypeVar("D", bound=Device)
T = TypeVar("T")


class DriverFault(Exception):
    """A driver did what its port forbids; never leaves a cell but as `Unavailable`."""


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """One device of the configuration; `kind` is one of the registry's KINDS."""

    kind: str
    name: str
    driver: str
    options: Mapping[str, object] = field(default_factory=dict)


_HINTS = {
    "lost": "check its cable and power; bodega devices scan shows what is plugged in",
    "faulty": "its driver has a fault: the log names it; tell its author",
    "starting": "",
    "ok": "",
}


class Cell(Generic[D]):
    """One device of one driver. `live` runs with the opened driver until it ends, which it should not."""

    def __init__(
        self,
        spec: DeviceSpec,
        live: Callable[[Cell[D], D], Awaitable[None]],
        *,
        opener: Callable[..., Device] = open_device,
    ) -> None:
        self.spec = spec
        self.recorder = Recorder()
        self.device: D | None = None
        self.last: Json | None = None
        self.faults = 0
        self.fault = ""
        self._live = live
        self._opener = opener
        self._fault_s = -DEVICE_FAULT_KEPT_S
        self._fault_ms = 0
        # For a driver that keeps none of its own.
        self._own_presence = Presence(spec.kind, spec.name)
        self._delays: Iterator[float] = backoff_delays()
        self._broken = asyncio.Event()
        self._woken = asyncio.Event()
        self.advice = ""

    @property
    def presence(self) -> Presence:
        """The driver's own, or the one that is kept here for it."""
        return presence_of(self.device) or self._own_presence

    @property
    def keeps_its_presence(self) -> bool:
        """Whether the driver itself says when its device is lost and back."""
        return presence_of(self.device) is not None

    @property
    def records(self) -> bool:
        """Whether its driver's wire can be recorded."""
        return records(self.spec.kind, self.spec.driver)

    @property
    def state(self) -> str:
        """`ok`, `lost`, `faulty`, or `starting` while nobody knows yet."""
        if self.fault and time.monotonic() - self._fault_s < DEVICE_FAULT_KEPT_S:
            return "faulty"
        if self.device is None:
            return "starting"
        if not self.keeps_its_presence and self.spec.kind == "scanner":
            return "ok" if _connected(self.device) else "lost"
        return "lost" if self.presence.lost else "ok" if self.presence.connected else "starting"

    async def run(self) -> None:
        """Until cancelled: open, live, and once more after a fault. Raises what is not the driver's fault."""
        self._warn_of_unstable_names()
        while True:
            began_s = time.monotonic()
            try:
                await self._one_life()
            except DriverFault as fault:
                self.blame(str(fault))
            finally:
                await self._close()
            if time.monotonic() - began_s > DEVICE_BACKOFF_MAX_S:
                self._delays = backoff_delays()
            self._broken.clear()
            await self.pause(next(self._delays))

    async def _one_life(self) -> None:
        self.device = await self._open()
        await self._live(self, self.device)
        raise DriverFault("it ended by itself")

    async def pause(self, seconds: float | None) -> None:
        """Wait `seconds`, or until a plug-in or `look_again`; raises DriverFault when a call found one."""
        waiting = [asyncio.ensure_future(event.wait()) for event in (self._woken, self._broken)]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        self._woken.clear()
        if self._broken.is_set():
            raise DriverFault(self.fault)

    def look_again(self) -> None:
        """A call did not succeed: see whether the device is still there."""
        self._woken.set()

    def wake(self) -> None:
        """Something was plugged in: if this device is not there, it is tried again now."""
        if not self.presence.connected:
            self.presence.plugged()
            self._woken.set()

    def blame(self, problem: str) -> None:
        """The driver has a fault; logged when it is the first for a while, or another one."""
        now_s = time.monotonic()
        if problem != self.fault or now_s - self._fault_s >= DEVICE_FAULT_KEPT_S:
            self._fault_ms = wall_clock_ms()
            log.error(
                "device_faulty",
                kind=self.spec.kind,
                device=self.spec.name,
                driver=self.spec.driver,
                problem=problem,
            )
        self.faults += 1
        self.fault, self._fault_s = problem, now_s

    async def call(self, what: str, within_s: float, work: Callable[[D], Awaitable[T]]) -> T:
        """Ask the driver. Raises its own BodegaError, and Unavailable when it is not open or has a fault."""
        if self.device is None:
            raise Unavailable(
                f"{self.spec.kind} {self.spec.name} is not open{f': {self.fault}' if self.fault else ''}",
                hint=_HINTS["faulty"] if self.fault else "ask again in a moment",
            )
        try:
            return await contained(what, within_s, work(self.device))
        except DriverFault as fault:
            self.blame(str(fault))
            self._broken.set()
            raise Unavailable(f"{self.spec.kind} {self.spec.name}: {fault}", hint=_HINTS["faulty"]) from fault

    def answered(self) -> None:
        """The device did what it was asked; for a driver that keeps no presence."""
        if not self.keeps_its_presence:
            self._own_presence.answered()

    def missed(self, problem: str) -> None:
        """It did not; for a driver that keeps no presence."""
        if not self.keeps_its_presence:
            self._own_presence.missed(problem, silent=True)

    def row(self) -> Json:
        """What `bodega devices show` shows; times in milliseconds since 1970 UTC."""
        state, device = self.state, self.device
        abilities = self.look_at("its abilities", lambda: device.abilities) if device is not None else None
        problem = self.fault if state == "faulty" else self.presence.problem
        if state == "lost" and not problem:
            problem = "not connected"
        return {
            "name": self.spec.name,
            "kind": self.spec.kind,
            "driver": self.spec.driver,
            "state": state,
            "detail": problem,
            "since_ms": self._fault_ms if state == "faulty" else self.presence.changed_ms,
            "address": self.presence.place or _address(self.spec.options),
            "abilities": asdict(abilities) if abilities is not None else {},
            "misses": self.presence.misses,
            "faults": self.faults,
            "hint": _HINTS[state] or self.advice,
            "last": self.last,
        }

    async def _open(self) -> D:
        spec = self.spec

        def opened() -> Any:
            return self._opener(spec.kind, spec.driver, spec.name, spec.options, recorder=self.recorder)

        try:
            # In a thread: a foreign constructor may wait for its device.
            device: D = await contained("opening it", DEVICE_OPEN_S, asyncio.to_thread(opened))
        except BodegaError as error:
            raise DriverFault(error.message) from error
        return device

    async def _close(self) -> None:
        device, self.device = self.device, None
        if device is None:
            return
        closing = getattr(device, "close", None)
        try:
            done = closing() if closing is not None else None
            if asyncio.iscoroutine(done):
                await contained("closing it", DEVICE_CLOSE_S, done)
        except (DriverFault, BodegaError) as error:
            self.blame(str(error))
        except Exception as error:  # noqa: BLE001  a foreign driver may raise anything, and must not take others with it
            self.blame(f"closing it: {_said(error)}")

    def look_at(self, what: str, read: Callable[[], T]) -> T | None:
        """Something of the driver's that is read and not awaited; None if that is its fault."""
        try:
            return read()
        except Exception as error:  # noqa: BLE001  as above; a status page never fails because of one driver
            self.blame(f"{what}: {_said(error)}")
            return None

    def _warn_of_unstable_names(self) -> None:
        for option, value in self.spec.options.items():
            better = stable_name(value) if isinstance(value, str) and value.startswith("/dev/") else ""
            if better:
                self.advice = f"use {better}: {value} may be another device after a replug"
                log.warning(
                    "unstable_device_name", device=self.spec.name, option=option, path=value, use=better
                )


async def contained(what: str, within_s: float | None, work: Awaitable[T]) -> T:
    """Await foreign work; raises DriverFault for all that is neither a result, a BodegaError, nor our own cancel."""
    try:
        async with asyncio.timeout(within_s):
            return await work
    except BodegaError:
        raise
    except TimeoutError as error:
        raise DriverFault(
            f"{what} took more than {within_s:g} s" if within_s else f"{what}: {_said(error)}"
        ) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise DriverFault(f"{what} was cancelled by the driver itself") from error
    except (Exception, SystemExit) as error:
        raise DriverFault(f"{what}: {_said(error)}") from error


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _connected(device: object) -> bool:
    return bool(getattr(device, "connected", False))


def _address(options: Mapping[str, object]) -> str:
    """Where a device is, from the options that usually say so; never one that may hold a password."""
    for name in ("port", "path", "device", "host"):
        if isinstance(options.get(name), str):
            return str(options[name])
    return ""
