"""What every scale driver must do, whatever its wire. A new driver adds a rig and passes this file."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega.errors import PeerFault, Unavailable
from bodega_adapters.ports import Scale
from bodega_adapters.registry import SCALES, open_scale
from bodega_adapters.simulated.pty_scale import SimulatedScale
from support.serial_bridge import SerialBridge

WAITS = {"stable_s": 5.0, "answer_s": 0.3}


class SerialRig:
    """A scale on a pseudo-terminal."""

    def __init__(self, folder: Path) -> None:
        self.device = SimulatedScale(folder / "scale")

    async def open(self, **options: float) -> Scale:
        return open_scale("mt-sics", "bench", {"port": self.device.path, **WAITS, **options})

    async def close(self) -> None:
        self.device.close()


class TcpRig(SerialRig):
    """The same scale behind a box that puts its line on the network."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._bridge = SerialBridge(self.device.path)

    async def open(self, **options: float) -> Scale:
        port = await self._bridge.start()
        return open_scale("mt-sics", "bench", {"host": "127.0.0.1", "tcp_port": port, **WAITS, **options})

    async def close(self) -> None:
        await self._bridge.close()
        await super().close()


RIGS: dict[str, Callable[[Path], SerialRig]] = {"mt-sics": SerialRig, "mt-sics over tcp": TcpRig}


@asynccontextmanager
async def bench(rig: SerialRig, **options: float) -> AsyncIterator[Scale]:
    scale = await rig.open(**options)
    try:
        yield scale
    finally:
        await scale.close()
        await rig.close()


@pytest.fixture(params=sorted(RIGS))
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> SerialRig:
    return RIGS[request.param](tmp_path)


def test_every_shipped_driver_is_under_contract():
    assert {name.split()[0] for name in RIGS} == set(SCALES)


async def test_a_weight_at_rest_is_exact_and_says_so(rig):
    rig.device.load(1234.5)
    async with bench(rig) as scale:
        weight = await scale.weigh()
    assert (weight.milligrams, weight.stable, weight.device) == (1_234_500, True, "bench")
    assert weight.text.startswith("S S")
    assert weight.at_ms > 0


async def test_a_weight_that_still_moves_is_waited_for_or_told_as_moving(rig):
    rig.device.rests_s = 0.4
    async with bench(rig) as scale:
        rig.device.load(500)
        moving = await scale.weigh(stable=False)
        still = await scale.weigh()
    assert not moving.stable
    assert moving.milligrams != 500_000
    assert (still.milligrams, still.stable) == (500_000, True)


async def test_a_scale_in_the_wind_and_one_with_too_much_or_less_than_nothing_say_so(rig):
    device = rig.device
    device.gives_up_s = 0.1
    async with bench(rig) as scale:
        device.rests_s = math.inf
        with pytest.raises(Unavailable, match="does not come to rest"):
            await scale.weigh()
        device.rests_s = 0
        device.load(device.grams_max + 1)
        with pytest.raises(Unavailable, match="more on it than it can weigh"):
            await scale.weigh()
        device.load(-5)
        with pytest.raises(Unavailable, match="less on it than nothing"):
            await scale.zero()
        device.load(5)
        assert (await scale.weigh()).milligrams == 5_000


async def test_zero_and_tare(rig):
    async with bench(rig) as scale:
        rig.device.load(10)
        await scale.zero()
        assert (await scale.weigh()).milligrams == 0
        rig.device.load(110)
        await scale.tare()
        rig.device.load(160)
        assert (await scale.weigh()).milligrams == 50_000


async def test_garbage_before_an_answer_and_a_line_without_end_cost_nothing(rig):
    rig.device.load(7)
    rig.device.garbage = b"\xff\x00noise\r\n" + b"x" * 2000 + b"\r\n"
    async with bench(rig) as scale:
        assert (await scale.weigh()).milligrams == 7_000
        assert (await scale.weigh()).milligrams == 7_000


async def test_an_answer_that_comes_too_late_never_passes_as_the_next_one(rig):
    """The first question is given up while the goods still move; then other goods lie there."""
    device = rig.device
    device.rests_s, device.gives_up_s = math.inf, 60.0
    device.load(111)
    async with bench(rig, stable_s=0.2) as scale:
        with pytest.raises(Unavailable):
            await scale.weigh()
        device.rests_s = 0.0
        device.load(222)
        assert (await scale.weigh()).milligrams == 222_000
    assert "@" in device.asked


async def test_a_weight_that_nobody_asked_for_never_passes_as_an_answer(tmp_path):
    """On the serial line: there is no telling when it has come through a box on the network."""
    rig = SerialRig(tmp_path)
    async with bench(rig) as scale:
        rig.device.load(5)
        await scale.weigh()
        rig.device.send(b"S S     999.0 g\r\n")
        assert (await scale.weigh()).milligrams == 5_000


async def test_a_silent_scale_is_gone_after_three_misses_and_back_with_one_answer(rig):
    device = rig.device
    with capture_logs() as logs:
        async with bench(rig) as scale:
            device.load(5)
            await scale.weigh()
            device.silent = True
            for _ in range(3):
                assert "device_lost" not in [line["event"] for line in logs]
                with pytest.raises(Unavailable) as refusal:
                    await scale.weigh(stable=False)
                assert refusal.value.hint
            device.silent = False
            assert (await scale.weigh()).milligrams == 5_000
    assert [line["event"] for line in logs if line["event"].startswith("device")] == [
        "device_lost",
        "device_back",
    ]


async def test_unplug_and_replug_cost_no_restart(rig):
    async with bench(rig) as scale:
        rig.device.load(5)
        await scale.weigh()
        rig.device.unplug()
        with pytest.raises(Unavailable):
            await scale.weigh()
        assert not scale.presence.connected
        rig.device.plug()
        assert (await scale.weigh()).milligrams == 5_000


async def test_a_scale_of_another_language_is_a_fault_of_the_peer(rig):
    rig.device.knows = set()
    async with bench(rig) as scale:
        with pytest.raises(PeerFault) as refusal:
            await scale.weigh()
    assert "MT-SICS" in refusal.value.hint


async def test_two_who_ask_at_once_get_an_answer_each(rig):
    rig.device.load(3)
    async with bench(rig) as scale:
        weights = await asyncio.gather(*(scale.weigh() for _ in range(5)))
    assert [weight.milligrams for weight in weights] == [3_000] * 5


async def test_close_may_come_twice(rig):
    async with bench(rig) as scale:
        assert (await scale.weigh()).stable
        await scale.close()
        await scale.close()
