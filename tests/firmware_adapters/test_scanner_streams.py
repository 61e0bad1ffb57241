"""Whole drivers on real pseudo-terminals: cut anywhere, between garbage, four at once; no scan lost, none made up."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega.limits import SCAN_BYTES_MAX
from bodega_adapters.scanners.serial import SerialScanner
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_adapters.wires.tape import Recorder, Way
from support.devices import Listener, eventually, listening
from support.long_run import by_length

# No terminators in a frame, nor what the prefix and the suffix below are made of.
FRAME = st.binary(min_size=1, max_size=60).filter({2, 3, 10, 13}.isdisjoint)
GARBAGE = st.binary(max_size=3 * SCAN_BYTES_MAX).map(lambda noise: noise + b"\r")
DEVICES = 4


@pytest.fixture
def device() -> Iterator[SimulatedScanner]:
    device = SimulatedScanner()
    yield device
    device.close()


class Ear:
    """Counts what a driver has read: the kernel carries a terminal's bytes when it likes."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.recorder.listener = self._note
        self._bytes = 0

    def _note(self, _way: Way, data: bytes) -> None:
        self._bytes += len(data)

    async def has_read(self, count: int) -> None:
        await eventually(lambda: self._bytes >= count)


@asynccontextmanager
async def heard(device: SimulatedScanner, ear: Ear | None = None, **options: str) -> AsyncIterator[Listener]:
    scanner = SerialScanner("bench", device.path, recorder=ear and ear.recorder, **options)
    async with listening(scanner) as listener:
        await eventually(lambda: scanner.connected)
        yield listener


async def test_a_frame_cut_at_every_place_is_one_scan_each_time(device):
    frame, ear = b"]C10109501101530003\x1d10L-1\r\n", Ear()
    async with heard(device, ear) as listener:
        for number, cut in enumerate(range(1, len(frame))):
            device.send(frame[:cut])
            await ear.has_read(number * len(frame) + cut)
            device.send(frame[cut:])
            await ear.has_read((number + 1) * len(frame))
        scans = await listener.wait_for(len(frame) - 1)
    assert [scan.raw for scan in scans] == [frame.strip()] * (len(frame) - 1)


@given(
    frames=st.lists(FRAME, min_size=1, max_size=8),
    sizes=st.lists(st.integers(1, 100), min_size=1, max_size=20),
)
@settings(max_examples=by_length(25, 1000))
def test_frames_however_merged_and_cut_are_the_scans_in_order(frames, sizes):
    async def story() -> list[bytes]:
        device = SimulatedScanner()
        stream = b"".join(frame + b"\r" for frame in frames)
        async with heard(device) as listener:
            at = 0
            for number in range(len(stream)):
                size = sizes[number % len(sizes)]
                if at < len(stream):
                    device.send(stream[at : at + size])
                    await asyncio.sleep(0)
                at += size
            await listener.wait_for(len(frames))
            device.send(b"the end\r")
            scans = await listener.wait_for(len(frames) + 1)
        device.close()
        return [scan.raw for scan in scans]

    assert asyncio.run(story()) == [*frames, b"the end"]


@given(pieces=st.lists(st.tuples(GARBAGE, FRAME), min_size=1, max_size=4))
@settings(max_examples=by_length(25, 1000))
def test_after_any_garbage_that_ends_every_scan_is_whole(pieces):
    async def story() -> list[bytes]:
        device = SimulatedScanner()
        async with heard(device, prefix="\x02<", suffix=">\x03") as listener:
            for number, (garbage, frame) in enumerate(pieces):
                device.send(garbage + b"\x02<" + frame + b">\x03\r")
                device.send(b"mark %d\r" % number)
                await eventually(
                    lambda number=number: (
                        listener.scans[-1:] and listener.scans[-1].raw == b"mark %d" % number
                    )
                )
        device.close()
        return [scan.raw for scan in listener.scans]

    scans = asyncio.run(story())
    assert [scans[scans.index(b"mark %d" % number) - 1] for number in range(len(pieces))] == [
        frame for _garbage, frame in pieces
    ]


async def test_endless_garbage_takes_no_memory_and_the_scan_behind_it_is_whole(device):
    noise, rounds, ear = b"\xf8\x00" * 1000, 200, Ear()
    async with heard(device, ear) as listener:
        tracemalloc.start()
        for number in range(rounds):
            device.send(noise)
            await ear.has_read((number + 1) * len(noise))
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        device.send(b"\rA-01\r")
        scans = await listener.wait_for(1)
    assert [scan.raw for scan in scans] == [b"A-01"]
    assert peak < rounds * len(noise) / 2


async def test_four_at_once_each_keep_their_order_and_a_dead_one_holds_up_none(tmp_path: Path):
    devices = [SimulatedScanner(tmp_path / f"tty{number}") for number in range(DEVICES)]
    scanners = [SerialScanner(f"s{number}", device.path) for number, device in enumerate(devices)]
    missing = SerialScanner("dead", str(tmp_path / "nothing"))
    async with AsyncExitStack() as stack:
        dead = await stack.enter_async_context(listening(missing))
        heard_by = [await stack.enter_async_context(listening(scanner)) for scanner in scanners]
        await eventually(lambda: all(scanner.connected for scanner in scanners))
        devices[0].unplug()
        for number in range(50):
            for device in devices[1:]:
                device.scan(f"A-{number:02d}", symbology="]C0")
            await asyncio.sleep(0)
        for listener in heard_by[1:]:
            await listener.wait_for(50)
        devices[0].plug()
        scanners[0].presence.plugged()
        await eventually(lambda: scanners[0].connected)
        devices[0].scan("back", symbology="]C0")
        await heard_by[0].wait_for(1)
        assert dead.scans == []
        assert not missing.connected
    for device in devices:
        device.close()
    assert [[scan.text for scan in listener.scans] for listener in heard_by[1:]] == [
        [f"A-{number:02d}" for number in range(50)]
    ] * (DEVICES - 1)
    assert [scan.device for scan in heard_by[0].scans] == ["s0"]
