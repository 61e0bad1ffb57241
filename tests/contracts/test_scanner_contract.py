"""What every scanner driver must do, whatever its wire. A new driver adds a rig and passes this file.

The serial driver opens a real pseudo-terminal by its path. Where these tests run there is no uinput and no USB, so the
two HID drivers are opened on a socket pair in place of a path in /dev (`opener`, the one thing that is not theirs).
Over it comes what the kernel's file would give: `struct input_event`s, or a report descriptor and reports behind it.
Finding, grabbing and losing real devices is what tests/hardware shows, with the same drivers in a real kernel.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
from structlog.testing import capture_logs

from bodega.limits import SCAN_BYTES_MAX
from bodega_adapters.ports import Scanner
from bodega_adapters.registry import SCANNERS, open_scanner
from bodega_adapters.scanners.camera import CameraScanner
from bodega_adapters.scanners.evdev import EvdevScanner
from bodega_adapters.scanners.hidraw import HidrawScanner
from bodega_adapters.simulated.folder_camera import SimulatedTray
from bodega_adapters.simulated.hid_pos_scanner import SimulatedHidPos
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_adapters.simulated.wedge import SimulatedWedge
from bodega_agent.vision.messages import CameraSpec
from bodega_agent.vision.rack import CameraRack
from bodega_agent.vision.sightings import Sighting
from bodega_agent.vision.watching import Watch
from support.barcode_sheets import codes_sheet
from support.devices import Listener, eventually, listening


class ScannerRig(Protocol):
    """The hardware side of one driver: real wire, simulated device.

    `send` takes the characters of a serial scanner; the others type them, report them line by line, or show them as
    barcodes. A camera always knows the symbology: `unnamed` is what it sees where the characters name none.
    """

    def open(self) -> Scanner: ...
    def send(self, data: bytes) -> None: ...
    def plug(self) -> None: ...
    def unplug(self) -> None: ...


class SerialRig:
    def __init__(self, folder: Path) -> None:
        self._device = SimulatedScanner(link=folder / "scanner")
        self.send = self._device.send
        self.plug = self._device.plug
        self.unplug = self._device.unplug

    def open(self) -> Scanner:
        return open_scanner("serial", "bench", {"port": self._device.path})


class HidRig:
    """A HID driver on the bytes of a kernel's file; see this file's first words for what that leaves out."""

    def __init__(
        self, driver: type[EvdevScanner | HidrawScanner], device: SimulatedWedge | SimulatedHidPos
    ) -> None:
        self._driver = driver
        self._device = device
        self.send = device.send
        self.plug = device.plug
        self.unplug = device.unplug

    def open(self) -> Scanner:
        return self._driver("bench", "/dev/simulated", opener=self._device.open)


class CameraRig:
    """What the vision process does, in this one: a folder camera over drawn barcodes, looked at and decoded."""

    unnamed = "]Q1"

    def __init__(self, folder: Path) -> None:
        self._folder, self._away = folder / "tray", folder / "away"
        self._tray = SimulatedTray(self._folder)
        self._tray.show(codes_sheet())
        self._half = b""
        self._watching: asyncio.Task[None] | None = None

    def open(self) -> Scanner:
        scanner = CameraScanner("bench", "cam")

        def tell(sighting: Sighting) -> None:
            if sighting.problem:
                scanner.lost(sighting.problem)
            else:
                scanner.looked(sighting.codes)

        rack = CameraRack({"cam": CameraSpec("folder", {"path": str(self._folder)})}, ("cam",))
        quiet = asyncio.Event()
        quiet.set()
        self._watching = asyncio.create_task(Watch(rack, quiet, tell).run(["cam"]))
        return scanner

    def send(self, data: bytes) -> None:
        *frames, self._half = re.split(rb"[\r\n]", self._half + data)
        if any(frames):
            self._tray.show(codes_sheet(*filter(None, frames)))

    def plug(self) -> None:
        if self._away.exists():
            self._away.rename(self._folder)

    def unplug(self) -> None:
        self._half = b""
        if self._folder.exists():
            self._folder.rename(self._away)


RIGS: dict[str, Callable[[Path], ScannerRig]] = {
    "serial": SerialRig,
    "camera": CameraRig,
    "evdev": lambda _folder: HidRig(EvdevScanner, SimulatedWedge()),
    "hidraw": lambda _folder: HidRig(HidrawScanner, SimulatedHidPos()),
}


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ScannerRig]:
    rig = RIGS[request.param](tmp_path)
    yield rig
    rig.unplug()


@asynccontextmanager
async def opened(rig: ScannerRig) -> AsyncIterator[Listener]:
    """A listener on a driver that has its device open: what a serial device sends before that is lost."""
    scanner = rig.open()
    async with listening(scanner) as listener:
        await eventually(lambda: scanner.connected)
        yield listener


async def replug(rig: ScannerRig, scanner: Scanner) -> None:
    rig.unplug()
    await eventually(lambda: not scanner.connected)
    rig.plug()
    await eventually(lambda: scanner.connected)


def test_every_shipped_driver_is_under_contract():
    assert set(RIGS) == set(SCANNERS)


async def test_a_scan_arrives_with_its_symbology_split_off_and_gs_kept(rig):
    async with opened(rig) as listener:
        rig.send(b"]C110L1\x1d0109501101530003\r\n")
        scan = (await listener.wait_for(1))[-1]
    assert scan.raw == b"]C110L1\x1d0109501101530003"
    assert (scan.symbology, scan.text, scan.device) == ("]C1", "10L1\x1d0109501101530003", "bench")
    assert scan.at_ms > 0


async def test_scans_without_symbology_and_with_any_line_end_are_whole(rig):
    async with opened(rig) as listener:
        rig.send(b"A-01\rA-02\nA-03\r\n\r\nA-04\r")
        scans = await listener.wait_for(4)
    assert [scan.text for scan in scans] == ["A-01", "A-02", "A-03", "A-04"]
    assert {scan.symbology for scan in scans} == {getattr(rig, "unnamed", None)}


async def test_the_device_counter_counts_from_one_without_gaps_also_across_a_replug(rig):
    async with opened(rig) as listener:
        rig.send(b"A\rB\r")
        await listener.wait_for(2)
        await replug(rig, listener.scanner)
        rig.send(b"C\r")
        scans = await listener.wait_for(3)
    assert [scan.device_counter for scan in scans] == [1, 2, 3]


async def test_a_scan_cut_at_every_byte_is_the_same_scan(rig):
    async with opened(rig) as listener:
        for byte in b"]C0A-01-02\r\n":
            rig.send(bytes([byte]))
        scans = await listener.wait_for(1)
    assert [scan.text for scan in scans] == ["A-01-02"]


async def test_garbage_does_not_cost_the_next_scan(rig):
    async with opened(rig) as listener:
        rig.send(b"\xff" * (SCAN_BYTES_MAX + 1) + b"\r")
        rig.send(b"]C0A-01-02\r")
        scans = await listener.wait_for(1)
    assert [scan.text for scan in scans] == ["A-01-02"]


async def test_bytes_that_are_not_utf8_are_still_a_scan(rig):
    async with opened(rig) as listener:
        rig.send(b"caf\xe9\r")
        scans = await listener.wait_for(1)
    aim = getattr(rig, "unnamed", "").encode()
    assert (scans[0].raw, scans[0].text) == (aim + b"caf\xe9", "café")


async def test_unplug_and_replug_warn_once_each_and_scans_go_on(rig):
    with capture_logs() as logs:
        async with opened(rig) as listener:
            await replug(rig, listener.scanner)
            rig.send(b"after\r")
            scans = await listener.wait_for(1)
    assert [scan.text for scan in scans] == ["after"]
    assert [entry["event"] for entry in logs] == ["device_lost", "device_back"]
    assert [entry["log_level"] for entry in logs] == ["warning", "info"]


async def test_half_a_scan_before_an_unplug_never_joins_one_after_it(rig):
    async with opened(rig) as listener:
        rig.send(b"HALF")
        await replug(rig, listener.scanner)
        rig.send(b"WHOLE\r")
        scans = await listener.wait_for(1)
    assert [scan.text for scan in scans] == ["WHOLE"]


async def test_a_device_missing_at_start_is_waited_for(rig):
    rig.unplug()
    with capture_logs() as logs:
        scanner = rig.open()
        async with listening(scanner) as listener:
            await eventually(lambda: "device_lost" in [entry["event"] for entry in logs])
            rig.plug()
            await eventually(lambda: scanner.connected)
            rig.send(b"late\r")
            scans = await listener.wait_for(1)
    assert [scan.text for scan in scans] == ["late"]
    assert [entry["event"] for entry in logs] == ["device_lost", "device_back"]


async def test_close_ends_the_stream_and_may_come_twice(rig):
    async with opened(rig) as listener:
        scanner = listener.scanner
        await scanner.close()
        await eventually(lambda: listener.ended)
        await scanner.close()
        assert not scanner.connected
