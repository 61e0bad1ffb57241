"""What the control socket answers about devices: `bodega devices` asks here, so that it sees what the agent sees.

Everything that goes on for a while (watching scans, recording a wire) is bounded in time, in number and in bytes, and
ends when the client hangs up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any, TypeVar

from bodega.core.expiry import day_of
from bodega.errors import FieldFault, InvalidInput, Refused
from bodega.limits import TAPE_BYTES_MAX, TAPE_LASTS_S_MAX
from bodega_adapters.framing.gs1 import decode
from bodega_adapters.ports import PrinterAbilities, Scan
from bodega_adapters.wires.tape import Way
from bodega_agent.services.control import Answer, Json, Stream
from bodega_agent.services.devices import DeviceService

T = TypeVar("T")

_SCAN_WAIT_S = 600.0
# Frames between the wire and the client: more than it reads are counted, and the tape says so.
_NOTES_WAITING_MAX = 1_000
# Said while nothing happens: a client that has gone is noticed by it.
_QUIET: Json = {"quiet": True}
_BEAT_S = 1.0


class DeviceControl:
    """The vocabulary of devices; what is answered once, and what is told for a while."""

    def __init__(self, devices: DeviceService) -> None:
        self._devices = devices

    @property
    def answers(self) -> dict[str, Answer]:
        """One answer per request."""
        return {
            "devices": self._list,
            "device.show": self._show,
            "device.test": self._test,
            "device.print": self._print,
        }

    @property
    def streams(self) -> dict[str, Stream]:
        """A line per scan, or per note of a tape."""
        return {"device.scans": self._scans, "device.record": self._record}

    async def _list(self, _request: Json) -> Json:
        return {"hotplug": self._devices.hotplug.source, "devices": self._devices.rows()}

    async def _show(self, request: Json) -> Json:
        return self._devices.row(_name(request))

    async def _test(self, request: Json) -> Json:
        """Printer: its status; scale: a weight. A scanner is tested by `device.scans`, a camera by a snapshot."""
        name = _name(request)
        row = self._devices.row(name)
        if row["kind"] == "printer":
            return {"kind": "printer", **asdict(await self._devices.printer(name).status())}
        if row["kind"] == "scale":
            return {"kind": "scale", **asdict(await self._devices.scale(name).weigh())}
        raise InvalidInput(f"{name} is a {row['kind']}", hint="ask device.scans or camera.snapshot")

    async def _print(self, request: Json) -> Json:
        """A label that is no parcel's: sent once, and the receipt."""
        name = _name(request)
        row = self._devices.row(name)
        if row["kind"] != "printer":
            raise InvalidInput(f"{name} is a {row['kind']} and no printer", hint="bodega devices ls")
        printer = self._devices.printer(name)
        label = await asyncio.to_thread(_trial_label, name, printer.abilities)
        return asdict(await printer.print_label(label))

    async def _scans(self, request: Json) -> AsyncGenerator[Json, None]:
        """The next `count` scans of a scanner, which the floor gets too; ends after `seconds` without one."""
        count, seconds = _number(request, "count", 1, 10_000), _number(request, "seconds", 60, _SCAN_WAIT_S)
        with self._devices.watching(_name(request)) as scans:
            yield {"watching": True}
            for _ in range(int(count)):
                deadline_s = time.monotonic() + seconds
                while (scan := await _next(scans, deadline_s)) is None:
                    if time.monotonic() >= deadline_s:
                        yield {"silent_s": seconds}
                        return
                    yield _QUIET
                yield explained(scan)

    async def _record(self, request: Json) -> AsyncGenerator[Json, None]:
        """What crosses a device's wire for `seconds`, at most TAPE_BYTES_MAX of it; the last line says why it ended."""
        name, seconds = _name(request), _number(request, "seconds", 30, TAPE_LASTS_S_MAX)
        self._devices.row(name)
        cell = self._devices.cells.get(name)
        if cell is None or not cell.records:
            raise InvalidInput(
                f"the wire of {name} can not be recorded",
                hint="bodega devices drivers says which drivers record",
            )
        if cell.recorder.listener is not None:
            raise Refused(f"the wire of {name} is being recorded already", hint="wait until that has ended")
        notes: asyncio.Queue[tuple[float, Way, bytes]] = asyncio.Queue(_NOTES_WAITING_MAX)
        lost = 0

        def heard(way: Way, data: bytes) -> None:
            nonlocal lost
            if notes.full():
                lost += 1
            else:
                notes.put_nowait((time.monotonic(), way, data))

        cell.recorder.listener = heard
        try:
            yield {"recording": True}
            size, last_s = 0, time.monotonic()
            deadline_s = last_s + seconds
            while size < TAPE_BYTES_MAX and not lost:
                note = await _next(notes, deadline_s)
                if note is not None:
                    at_s, way, data = note
                    size += len(data)
                    yield {"after_ms": round((at_s - last_s) * 1000), "way": way, "hex": data.hex()}
                    last_s = at_s
                elif time.monotonic() >= deadline_s:
                    yield {"ended": f"after {seconds:g} s"}
                    return
                else:
                    yield _QUIET
            yield {"ended": "the wire is faster than the reader" if lost else f"after {size} bytes"}
        finally:
            cell.recorder.listener = None


async def _next(queue: asyncio.Queue[T], deadline_s: float) -> T | None:
    """What comes next; None at the deadline, and every _BEAT_S before it."""
    try:
        async with asyncio.timeout(min(_BEAT_S, deadline_s - time.monotonic())):
            return await queue.get()
    except TimeoutError:
        return None


def _trial_label(name: str, abilities: PrinterAbilities) -> bytes:
    """What a printer prints to show that it can."""
    from bodega_adapters.labels import making  # noqa: PLC0415  # fonts and pictures are loaded when they are needed

    return making.render(making.trial_label(name, abilities), abilities)


def explained(scan: Scan) -> Json:
    """A scan and what it means, for people: symbology, GS1 elements, and what the floor would take it for."""
    meaning = decode(scan.text, scan.symbology, year=int(day_of(scan.at_ms)[:4]))
    return {
        "device": scan.device,
        "counter": scan.device_counter,
        "at_ms": scan.at_ms,
        "text": scan.text,
        "hex": scan.raw.hex(),
        "symbology": scan.symbology,
        "elements": [_plain(each) for each in scan.elements],
        "meaning": {"is": type(meaning).__name__, **_plain(meaning)},
    }


def _plain(value: Any) -> Json:
    """A frozen value as JSON, without what it does not say."""
    found = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value._asdict()
    return {
        name: one.isoformat() if isinstance(one, date) else one
        for name, one in found.items()
        if isinstance(one, (str, int, float, bool, date))
    }


def _name(request: Json) -> str:
    name = request.get("name")
    if not isinstance(name, str) or not name:
        raise _fault("name", "must be the name of a device")
    return name


def _number(request: Json, name: str, default: float, most: float) -> float:
    value = request.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise _fault(name, f"must be a number above 0, at most {most:g}")
    return value


def _fault(name: str, problem: str) -> InvalidInput:
    return InvalidInput(f"'{name}' {problem}", faults=(FieldFault(name, problem),))
