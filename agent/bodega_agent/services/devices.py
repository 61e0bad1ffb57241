"""The node's devices, each in a cell of its own: what they are, how they are, and what they have to say.

Scans go to the floor; the print service and whoever needs a weight get a guarded printer or scale, which keeps its
port's promises whatever the driver does. The states of all devices come from here: `bodega devices`, `bodega status`,
the heartbeat and the floor ask nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bodega.errors import BodegaError, NotFound
from bodega.host.log import get_logger
from bodega.limits import SCALE_LOOK_S, SCAN_BYTES_MAX, SCANS_PER_S_MAX, SCANS_WATCHED_MAX, VERDICT_S
from bodega_adapters.backoff import backoff_delays
from bodega_adapters.hotplug import Hotplug
from bodega_adapters.ports import LabelPrinter, Scale, Scan, Scanner
from bodega_agent.services.cell import Cell, DeviceSpec, DriverFault, Json, contained
from bodega_agent.services.floor import FloorService
from bodega_agent.services.guards import GuardedPrinter, GuardedScale

log = get_logger(__name__)

Opener = Callable[..., Any]
_NOT_READY_HINT = "put it right at the printer; it goes on by itself"


class DeviceService:
    """One per node. `cameras` gives the rows of the cameras, which live in the vision process."""

    def __init__(
        self,
        specs: Sequence[DeviceSpec],
        *,
        cameras: Callable[[], list[Json]] = list,
        opener: Opener | None = None,
        hotplug: Callable[..., Hotplug] = Hotplug,
    ) -> None:
        extra = {"opener": opener} if opener is not None else {}
        self._scanners: dict[str, Cell[Scanner]] = {}
        self._printers: dict[str, Cell[LabelPrinter]] = {}
        self._scales: dict[str, Cell[Scale]] = {}
        for spec in specs:
            match spec.kind:
                case "scanner":
                    self._scanners[spec.name] = Cell(spec, self._feed, **extra)
                case "printer":
                    self._printers[spec.name] = Cell(spec, _keep_printer, **extra)
                case "scale":
                    self._scales[spec.name] = Cell(spec, _keep_scale, **extra)
        self._cameras = cameras
        # By name: why a printer that answers does not print; its service knows.
        self.trouble: Callable[[], Mapping[str, str]] = dict
        # Called with every scanner that was opened: one behind a camera is fed by the vision process.
        self.on_scanner: Callable[[Scanner], None] = lambda _scanner: None
        self._floor: FloorService | None = None
        self._watchers: dict[str, set[asyncio.Queue[Scan]]] = {}
        self.hotplug = hotplug(self.wake, places=self._places)

    @property
    def cells(self) -> dict[str, Cell[Any]]:
        """Every device of this process, by name."""
        return {**self._scanners, **self._printers, **self._scales}

    def present(self) -> set[str]:
        """Names of the scanners that are connected now."""
        return {name for name, cell in self._scanners.items() if getattr(cell.device, "connected", False)}

    def printer(self, name: str) -> GuardedPrinter:
        """The printer of this name, whatever state it is in."""
        return GuardedPrinter(self._printers[name])

    def scale(self, name: str) -> GuardedScale:
        """The scale of this name, whatever state it is in."""
        return GuardedScale(self._scales[name])

    def rows(self) -> list[Json]:
        """All devices, as `bodega devices ls` shows them."""
        trouble = self.trouble()
        rows = [*(cell.row() for cell in self.cells.values()), *self._cameras()]
        return [
            {**row, "state": "not_ready", "detail": trouble[row["name"]], "hint": _NOT_READY_HINT}
            if row["state"] == "ok" and row["name"] in trouble
            else row
            for row in rows
        ]

    def row(self, name: str) -> Json:
        """One device; raises NotFound."""
        for row in self.rows():
            if row["name"] == name:
                return row
        known = ", ".join(row["name"] for row in self.rows()) or "none"
        raise NotFound(f"there is no device '{name}'", hint=f"configured are: {known}")

    def wake(self) -> None:
        """Something was plugged in: whoever is not there is tried again now."""
        for cell in self.cells.values():
            cell.wake()

    async def run(self, floor: FloorService) -> None:
        """Until cancelled. Raises only what is the floor's fault, never a driver's."""
        self._floor = floor
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.hotplug.run(), name="hotplug")
            for name, cell in self.cells.items():
                tasks.create_task(cell.run(), name=f"device-{name}")

    @contextmanager
    def watching(self, name: str) -> Iterator[asyncio.Queue[Scan]]:
        """A queue of the scans of a scanner from now on, beside the floor; the oldest are lost when nobody reads."""
        if name not in self._scanners:
            row = self.row(name)
            raise NotFound(f"{name} is a {row['kind']} and no scanner", hint="bodega devices ls")
        queue: asyncio.Queue[Scan] = asyncio.Queue(SCANS_WATCHED_MAX)
        watchers = self._watchers.setdefault(name, set())
        watchers.add(queue)
        try:
            yield queue
        finally:
            watchers.discard(queue)

    async def _feed(self, cell: Cell[Scanner], scanner: Scanner) -> None:
        """Every scan of one scanner to the floor, in the order in which it sent them."""
        floor = self._floor
        assert floor is not None, "cells live only in run"
        self.on_scanner(scanner)
        await floor.greet(cell.spec.name)
        pace = _Pace(cell)
        stream = _stream(scanner)
        try:
            while True:
                scan = await _next_scan(cell, stream)
                cell.last = {"at_ms": scan.at_ms, "text": scan.text, "symbology": scan.symbology}
                for queue in self._watchers.get(cell.spec.name, ()):
                    if queue.full():
                        queue.get_nowait()
                    queue.put_nowait(scan)
                await floor.handle(scan)
                await pace.keep()
        finally:
            await _end(stream)

    def _places(self) -> list[str]:
        return [place for cell in self.cells.values() if (place := cell.presence.place).startswith("/")]


class _Pace:
    """No more than SCANS_PER_S_MAX: a device that floods waits, and does not keep the others from the ledger."""

    def __init__(self, cell: Cell[Scanner]) -> None:
        self._cell = cell
        self._began_s = 0.0
        self._scans = 0

    async def keep(self) -> None:
        """One scan was taken."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._began_s >= 1:
            self._began_s, self._scans = now_s, 0
        self._scans += 1
        if self._scans >= SCANS_PER_S_MAX:
            self._cell.blame(f"it sends more than {SCANS_PER_S_MAX} scans a second, and is slowed down")
            await asyncio.sleep(1 - (now_s - self._began_s))


async def _next_scan(cell: Cell[Scanner], stream: AsyncIterator[Scan]) -> Scan:
    try:
        scan = await contained("its scans", None, anext(stream))
    except BodegaError as error:
        raise DriverFault(f"its scans raised {error.code}: {error.message}") from error
    if not isinstance(scan, Scan) or len(scan.raw) > SCAN_BYTES_MAX or len(scan.text) > SCAN_BYTES_MAX:
        raise DriverFault(f"it gave something that is no scan: {str(scan)[:100]}")
    return scan if scan.device == cell.spec.name else replace(scan, device=cell.spec.name)


def _stream(scanner: Scanner) -> AsyncIterator[Scan]:
    try:
        return aiter(scanner.scans())
    except Exception as error:
        raise DriverFault(f"its scans: {type(error).__name__}: {error}") from error


async def _end(stream: AsyncIterator[Scan]) -> None:
    ending = getattr(stream, "aclose", None)
    if ending is not None:
        try:
            await contained("ending its scans", VERDICT_S, ending())
        except (DriverFault, BodegaError) as error:
            log.warning("device_did_not_end", reason=str(error))


async def _keep_printer(cell: Cell[LabelPrinter], _printer: LabelPrinter) -> None:
    """Look until it answers once, then leave it alone: being asked slows some printers. Look again when it is lost."""
    await _look(cell, GuardedPrinter(cell, looks=True).status, every_s=None)


async def _keep_scale(cell: Cell[Scale], _scale: Scale) -> None:
    """Look now and then: a scale that nobody asks would never be missed."""
    scale = GuardedScale(cell, looks=True)
    await _look(cell, lambda: scale.weigh(stable=False), every_s=SCALE_LOOK_S)


async def _look(cell: Cell[Any], ask: Callable[[], Awaitable[object]], *, every_s: float | None) -> None:
    delays = backoff_delays()
    while True:
        try:
            await ask()
        except BodegaError as error:
            log.debug("device_looked_at", device=cell.spec.name, problem=error.message)
        if cell.presence.connected and not cell.presence.misses:
            delays = backoff_delays()
            await cell.pause(every_s)
        else:
            await cell.pause(next(delays))


def camera_row(spec: DeviceSpec, state: str, problem: str = "") -> Json:
    """The row of a camera, whose driver is in another process."""
    return {
        "name": spec.name,
        "kind": spec.kind,
        "driver": spec.driver,
        "state": state,
        "detail": problem,
        "since_ms": 0,
        "address": "",
        "abilities": {},
        "misses": 0,
        "faults": 0,
        "hint": "",
        "last": None,
    }
