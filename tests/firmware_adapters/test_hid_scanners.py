"""What is special about scanners in HID files: why one can not be opened is said in words that help."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from structlog.testing import capture_logs

from bodega.errors import InvalidInput
from bodega.limits import SCAN_GAP_MS_MAX
from bodega_adapters.registry import open_scanner
from bodega_adapters.scanners.evdev import EvdevScanner, open_grabbed
from bodega_adapters.scanners.hidraw import HidrawScanner, open_hidraw
from bodega_adapters.simulated.hid_pos_scanner import SimulatedHidPos
from bodega_adapters.simulated.plugged import PluggedDevice
from bodega_adapters.simulated.wedge import SimulatedWedge
from bodega_adapters.wires.tape import Note, PlayedWire, Recorder, Way
from support.devices import eventually, listening

Device = TypeVar("Device", bound=PluggedDevice)


@contextmanager
def closing_device(device: Device) -> Iterator[Device]:
    yield device
    device.close()


async def test_a_keyboard_that_another_program_holds_is_lost_with_a_reason_and_back_when_it_is_free():
    with capture_logs() as logs, closing_device(SimulatedWedge()) as device:
        holder = EvdevScanner("holder", "/dev/input/x", opener=device.open)
        scanner = EvdevScanner("bench", "/dev/input/x", opener=device.open)
        async with listening(holder) as held:
            await eventually(lambda: holder.connected)
            async with listening(scanner) as listener:
                await eventually(lambda: scanner.presence.lost)
                device.scan("A-01-01", symbology="]C0")
                await held.wait_for(1)
                await holder.close()
                await eventually(lambda: scanner.connected)
                device.scan("A-01-02", symbology="]C0")
                scans = await listener.wait_for(1)
    assert [scan.text for scan in scans] == ["A-01-02"]
    (lost,) = (entry for entry in logs if entry["event"] == "device_lost")
    assert "held by another program" in lost["problem"]
    assert "stop that program" in lost["problem"]


async def test_a_path_that_is_no_input_device_says_so():
    with pytest.raises(OSError, match=r"is no keyboard: /dev/null; .*by-id"):
        await open_grabbed("/dev/null")
    with pytest.raises(FileNotFoundError):
        await open_grabbed("/dev/input/by-id/usb-nothing-event-kbd")


async def test_a_path_that_is_no_hidraw_file_says_so(tmp_path: Path):
    file = tmp_path / "hidraw0"
    file.touch()
    with pytest.raises(OSError, match=r"is no hidraw file: .*hidraw0"):
        await open_hidraw(str(file))
    with file.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="is read by another agent or driver"):
            await open_hidraw(str(file))


@pytest.mark.parametrize(
    "options", [{"layout": "dvorak"}, {"gap_ms": 0}, {"gap_ms": SCAN_GAP_MS_MAX + 1}, {"path": 7}]
)
def test_wrong_options_of_a_wedge_are_refused(options):
    with pytest.raises(InvalidInput, match="bench"):
        open_scanner("evdev", "bench", {"path": "/dev/input/event0", **options})


async def test_a_wedge_set_up_for_another_country_is_read_by_its_layout():
    with closing_device(SimulatedWedge("fr", gs="f8")) as device:
        scanner = EvdevScanner("bench", "/dev/input/x", layout="fr", opener=device.open)
        async with listening(scanner) as listener:
            await eventually(lambda: scanner.connected)
            device.scan("0109501101530003\x1d10AQ-1")
            scans = await listener.wait_for(1)
    assert (scans[0].symbology, scans[0].text) == ("]C1", "0109501101530003\x1d10AQ-1")


@pytest.mark.parametrize("plain", [False, True])
async def test_a_long_code_of_a_hid_pos_scanner_is_one_scan(plain):
    with closing_device(SimulatedHidPos(plain=plain)) as device:
        scanner = HidrawScanner("bench", "/dev/hidraw0", opener=device.open)
        async with listening(scanner) as listener:
            await eventually(lambda: scanner.connected)
            device.scan("7" * 200, symbology="]Q1")
            scans = await listener.wait_for(1)
    assert (scans[0].symbology, scans[0].text) == ("]Q1", "7" * 200)


async def test_a_device_that_is_no_bar_code_scanner_is_lost_with_a_reason():
    mouse = b"\x05\x01\x09\x02\xa1\x01\xc0"
    with closing_device(PluggedDevice(socket.SOCK_SEQPACKET, mouse)) as device:
        scanner = HidrawScanner("bench", "/dev/hidraw0", opener=device.open)
        async with listening(scanner):
            await eventually(lambda: scanner.presence.lost)
    assert "declares no decoded bar code data" in scanner.presence.problem


async def test_a_recording_of_a_hid_pos_scanner_explains_itself_when_it_is_played_back():
    tape, recorder = list[Note](), Recorder()

    def keep(way: Way, data: bytes) -> None:
        tape.append(Note(0, way, data))

    recorder.listener = keep
    with closing_device(SimulatedHidPos()) as device:
        scanner = HidrawScanner("bench", "/dev/hidraw0", opener=device.open, recorder=recorder)
        async with listening(scanner) as listener:
            await eventually(lambda: scanner.connected)
            device.scan("A-01-02", symbology="]C0")
            recorded = await listener.wait_for(1)

    async def play() -> PlayedWire:
        return PlayedWire(tape)

    async with listening(HidrawScanner("bench", "/dev/hidraw0", opener=play)) as listener:
        played = await listener.wait_for(1)
    assert [scan.raw for scan in played] == [scan.raw for scan in recorded] == [b"]C0A-01-02"]
