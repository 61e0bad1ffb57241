"""A driver that breaks its port's promises hurts nobody but itself: it is named once, and tried again."""

from __future__ import annotations

import asyncio
import math

import pytest
from structlog.testing import capture_logs

from bodega.errors import InvalidInput, PeerFault, Unavailable
from bodega.limits import DEVICE_FAULT_KEPT_S, SCAN_BYTES_MAX, SCANS_PER_S_MAX
from bodega_agent.services import cell as cells
from bodega_agent.services.cell import DeviceSpec
from bodega_agent.services.devices import DeviceService
from support.cells import NoHotplug, faulty_lines, running, unharmed
from support.devices import eventually
from support.odd_drivers import Floor, HangingScanner, OddScale, OddScanner


@pytest.mark.parametrize(
    ("life", "problem"),
    [
        ([ValueError("a bug")], "ValueError: a bug"),
        ([SystemExit(3)], "SystemExit: 3"),
        ([asyncio.CancelledError()], "cancelled by the driver itself"),
        ([Unavailable("the port forbids this here")], "the port forbids this here"),
        ([], "StopAsyncIteration"),
        (["no scan at all"], "something that is no scan"),
        ([b"x" * (SCAN_BYTES_MAX + 1)], "something that is no scan"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_scanner_whose_driver_breaks_is_faulty_and_its_next_scans_come(life, problem):
    with capture_logs() as logs:
        scanner = OddScanner("odd-0", [[b"before", *life], [b"after", "forever"]])
        async with running(("scanner", lambda: scanner)) as (devices, floor):
            await eventually(lambda: floor.texts("odd-0") == ["before", "after"])
            row = devices.row("odd-0")
            assert row["state"] == "faulty"
            assert problem in row["detail"]
            assert row["hint"]
            assert scanner.closed == 1
            await unharmed(floor)
    assert len(faulty_lines(logs)) == 1


async def test_a_driver_that_breaks_all_the_time_is_one_line_in_the_log_and_tried_ever_more_seldom(
    monkeypatch,
):
    opened: list[int] = []

    def make() -> OddScanner:
        opened.append(len(opened))
        return OddScanner("odd-0", [[ValueError("a bug")]])

    monkeypatch.setattr(cells, "backoff_delays", lambda: iter([0.01, 0.01, 0.01, 0.01, math.inf]))
    with capture_logs() as logs:
        async with running(("scanner", make)) as (devices, floor):
            await eventually(lambda: len(opened) == 5)
            await unharmed(floor)
            assert devices.row("odd-0")["faults"] == 5
            assert len(opened) == 5
    assert len(faulty_lines(logs)) == 1


async def test_a_fault_is_forgotten_after_a_while(monkeypatch):
    scanner = OddScanner("odd-0", [[ValueError("a bug")], [b"after", "forever"]])
    async with running(("scanner", lambda: scanner)) as (devices, floor):
        await eventually(lambda: floor.texts("odd-0") == ["after"])
        assert devices.row("odd-0")["state"] == "faulty"
        cell = devices.cells["odd-0"]
        cell._fault_s -= DEVICE_FAULT_KEPT_S
        assert devices.row("odd-0")["state"] == "ok"


async def test_a_driver_that_can_not_be_opened_is_faulty_and_opened_when_it_can():
    tries = iter([TypeError("no such thing"), InvalidInput("a wrong option"), None])

    def make() -> OddScanner:
        trouble = next(tries)
        if trouble is not None:
            raise trouble
        return OddScanner("odd-0", [[b"late", "forever"]])

    with capture_logs() as logs:
        async with running(("scanner", make)) as (devices, floor):
            assert devices.row("odd-0")["state"] in ("starting", "faulty")
            await eventually(lambda: floor.texts("odd-0") == ["late"])
            await unharmed(floor)
    assert [problem.split(":")[-1].strip() for problem in faulty_lines(logs)] == [
        "no such thing",
        "a wrong option",
    ]


async def test_a_driver_that_never_lets_go_does_not_keep_the_next_one(monkeypatch):
    monkeypatch.setattr(cells, "DEVICE_CLOSE_S", 0.05)
    made = iter(
        [HangingScanner("odd-0", [[ValueError("a bug")]]), OddScanner("odd-0", [[b"after", "forever"]])]
    )
    async with running(("scanner", lambda: next(made))) as (devices, floor):
        await eventually(lambda: floor.texts("odd-0") == ["after"])
        assert "closing it took more than" in devices.row("odd-0")["detail"]
        await unharmed(floor)


async def test_a_scanner_that_floods_is_slowed_down_and_loses_nothing():
    flood = [f"{number}".encode() for number in range(SCANS_PER_S_MAX + 50)]
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    async with running(("scanner", lambda: OddScanner("odd-0", [[*flood, "forever"]]))) as (devices, floor):
        await eventually(lambda: len(floor.texts("odd-0")) == SCANS_PER_S_MAX)
        assert devices.row("odd-0")["state"] == "faulty"
        assert "slowed down" in devices.row("odd-0")["detail"]
        await unharmed(floor)
        await eventually(lambda: len(floor.texts("odd-0")) == len(flood))
        assert loop.time() - began_s >= 1
    assert floor.texts("odd-0") == [raw.decode() for raw in flood]


async def test_a_scan_that_names_another_device_is_this_ones():
    async with running(("scanner", lambda: OddScanner("odd-0", [[b"mine", "forever"]]))) as (_devices, floor):
        await eventually(lambda: floor.texts("odd-0") == ["mine"])
        assert floor.texts("somebody else") == []


async def test_what_is_the_floors_fault_is_not_blamed_on_the_scanner():
    class BrokenFloor(Floor):
        async def handle(self, scan: object) -> None:
            raise LookupError("a bug of ours")

    spec = DeviceSpec("scanner", "odd-0", "odd")
    devices = DeviceService(
        [spec], opener=lambda *_a, **_k: OddScanner("odd-0", [[b"x", "forever"]]), hotplug=NoHotplug
    )
    with pytest.raises(ExceptionGroup) as broken:
        await devices.run(BrokenFloor())
    assert isinstance(broken.value.exceptions[0], LookupError)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (ValueError("a bug"), Unavailable, "a bug"),
        ("forever", Unavailable, "took more than"),
        ("heavy", PeerFault, "its driver answered 'heavy'"),
    ],
)
async def test_a_scale_whose_driver_breaks_answers_with_an_error_and_then_works(
    monkeypatch, answer, error, words
):
    monkeypatch.setattr("bodega_agent.services.guards.DEVICE_CALL_S", 0.05)
    scale = OddScale("odd-0", [7, answer])
    with capture_logs() as logs:
        async with running(("scale", lambda: scale)) as (devices, floor):
            await eventually(lambda: devices.row("odd-0")["state"] == "ok")
            with pytest.raises(error, match=words):
                await devices.scale("odd-0").weigh()
            assert devices.row("odd-0")["state"] == "faulty"
            await eventually(lambda: devices.cells["odd-0"].device is not None)
            assert (await devices.scale("odd-0").weigh()).milligrams == 5
            await unharmed(floor)
    assert len(faulty_lines(logs)) == 1


async def test_a_scale_that_is_lost_and_back_is_told_once_each_and_woken_by_a_plug(monkeypatch):
    scale = OddScale("odd-0", [7, *[Unavailable("unplugged")] * 3])
    delays = [0.0, *[math.inf] * 9]
    monkeypatch.setattr("bodega_agent.services.devices.backoff_delays", lambda: iter(delays))
    with capture_logs() as logs:
        async with running(("scale", lambda: scale)) as (devices, _floor):
            await eventually(lambda: devices.row("odd-0")["state"] == "ok")
            with pytest.raises(Unavailable):
                await devices.scale("odd-0").weigh()
            await eventually(lambda: devices.row("odd-0")["state"] == "lost")
            row = devices.row("odd-0")
            assert (row["misses"], row["detail"]) == (3, "unplugged")
            devices.wake()
            await eventually(lambda: devices.row("odd-0")["state"] == "ok")
    told = [line["event"] for line in logs if line["event"] in ("device_lost", "device_back")]
    assert told == ["device_lost", "device_back"]


async def test_a_name_that_may_be_another_device_tomorrow_is_warned_of_with_the_better_one(monkeypatch):
    better = {"/dev/ttyACM0": "/dev/serial/by-id/usb-Example-if00"}
    monkeypatch.setattr(cells, "stable_name", lambda path: better.get(path, ""))
    spec = DeviceSpec("scanner", "odd-0", "odd", {"port": "/dev/ttyACM0", "baud": 9600})
    scanner = OddScanner("odd-0", [["forever"]])
    devices = DeviceService([spec], opener=lambda *_a, **_k: scanner, hotplug=NoHotplug)
    with capture_logs() as logs:
        task = asyncio.create_task(devices.run(Floor()))
        await eventually(lambda: devices.row("odd-0")["state"] == "ok")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    (line,) = [line for line in logs if line["event"] == "unstable_device_name"]
    assert (line["option"], line["use"]) == ("port", "/dev/serial/by-id/usb-Example-if00")
    assert "usb-Example-if00" in devices.row("odd-0")["hint"]
