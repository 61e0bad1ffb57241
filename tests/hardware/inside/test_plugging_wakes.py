"""A driver that rests is woken by the kernel's word that something was plugged in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import repeat
from pathlib import Path

import pytest

from bodega_adapters import presence
from bodega_adapters.hotplug import Hotplug
from bodega_adapters.presence import presence_of
from bodega_adapters.registry import open_scanner
from hardware.inside.gadget import ACM, Gadget
from support.devices import eventually, listening

BY_ID = "/dev/serial/by-id/usb-Acme_CDC_Scanner_CDC0002-if00"
# A rest that no test lives to see the end of: only a plug can end it.
REST_S = 3600.0


@pytest.fixture
def gadget() -> Iterator[Gadget]:
    gadget = Gadget("acm", ACM, socket=0, serial="CDC0002", product="CDC Scanner")
    yield gadget
    gadget.remove()


@asynccontextmanager
async def running(hotplug: Hotplug) -> AsyncIterator[None]:
    task = asyncio.create_task(hotplug.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("source", "udev_control", "path"),
    [
        ("udev", Path("/run/udev/control"), BY_ID),
        # Without udev there are no links, and the kernel's own name is all there is.
        ("kernel", Path("/run/no-udev-here"), "/dev/ttyACM0"),
    ],
)
async def test_a_plug_wakes_the_driver_and_a_replug_does_so_again(
    gadget: Gadget, monkeypatch: pytest.MonkeyPatch, source: str, udev_control: Path, path: str
):
    monkeypatch.setattr(presence, "backoff_delays", lambda: repeat(REST_S))
    scanner = open_scanner("serial", "bench", {"port": path})
    remembered = presence_of(scanner)
    assert remembered is not None
    hotplug = Hotplug(remembered.plugged, udev_control=udev_control)
    loop = asyncio.get_running_loop()
    async with running(hotplug), listening(scanner):
        await eventually(lambda: hotplug.source == source and remembered.misses)
        for _ in range(2):
            begun = loop.time()
            gadget.plug()
            await eventually(lambda: scanner.connected)
            print(f"{source}: connected {loop.time() - begun:.2f} s after the plug")
            gadget.unplug()
            await eventually(lambda: not scanner.connected)
