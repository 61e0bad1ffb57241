"""A USB-CDC scanner, the serial driver and udev's stable name, through real unplugs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega_adapters.registry import open_scanner
from hardware.inside.gadget import ACM, Gadget, lost_and_back, send
from support.devices import Listener, eventually, listening

BY_ID = Path("/dev/serial/by-id/usb-Acme_CDC_Scanner_CDC0001-if00")


@pytest.fixture
def gadget() -> Iterator[Gadget]:
    gadget = Gadget("acm", ACM, socket=0, serial="CDC0001", product="CDC Scanner")
    yield gadget
    gadget.remove()


@asynccontextmanager
async def opened(gadget: Gadget) -> AsyncIterator[Listener]:
    await gadget.plugged(BY_ID)
    scanner = open_scanner("serial", "bench", {"port": str(BY_ID)})
    async with listening(scanner) as listener:
        await eventually(lambda: scanner.connected)
        yield listener


async def test_a_scan_arrives_by_the_stable_name_with_gs_kept(gadget: Gadget):
    async with opened(gadget) as listener:
        await send(gadget.acm_port, b"]C10109501101530003\x1d10L1\r\n")
        scan = (await listener.wait_for(1))[0]
    assert scan.raw == b"]C10109501101530003\x1d10L1"
    assert scan.symbology == "]C1"


async def test_an_unplug_is_lost_once_a_replug_back_once_and_scans_go_on(gadget: Gadget):
    with capture_logs() as logs:
        async with opened(gadget) as listener:
            await send(gadget.acm_port, b"before\r")
            await listener.wait_for(1)
            gadget.unplug()
            await eventually(lambda: not listener.scanner.connected)
            await eventually(lambda: not BY_ID.exists())
            gadget.plug()
            await eventually(lambda: listener.scanner.connected)
            await send(gadget.acm_port, b"after\r")
            scans = await listener.wait_for(2)
    assert [scan.text for scan in scans] == ["before", "after"]
    assert lost_and_back(logs) == ["device_lost", "device_back"]


async def test_the_scanner_comes_back_also_under_another_tty_number(gadget: Gadget):
    async with opened(gadget) as listener:
        first = BY_ID.resolve()
        # Somebody else still holds the dead tty, so the kernel can not give its number away again.
        holder = os.open(first, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        gadget.unplug()
        await eventually(lambda: not listener.scanner.connected)
        gadget.plug()
        await eventually(lambda: listener.scanner.connected)
        second = BY_ID.resolve()
        await send(gadget.acm_port, b"elsewhere\r")
        scans = await listener.wait_for(1)
        os.close(holder)
    assert first != second
    assert [scan.text for scan in scans] == ["elsewhere"]
