"""`bodega devices scan` names the right driver, and a stable path, for each device that is really plugged in."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega_adapters.printers.zpl_usb import ZEBRA
from hardware.inside import vivid
from hardware.inside.gadget import ACM, PRINTER, Gadget
from hardware.inside.gadget_hid import KEYBOARD, POS_SCANNER

# What is plugged in: its stable name, and the driver that must come first.
EXPECTED = {
    "/dev/serial/by-id/usb-Acme_CDC_Scanner_CDC0003-if00": ("scanner", "serial"),
    "/dev/bodega/lp/Acme_ZTC_Sim_ZBR0003-if00": ("printer", "zpl-usb"),
    "/dev/bodega/hidraw/Acme_POS_Scanner_POS0003-if00": ("scanner", "hidraw"),
    "/dev/input/by-id/usb-Acme_Wedge_Scanner_KBD0003-event-kbd": ("scanner", "evdev"),
    "/dev/v4l/by-path/platform-vivid.0-video-index0": ("camera", "v4l2"),
}


@pytest.fixture
def everything() -> Iterator[list[Gadget]]:
    gadgets = [
        Gadget("acm", ACM, socket=0, serial="CDC0003", product="CDC Scanner"),
        Gadget("printer", PRINTER, socket=1, serial="ZBR0003", product="ZTC Sim", vendor=ZEBRA),
        Gadget("hid", POS_SCANNER, socket=2, serial="POS0003", product="POS Scanner"),
        Gadget("hid", KEYBOARD, socket=3, serial="KBD0003", product="Wedge Scanner"),
    ]
    vivid.load()
    yield gadgets
    vivid.unload()
    for gadget in gadgets:
        gadget.remove()


def scanned() -> list[dict]:
    command = [sys.executable, "-c", "from bodega_agent.cli import main; main()", "devices", "scan", "--json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


async def test_each_plugged_device_is_found_by_its_stable_name_with_its_driver_first(
    everything: list[Gadget],
):
    for gadget, path in zip(everything, EXPECTED, strict=False):
        await gadget.plugged(Path(path))
    found = {one["stable"]: one for one in await asyncio.to_thread(scanned)}
    assert set(EXPECTED) <= set(found)
    # The wedge is a keyboard, and its second file is nobody's.
    assert [path for path in found if "hidraw" in path] == [
        "/dev/bodega/hidraw/Acme_POS_Scanner_POS0003-if00"
    ]
    first = {path: found[path]["drivers"][0] for path in EXPECTED}
    assert {path: (one["kind"], one["driver"]) for path, one in first.items()} == EXPECTED
    assert all(path in one["toml"] for path, one in first.items())
