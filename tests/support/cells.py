"""Devices in their cells beside a good one, whatever their drivers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from bodega_adapters.hotplug import Hotplug
from bodega_agent.services.cell import DeviceSpec
from bodega_agent.services.devices import DeviceService
from bodega_agent.services.floor import FloorService
from support.devices import eventually
from support.odd_drivers import Floor, OddScanner

GOOD = "good-one"


class NoHotplug(Hotplug):
    """Nothing is ever plugged in."""

    async def run(self) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def running(*makers: tuple[str, Callable[[], object]]) -> AsyncIterator[tuple[DeviceService, Floor]]:
    """Devices `odd-0`, `odd-1`, ... and one good scanner beside them, which scans every few milliseconds."""
    made = {f"odd-{number}": make for number, (_kind, make) in enumerate(makers)}

    async def ticking() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.005)
            yield b"tick"

    class GoodScanner(OddScanner):
        async def scans(self) -> AsyncIterator[object]:
            async for raw in ticking():
                yield self._made(raw)

    made[GOOD] = lambda: GoodScanner(GOOD, [])
    specs = [DeviceSpec(kind, f"odd-{number}", "odd") for number, (kind, _make) in enumerate(makers)]
    specs.append(DeviceSpec("scanner", GOOD, "good"))

    def opener(_kind: str, _driver: str, name: str, _options: object, recorder: object) -> object:
        return made[name]()

    devices, floor = DeviceService(specs, opener=opener, hotplug=NoHotplug), Floor()
    task = asyncio.create_task(devices.run(cast("FloorService", floor)))
    try:
        yield devices, floor
        assert not task.done(), "one driver took the daemon with it"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def unharmed(floor: Floor) -> None:
    """The good scanner's scans still come."""
    before = len(floor.texts(GOOD))
    await eventually(lambda: len(floor.texts(GOOD)) > before + 3)


def faulty_lines(logs: list[dict[str, Any]], device: str = "odd-0") -> list[str]:
    return [line["problem"] for line in logs if line["event"] == "device_faulty" and line["device"] == device]
