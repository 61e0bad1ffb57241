"""The scale closes a parcel: an empty plate is asked again, trouble is told, and a restart goes on waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bodega.errors import Unavailable
from bodega_adapters.ports import Weight
from bodega_agent.services.weighing import WeighingService
from support.floor_rig import FloorRig, floor_rig
from support.packing_place import equip, goods, packing_place, picked
from support.waiting import until


class Plate:
    """A scale whose readings are laid down; the last one stays. An error is raised."""

    name = "scale"

    def __init__(self, *readings: int | Unavailable) -> None:
        self.readings = list(readings)
        self.asked = 0

    async def weigh(self, *, stable: bool = True) -> Weight:
        """The next reading in milligrams."""
        assert stable
        self.asked += 1
        reading = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(reading, Unavailable):
            raise reading
        return Weight(reading, stable=True, text="", device=self.name, at_ms=0)


@asynccontextmanager
async def _running(rig: FloorRig, plate: Plate, *, wait_s: float = 5.0) -> AsyncIterator[None]:
    service = WeighingService(rig.store, rig.service, plate, wait_s=wait_s, pause_s=0.001)
    rig.service.on_weigh = service.ask
    equip(rig, scale=True)
    task = asyncio.create_task(service.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _boxed(rig: FloorRig) -> None:
    await packing_place(rig)
    await goods(rig)
    await picked(rig, 1)
    await rig.scan("CMD-PACK")
    for number in (2, 1, 1):
        await rig.item(number)
    await rig.scan("BOX-S")


def _shown(rig: FloorRig) -> dict[str, object]:
    return dict(rig.board.current("scanner-1") or {})


async def test_the_scale_is_asked_until_the_parcel_stands_on_it_and_then_it_is_closed(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        plate = Plate(0, 1_000, 2_470_400)
        async with _running(rig, plate):
            await _boxed(rig)
            await until(lambda: _shown(rig)["step"] == "label")
        assert plate.asked == 3
        (parcel,) = await rig.facts("parcel_advanced")
        assert parcel.weight_g == 2_470


async def test_a_scale_in_trouble_says_so_and_a_person_types_the_grams(tmp_path: Path) -> None:
    restless = Plate(Unavailable("scale does not come to rest", hint="hands off"))
    async with floor_rig(tmp_path) as rig, _running(rig, restless):
        await _boxed(rig)
        await until(lambda: "does not come to rest" in str(_shown(rig)["text"]))
        assert _shown(rig)["tone"] == "ask"
        assert (await rig.scan("2470"))["step"] == "label"


async def test_a_plate_that_stays_empty_is_not_asked_for_ever(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig, _running(rig, Plate(0), wait_s=0.05):
        await _boxed(rig)
        await until(lambda: "nothing was put on it" in str(_shown(rig)["text"]))


async def test_a_parcel_that_waited_for_the_scale_when_the_agent_stopped_waits_for_it_still(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _boxed(rig)
        await rig.crash()
        async with _running(rig, Plate(2_470_000)):
            await until(lambda: _shown(rig).get("step") == "label")
