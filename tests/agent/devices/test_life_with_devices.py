"""Real drivers on real pseudo-terminals: unplugged, plugged in, recorded, and never in each other's way."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega.errors import InvalidInput, NotFound, Refused
from bodega.limits import SCANS_WATCHED_MAX
from bodega_adapters import presence
from bodega_adapters.simulated.pty_scale import SimulatedScale
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_agent.services.cell import DeviceSpec
from bodega_agent.services.device_control import DeviceControl
from bodega_agent.services.devices import DeviceService
from support.cells import NoHotplug
from support.devices import eventually
from support.odd_drivers import Floor


class Bench:
    """A scanner, a scale and a folder of pictures."""

    def __init__(self, folder: Path) -> None:
        self.scanner = SimulatedScanner(folder / "scanner")
        self.scale = SimulatedScale(folder / "scale")
        self.floor = Floor()
        self.devices = DeviceService(
            [
                DeviceSpec("scanner", "gun", "serial", {"port": self.scanner.path}),
                DeviceSpec("scanner", "dead", "serial", {"port": str(folder / "never-there")}),
                DeviceSpec("scale", "scale", "mt-sics", {"port": self.scale.path}),
            ],
            hotplug=NoHotplug,
        )
        self.control = DeviceControl(self.devices)

    def state(self, name: str) -> str:
        return str(self.devices.row(name)["state"])


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with working(Bench(tmp_path)) as bench:
        yield bench


@asynccontextmanager
async def working(bench: Bench) -> AsyncIterator[Bench]:
    task = asyncio.create_task(bench.devices.run(bench.floor))
    try:
        await eventually(lambda: bench.state("gun") == "ok" and bench.state("scale") == "ok")
        yield bench
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        bench.scanner.close()
        bench.scale.close()


async def test_a_plug_in_wakes_the_driver_that_rests_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(presence, "backoff_delays", lambda: iter([math.inf] * 9))
    with capture_logs() as logs:
        async with working(Bench(tmp_path)) as bench:
            bench.scanner.unplug()
            await eventually(lambda: bench.state("gun") == "lost")
            assert bench.devices.present() == set()
            bench.scanner.plug()
            bench.devices.wake()
            await eventually(lambda: bench.state("gun") == "ok")
            bench.scanner.scan("A-01", symbology="]C0")
            await eventually(lambda: bench.floor.texts("gun") == ["A-01"])
            row = bench.devices.row("gun")
            assert (row["last"]["text"], row["misses"], row["detail"]) == ("A-01", 0, "")
    told = [line["event"] for line in logs if line.get("device") == "gun"]
    assert told == ["device_lost", "device_back"]


async def test_a_device_that_is_not_there_is_lost_after_three_misses_and_says_what_to_do(bench):
    await eventually(lambda: bench.state("dead") == "lost")
    row = bench.devices.row("dead")
    assert row["misses"] >= 3
    assert "No such file" in row["detail"]
    assert "bodega devices scan" in row["hint"]
    assert row["address"].endswith("never-there")
    bench.scanner.scan("A-02", symbology="]C0")
    await eventually(lambda: bench.floor.texts("gun") == ["A-02"])


async def test_a_scale_is_missed_without_being_asked_and_answers_again(bench, monkeypatch):
    monkeypatch.setattr("bodega_agent.services.devices.SCALE_LOOK_S", 0.01)
    bench.scale.unplug()
    bench.devices.cells["scale"].look_again()
    await eventually(lambda: bench.state("scale") == "lost")
    bench.scale.plug()
    bench.scale.load(42)
    await eventually(lambda: bench.state("scale") == "ok")
    assert (await bench.control.answers["device.test"]({"name": "scale"}))["milligrams"] == 42_000


async def test_scans_are_shown_with_their_meaning_and_the_floor_gets_them_too(bench):
    stream = bench.control.streams["device.scans"]({"name": "gun", "count": 2})
    assert await anext(stream) == {"watching": True}
    bench.scanner.scan("0109501101530003")
    bench.scanner.scan("0109501101530000")
    right, wrong = [row async for row in stream]
    assert right["elements"][0]["ai"] == "01"
    assert right["meaning"] == {"is": "ItemCode", "gtin14": "09501101530003"}
    assert wrong["meaning"]["is"] == "BadCode"
    await eventually(lambda: len(bench.floor.texts("gun")) == 2)


async def test_a_watcher_that_does_not_read_holds_no_more_than_its_bound(bench):
    with bench.devices.watching("gun") as scans:
        for number in range(SCANS_WATCHED_MAX + 5):
            bench.scanner.scan(f"A-{number}", symbology="]C0")
        await eventually(lambda: len(bench.floor.texts("gun")) == SCANS_WATCHED_MAX + 5)
        assert scans.qsize() == SCANS_WATCHED_MAX
        assert scans.get_nowait().text == "A-5"


async def test_nothing_scanned_ends_the_wait(bench):
    stream = bench.control.streams["device.scans"]({"name": "gun", "seconds": 0.05})
    assert [row async for row in stream] == [{"watching": True}, {"silent_s": 0.05}]


async def test_a_wire_is_recorded_while_it_is_used_by_one_at_a_time(bench):
    stream = bench.control.streams["device.record"]({"name": "gun", "seconds": 0.5})
    assert await anext(stream) == {"recording": True}
    with pytest.raises(Refused, match="recorded already"):
        await anext(bench.control.streams["device.record"]({"name": "gun"}))
    bench.scanner.scan("A-01", symbology="]C0")
    rows = [row async for row in stream]
    assert rows[-1]["ended"] == "after 0.5 s"
    heard = b"".join(bytes.fromhex(row["hex"]) for row in rows[:-1] if row["way"] == "in")
    assert heard == b"]C0A-01\r\n"
    assert bench.devices.cells["gun"].recorder.listener is None


async def test_a_recording_ends_at_its_bound_and_when_its_listener_goes(bench, monkeypatch):
    monkeypatch.setattr("bodega_agent.services.device_control.TAPE_BYTES_MAX", 20)
    stream = bench.control.streams["device.record"]({"name": "gun", "seconds": 60})
    await anext(stream)
    for _ in range(4):
        bench.scanner.scan("A-01", symbology="]C0")
    rows = [row async for row in stream]
    assert rows[-1]["ended"].startswith("after ")
    assert rows[-1]["ended"].endswith(" bytes")
    stream = bench.control.streams["device.record"]({"name": "gun", "seconds": 60})
    await anext(stream)
    await stream.aclose()
    assert bench.devices.cells["gun"].recorder.listener is None


async def test_wrong_questions_are_refused_with_what_to_do(bench):
    ask = bench.control.answers
    with pytest.raises(NotFound) as unknown:
        await ask["device.show"]({"name": "ghost"})
    assert "gun" in unknown.value.hint
    with pytest.raises(InvalidInput, match="is a scanner"):
        await ask["device.test"]({"name": "gun"})
    with pytest.raises(InvalidInput, match="no printer"):
        await ask["device.print"]({"name": "scale"})
    with pytest.raises(NotFound, match="no scanner"):
        await anext(bench.control.streams["device.scans"]({"name": "scale"}))
    for seconds in (0, -1, 1e9, True, "long"):
        with pytest.raises(InvalidInput, match="seconds"):
            await anext(bench.control.streams["device.record"]({"name": "gun", "seconds": seconds}))
