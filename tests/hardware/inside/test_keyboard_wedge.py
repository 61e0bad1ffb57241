"""A scanner that types: a real USB keyboard for the kernel, grabbed by the evdev driver."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega_adapters.registry import open_scanner
from hardware.inside.gadget import Gadget, lost_and_back, send
from hardware.inside.gadget_hid import KEYBOARD, typed
from support.devices import Listener, eventually, listening

BY_ID = Path("/dev/input/by-id/usb-Acme_Wedge_Scanner_KBD0001-event-kbd")


@pytest.fixture
def gadget() -> Iterator[Gadget]:
    gadget = Gadget("hid", KEYBOARD, socket=3, serial="KBD0001", product="Wedge Scanner")
    yield gadget
    gadget.remove()


@asynccontextmanager
async def opened(gadget: Gadget) -> AsyncIterator[Listener]:
    await gadget.plugged(BY_ID)
    scanner = open_scanner("evdev", "bench", {"path": str(BY_ID)})
    async with listening(scanner) as listener:
        await eventually(lambda: scanner.connected)
        yield listener


@asynccontextmanager
async def another_reader() -> AsyncIterator[int]:
    descriptor = os.open(BY_ID, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    yield descriptor
    os.close(descriptor)


def heard_by(reader: int) -> bytes:
    try:
        return os.read(reader, 4096)
    except BlockingIOError:
        return b""


async def type_in(gadget: Gadget, text: str) -> None:
    for report in typed(text):
        await send(gadget.hid_file, report)


async def test_a_typed_scan_arrives_with_its_symbology_and_gs_kept(gadget: Gadget):
    async with opened(gadget) as listener:
        await type_in(gadget, "]C10109501101530003\x1d10L1a-9\r")
        scan = (await listener.wait_for(1))[0]
    assert (scan.symbology, scan.text) == ("]C1", "0109501101530003\x1d10L1a-9")


async def test_what_is_scanned_is_typed_nowhere_else_while_the_grab_holds(gadget: Gadget):
    await gadget.plugged(BY_ID)
    async with another_reader() as reader:
        async with opened(gadget) as listener:
            await type_in(gadget, "SECRET\r")
            await listener.wait_for(1)
            assert heard_by(reader) == b""
        # Once the driver has let go, the same reader hears keys: it was not deaf.
        await type_in(gadget, "X")
        await eventually(lambda: heard_by(reader))


async def test_a_second_driver_is_told_that_another_program_has_the_keyboard(gadget: Gadget):
    async with opened(gadget):
        second = open_scanner("evdev", "second", {"path": str(BY_ID)})
        with capture_logs() as logs:
            async with listening(second):
                await eventually(lambda: [line for line in logs if line["event"] == "device_lost"])
    assert "held by another program" in next(
        line["problem"] for line in logs if line["event"] == "device_lost"
    )


async def test_unplug_and_replug_are_told_once_each_and_the_grab_holds_again(gadget: Gadget):
    with capture_logs() as logs:
        async with opened(gadget) as listener:
            gadget.unplug()
            await eventually(lambda: not listener.scanner.connected)
            await eventually(lambda: not BY_ID.exists())
            await gadget.plugged(BY_ID)
            await eventually(lambda: listener.scanner.connected)
            async with another_reader() as reader:
                await type_in(gadget, "AFTER\r")
                scans = await listener.wait_for(1)
                assert heard_by(reader) == b""
    assert [scan.text for scan in scans] == ["AFTER"]
    assert lost_and_back(logs) == ["device_lost", "device_back"]
