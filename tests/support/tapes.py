"""A tape becomes a test: played through its driver, without the device; and made anew by the simulated devices.

The tapes in tests/data/tapes were made by `python -m support.tapes` (in tests/) from the simulated devices, not from
hardware. One of a real device is recorded with `bodega devices record NAME --out FILE` and dropped beside them.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from bodega.errors import Unavailable
from bodega_adapters.ports import LabelPrinter, Scale, Scan, Scanner
from bodega_adapters.registry import kind_of, open_printer, open_scale, open_scanner
from bodega_adapters.replay import replay
from bodega_adapters.simulated.pty_scale import SimulatedScale
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter
from bodega_adapters.wires.tape import Note, Recorder, Way, from_text, to_text

TAPES = Path(__file__).parent.parent / "data" / "tapes"


async def replayed(name: str, driver: str, **options: object) -> list[dict[str, Any]]:
    """What the driver makes of the tape of this name."""
    notes = from_text((TAPES / name).read_text())
    return await replay(kind_of(driver), driver, options, notes)


def recording() -> tuple[Recorder, list[Note]]:
    """A recorder that writes all that it hears into a list."""
    recorder, notes = Recorder(), []
    last_s = time.monotonic()

    def heard(way: Way, data: bytes) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        notes.append(Note(round((now_s - last_s) * 1000), way, data))
        last_s = now_s

    recorder.listener = heard
    return recorder, notes


async def _scans(folder: Path) -> list[Note]:
    """Two scans in one read, one that comes in pieces, garbage, an unplug in mid-scan, and one after the replug."""
    device, (recorder, notes) = SimulatedScanner(folder / "scanner"), recording()
    scanner: Scanner = open_scanner("serial", "gun", {"port": device.path}, recorder=recorder)
    stream = scanner.scans()
    first = asyncio.ensure_future(anext(stream))
    await _until(lambda: scanner.connected)
    device.send(b"]C101095011015300031728022910L-1\r\n]C0A-01-02\r\n")
    await first
    await anext(stream)
    device.send(b"\xff" * 600 + b"\r\n")
    for piece in (b"]E0950600", b"0134352", b"\r\n"):
        device.send(piece)
        await asyncio.sleep(0.02)
    await anext(stream)
    device.send(b"HALF")
    last = asyncio.ensure_future(anext(stream))
    await _until(lambda: notes[-1].data == b"HALF")
    device.unplug()
    await _until(lambda: not scanner.connected)
    device.plug()
    await _until(lambda: scanner.connected)
    device.send(b"]C0WHOLE\r\n")
    await last
    await scanner.close()
    await cast("AsyncGenerator[Scan, None]", stream).aclose()
    device.close()
    return notes


async def _weights(folder: Path) -> list[Note]:
    """Moving, stable, an overload, zero, tare, and a scale that says nothing until it is told to begin anew."""
    device, (recorder, notes) = SimulatedScale(folder / "scale"), recording()
    options = {"port": device.path, "stable_s": 2.0, "answer_s": 0.2}
    scale: Scale = open_scale("mt-sics", "scale", options, recorder=recorder)
    device.load(0)
    await scale.zero()
    device.rests_s = 0.1
    device.load(1250.5)
    await scale.weigh(stable=False)
    await scale.weigh()
    device.load(99_999)
    await _refused(scale.weigh)
    device.load(100)
    await scale.tare()
    device.silent = True
    await _refused(lambda: scale.weigh(stable=False))
    device.silent = False
    await scale.weigh()
    await scale.close()
    device.close()
    return notes


async def _prints(_folder: Path) -> list[Note]:
    """A label that comes out, one that meets an open head, and one in whose middle the connection is cut."""
    device, (recorder, notes) = SimulatedZplPrinter(), recording()
    await device.start()
    options = {"host": device.host, "port": device.port, "status_s": 0.5, "done_s": 2.0}
    printer: LabelPrinter = open_printer("zpl-tcp", "printer", options, recorder=recorder)
    await printer.status()
    await printer.print_label(b"^XA^FO40,40^FDone^FS^XZ")
    device.head_open = True
    await printer.print_label(b"^XA^FO40,40^FDtwo^FS^XZ")
    device.head_open = False
    device.drop_connection_after_bytes = 12
    await printer.print_label(b"^XA^FO40,40^FDthree^FS^XZ")
    await printer.close()
    await device.close()
    return notes


async def _refused(ask: Callable[[], Awaitable[object]]) -> None:
    with contextlib.suppress(Unavailable):
        await ask()
        raise AssertionError("that should have been refused")


async def _until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not fact():  # noqa: ASYNC110  devices set no event
            await asyncio.sleep(0.002)


MAKERS = {"scanner.tape": _scans, "scale.tape": _weights, "printer.tape": _prints}


def main() -> int:
    """Make all tapes anew."""
    for name, make in MAKERS.items():
        with tempfile.TemporaryDirectory() as folder:
            (TAPES / name).write_text(to_text(asyncio.run(make(Path(folder)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
