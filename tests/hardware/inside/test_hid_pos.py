"""A HID POS scanner, the kernel's hidraw, our udev rules and the hidraw driver, through real unplugs."""

from __future__ import annotations

import grp
import os
import stat
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega_adapters.registry import open_scanner
from bodega_adapters.simulated.hid_pos_scanner import DESCRIPTOR, reports
from hardware.inside.gadget import Gadget, lost_and_back, send
from hardware.inside.gadget_hid import POS_SCANNER, pos_report
from support.devices import Listener, eventually, listening

STABLE = Path("/dev/bodega/hidraw/Acme_POS_Scanner_POS0001-if00")
CODE = b"]C10109501101530003\x1d10L1"


def made(settings: Mapping[str, bytes] = POS_SCANNER) -> Gadget:
    return Gadget("hid", settings, socket=2, serial="POS0001", product="POS Scanner")


@pytest.fixture
def gadget() -> Iterator[Gadget]:
    gadget = made()
    yield gadget
    gadget.remove()


@asynccontextmanager
async def opened(gadget: Gadget) -> AsyncIterator[Listener]:
    await gadget.plugged(STABLE)
    scanner = open_scanner("hidraw", "bench", {"path": str(STABLE)})
    async with listening(scanner) as listener:
        await eventually(lambda: scanner.connected)
        yield listener


async def test_a_scan_arrives_with_its_symbology_and_gs(gadget: Gadget):
    async with opened(gadget) as listener:
        await send(gadget.hid_file, pos_report(CODE))
        scan = (await listener.wait_for(1))[0]
    assert (scan.symbology, scan.text) == ("]C1", "0109501101530003\x1d10L1")


async def test_the_layout_of_large_makers_is_read_out_of_the_kernels_report_descriptor():
    gadget = made({**POS_SCANNER, "report_desc": DESCRIPTOR})
    long_code = b"]C1" + b"0123456789" * 8
    try:
        async with opened(gadget) as listener:
            for code in (CODE, long_code):
                for report in reports(code):
                    await send(gadget.hid_file, report)
            scans = await listener.wait_for(2)
    finally:
        gadget.remove()
    assert [scan.text.encode() for scan in scans] == [CODE[3:], long_code[3:]]


async def test_the_udev_rules_give_a_stable_name_and_the_agents_group(gadget: Gadget):
    await gadget.plugged(STABLE)
    status = STABLE.stat()
    assert grp.getgrgid(status.st_gid).gr_name == "input"
    assert stat.S_IMODE(status.st_mode) == 0o660


async def test_unplug_and_replug_are_told_once_each_also_under_another_number(gadget: Gadget):
    with capture_logs() as logs:
        async with opened(gadget) as listener:
            first = STABLE.resolve()
            # Somebody else still holds the dead file, so the kernel can not give its number away again.
            holder = os.open(first, os.O_RDONLY | os.O_NONBLOCK)
            gadget.unplug()
            await eventually(lambda: not listener.scanner.connected)
            await eventually(lambda: not STABLE.exists())
            gadget.plug()
            await eventually(lambda: listener.scanner.connected)
            second = STABLE.resolve()
            await send(gadget.hid_file, pos_report(b"]C0AFTER"))
            scans = await listener.wait_for(1)
            os.close(holder)
    assert first != second
    assert [scan.text for scan in scans] == ["AFTER"]
    assert lost_and_back(logs) == ["device_lost", "device_back"]
