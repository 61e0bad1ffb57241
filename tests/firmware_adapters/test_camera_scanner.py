"""A code in a camera's view is one scan, however often it is looked at, and one more when it comes again."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bodega.errors import InvalidInput
from bodega.limits import CAMERA_SCANS_WAITING_MAX
from bodega_adapters.registry import open_scanner
from bodega_adapters.scanners.camera import CameraScanner, InView
from support.devices import listening

PEN, CUP = b"]E04006381333931", b"]E05901234123457"


def test_a_code_appears_once_and_again_only_after_it_was_gone_for_long_enough():
    view = InView(gone_s=1.0)
    looks = [
        (0.0, [PEN], [PEN]),
        (0.1, [PEN, CUP], [CUP]),
        # A hand passes: for less than a second it is as if it had been there.
        (0.2, [CUP], []),
        (1.1, [PEN, CUP], []),
        (1.2, [], []),
        (2.1, [CUP], []),
        (2.2, [PEN], [PEN]),
    ]
    for now_s, seen, fresh in looks:
        assert view.appeared(seen, now_s) == fresh, now_s


def test_a_code_twice_in_one_look_is_one():
    assert InView(gone_s=1.0).appeared([PEN, PEN], 0.0) == [PEN]


def test_what_lay_there_before_the_camera_was_blind_is_no_new_scan():
    view = InView(gone_s=1.0)
    view.appeared([PEN], 0.0)
    assert view.appeared([PEN], 100.0) == []


async def test_each_scan_is_numbered_and_knows_what_it_carries():
    scanner = open_scanner("camera", "tray-scan", {"camera": "tray"})
    async with listening(scanner) as listener:
        scanner.looked((PEN, b"]C110L1\x1d0104006381333931"))
        first, second = await listener.wait_for(2)
    assert (first.device, first.device_counter, first.symbology, first.text) == (
        "tray-scan",
        1,
        "]E0",
        "4006381333931",
    )
    assert [(element.ai, element.value) for element in second.elements] == [
        ("10", "L1"),
        ("01", "04006381333931"),
    ]


async def test_a_scanner_that_nobody_listens_to_keeps_a_bounded_number_and_loses_none():
    scanner = CameraScanner("tray-scan", "tray")
    codes = [f"]C0{number}".encode() for number in range(2 * CAMERA_SCANS_WAITING_MAX)]
    for code in codes:
        scanner.looked(codes[: codes.index(code) + 1])
    async with listening(scanner) as listener:
        assert len(await listener.wait_for(CAMERA_SCANS_WAITING_MAX)) == CAMERA_SCANS_WAITING_MAX
        scanner.looked(codes)
        scans = await listener.wait_for(len(codes))
    assert [scan.raw for scan in scans] == codes


async def test_it_is_lost_while_nobody_can_look_and_says_so_once():
    scanner = CameraScanner("tray-scan", "tray")
    with capture_logs() as logs:
        scanner.looked(())
        assert scanner.connected
        for _ in range(5):
            scanner.lost("camera tray: no frame within 2 s")
        assert not scanner.connected
        scanner.looked(())
        assert scanner.connected
    assert [entry["event"] for entry in logs] == ["device_lost", "device_back"]
    assert logs[0]["problem"] == "camera tray: no frame within 2 s"


async def test_what_comes_after_the_end_is_not_heard():
    scanner = CameraScanner("tray-scan", "tray")
    await scanner.close()
    scanner.looked((PEN,))
    assert not scanner.connected
    async with asyncio.timeout(30):
        assert [scan async for scan in scanner.scans()] == []


def test_a_time_that_is_none_is_refused():
    with pytest.raises(InvalidInput, match="gone_s"):
        open_scanner("camera", "tray-scan", {"camera": "tray", "gone_s": 0})
