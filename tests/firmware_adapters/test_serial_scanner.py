"""What is special about serial lines: silence as terminator, one reader a port, no work when idle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from bodega.errors import InvalidInput, Unavailable
from bodega.limits import SCAN_BYTES_MAX, SCAN_GAP_MS_MAX
from bodega_adapters.backoff import backoff_delays
from bodega_adapters.scanners.serial import SerialScanner
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from support.devices import eventually, listening


@pytest.fixture
def device() -> Iterator[SimulatedScanner]:
    device = SimulatedScanner()
    yield device
    device.close()


async def test_without_terminators_silence_ends_a_scan(device):
    scanner = SerialScanner("bench", device.path, terminators="", gap_ms=20)
    async with listening(scanner) as listener:
        await eventually(lambda: scanner.connected)
        device.scan("A-01-02", symbology="]C0", terminator="")
        await listener.wait_for(1)
        device.scan("A-01-03", symbology="]C0", terminator="")
        scans = await listener.wait_for(2)
    assert [scan.text for scan in scans] == ["A-01-02", "A-01-03"]


async def test_prefix_and_suffix_are_taken_off(device):
    scanner = SerialScanner("bench", device.path, prefix="\x02", suffix="\x03")
    async with listening(scanner) as listener:
        await eventually(lambda: scanner.connected)
        device.send(b"\x02A-01\x03\r\n")
        scans = await listener.wait_for(1)
    assert scans[0].text == "A-01"


async def test_a_second_reader_of_one_port_never_steals_a_scan(device):
    first, second = SerialScanner("first", device.path), SerialScanner("second", device.path)
    with capture_logs() as logs:
        async with listening(first) as heard_first, listening(second) as heard_second:
            await eventually(lambda: "device_lost" in [entry["event"] for entry in logs])
            holder, other = (heard_first, heard_second) if first.connected else (heard_second, heard_first)
            for number in range(20):
                device.scan(f"A-{number:02d}", symbology="]C0")
            scans = await holder.wait_for(20)
    assert [scan.text for scan in scans] == [f"A-{number:02d}" for number in range(20)]
    assert other.scans == []


async def test_dropped_garbage_is_logged(device):
    scanner = SerialScanner("bench", device.path)
    with capture_logs() as logs:
        async with listening(scanner) as listener:
            await eventually(lambda: scanner.connected)
            device.send(b"\xff" * (SCAN_BYTES_MAX + 1) + b"\rA\r")
            await listener.wait_for(1)
    assert [(entry["event"], entry["frames"]) for entry in logs] == [("scanner_garbage_dropped", 1)]


async def test_leaving_the_stream_without_close_releases_the_port(device):
    scanner = SerialScanner("bench", device.path)
    stream = scanner.scans()
    scan = asyncio.ensure_future(anext(stream))
    await eventually(lambda: scanner.connected)
    device.scan("A-01", symbology="]C0")
    assert (await scan).text == "A-01"
    await stream.aclose()
    assert not scanner.connected


async def test_a_cancelled_consumer_releases_the_port(device):
    scanner = SerialScanner("bench", device.path)
    task = asyncio.ensure_future(anext(scanner.scans()))
    await eventually(lambda: scanner.connected)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not scanner.connected


async def test_an_open_port_costs_nothing_while_nobody_scans(device):
    scanner = SerialScanner("bench", device.path)
    async with listening(scanner):
        await eventually(lambda: scanner.connected)
        before = time.process_time()
        await asyncio.sleep(0.3)
        assert time.process_time() - before < 0.1


@pytest.mark.parametrize("options", [{"baud": -9600}, {"gap_ms": 0}, {"gap_ms": SCAN_GAP_MS_MAX + 1}])
def test_wrong_options_are_refused(options):
    with pytest.raises(InvalidInput, match="bench"):
        SerialScanner("bench", "/dev/null", **options)


def test_a_simulated_scanner_says_so_when_it_is_unplugged_or_nobody_reads(device):
    with pytest.raises(Unavailable, match="nobody reads"):
        device.send(b"x" * 1_000_000)
    device.unplug()
    with pytest.raises(Unavailable, match="unplugged"):
        device.scan("A-01")


def test_backoff_grows_to_its_ceiling_and_never_passes_it():
    delays = backoff_delays(base_s=1.0, max_s=4.0)
    for ceiling_s in (1.0, 2.0, 4.0, 4.0, 4.0):
        assert ceiling_s / 2 <= next(delays) <= ceiling_s
