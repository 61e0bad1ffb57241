"""Scanning by camera, from the worker's look to the agent's scanner, and pictures for people."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import ClassVar

import cv2
import numpy as np
import pytest
from structlog.testing import capture_logs

from bodega.errors import InvalidInput, PeerFault, Unavailable
from bodega.limits import FRAME_CODES_MAX, SCAN_BYTES_MAX, SNAPSHOT_BYTES_MAX, VISION_MESSAGE_BYTES_MAX
from bodega_adapters.ports import Frame
from bodega_adapters.scanners.camera import CameraScanner
from bodega_adapters.simulated.folder_camera import SimulatedTray
from bodega_agent.config import DeviceConfig
from bodega_agent.services.snapshots import SnapshotService, camera_rows
from bodega_agent.vision import wire
from bodega_agent.vision.photographer import jpeg_of
from bodega_agent.vision.sightings import CameraNews, Sighting, Snapshot, SnapshotRequest
from bodega_agent.vision.watching import Watch
from support import vision_worker
from support.barcode_sheets import codes_sheet
from support.devices import eventually, listening
from support.vision_worker import request

PEN, CUP = b"]E04006381333931", b"]E05901234123457"


@pytest.fixture
def tray(tmp_path):
    tray = SimulatedTray(tmp_path / "bench")
    tray.show(codes_sheet(PEN))
    return tray


async def test_a_scanner_outlives_the_camera_process_and_does_not_scan_again_what_still_lies_there(
    tmp_path, tray
):
    scanner = CameraScanner("tray-scan", "bench")
    spec = replace(vision_worker.spec(tmp_path, "bench"), watched=("bench",))
    with capture_logs() as logs:
        async with vision_worker.running(spec) as client, listening(scanner) as listener:
            client.lookers = lambda: [scanner]
            await listener.wait_for(1)
            # Picks are judged meanwhile by the same camera.
            assert (await client.inspect(request("bench"))).frame_digest
            os.kill(client.pid, signal.SIGKILL)
            await eventually(lambda: not scanner.connected)
            await eventually(lambda: scanner.connected)
            tray.show(codes_sheet(PEN, CUP))
            scans = await listener.wait_for(2)
    assert [scan.raw for scan in scans] == [PEN, CUP]
    about_us = [entry["event"] for entry in logs if entry.get("device") == "tray-scan"]
    assert about_us == ["device_lost", "device_back"]


async def test_a_look_waits_while_a_pick_waits(tray):
    quiet, sightings = asyncio.Event(), []

    class Rack:
        looks = 0

        async def capture(self, _name, *, within_s):
            self.looks += 1
            pixels = cv2.imdecode(np.frombuffer(codes_sheet(PEN), np.uint8), cv2.IMREAD_COLOR)
            return Frame(pixels, "digest", 1, "test")

    rack = Rack()
    watching = asyncio.create_task(Watch(rack, quiet, sightings.append).run(["bench"]))
    await asyncio.sleep(0)
    for _ in range(3):
        await asyncio.sleep(0)
    assert rack.looks == 0
    quiet.set()
    await eventually(lambda: sightings)
    watching.cancel()
    assert sightings[0] == Sighting("bench", (PEN,))


async def test_a_snapshot_is_a_picture_of_now_with_its_size(tmp_path, tray):
    async with vision_worker.running(vision_worker.spec(tmp_path, "bench")) as client:
        answer = await SnapshotService(client).answers["camera.snapshot"]({"camera": "bench"})
        await eventually(lambda: "bench" in client.cameras)
        [row] = camera_rows(client, [DeviceConfig(name="bench", driver="folder")])
        with pytest.raises(Unavailable, match="no camera is named 'none'"):
            await client.snapshot("none")
        tray.clear()
        with pytest.raises(Unavailable, match="no picture") as caught:
            await client.snapshot("bench")
        await eventually(lambda: not client.cameras["bench"].present)
    assert caught.value.hint
    assert (answer["camera"], answer["width"]) == ("bench", 480)
    assert len(answer["digest"]) == 64
    assert row["state"] == "ok"


async def test_without_a_camera_process_a_snapshot_says_what_to_do():
    with pytest.raises(Unavailable, match="no camera process") as caught:
        await SnapshotService(None).answers["camera.snapshot"]({"camera": "bench"})
    assert "[vision]" in caught.value.hint
    with pytest.raises(InvalidInput):
        await SnapshotService(None).answers["camera.snapshot"]({"camera": 1})


def test_a_camera_is_shown_with_what_is_wrong_with_it():
    class Eyes:
        ready = True
        cameras: ClassVar = {
            "a": CameraNews("a", present=True, refused={"exposure": "wanted 300, is 156"}),
            "b": CameraNews("b", present=False, problem="camera b: no frame"),
        }

    configured = [DeviceConfig(name=name, driver="v4l2") for name in "abc"]
    rows = [(row["state"], row["detail"]) for row in camera_rows(Eyes(), configured)]
    assert rows == [
        ("ok", "exposure did not take: wanted 300, is 156"),
        ("lost", "camera b: no frame"),
        ("ok", ""),
    ]
    Eyes.ready = False
    assert {row["state"] for row in camera_rows(Eyes(), configured)} == {"starting"}
    assert {row["state"] for row in camera_rows(None, configured)} == {"off"}


def test_a_picture_of_any_size_is_brought_under_the_bound():
    noise = np.random.default_rng(1).integers(0, 256, (1500, 2000, 3), np.uint8)
    assert 0 < len(jpeg_of(noise)) <= SNAPSHOT_BYTES_MAX


@pytest.mark.parametrize(
    "message",
    [
        Sighting("bench", (PEN, b"]Q1\x00\xff")),
        Sighting("bench", problem="no frame"),
        SnapshotRequest("1", "bench"),
        Snapshot("1", b"\xff\xd8", 640, 480, "d", "rtsp://h:554", 5, {"gain": {"wanted": 1.0, "got": 2.0}}),
        Snapshot("1", problem="no frame", hint="look"),
        CameraNews("bench", present=False, problem="no frame", refused={"gain": "wanted 1, is 2"}),
    ],
)
def test_a_message_comes_back_equal(message):
    kind, body = wire.decode(wire.encode("m", message.to_json())[wire.PREFIX_BYTES :])
    assert (kind, type(message).from_json(body)) == ("m", message)


@pytest.mark.parametrize(
    ("message", "broken"),
    [
        (Sighting("bench", (PEN,)), {"codes": ["xy"]}),
        (Sighting("bench", (PEN,)), {"codes": ["00" * (SCAN_BYTES_MAX + 1)]}),
        (Sighting("bench", (PEN,)), {"codes": ["00"] * (FRAME_CODES_MAX + 1)}),
        (Snapshot("1", b"\xff"), {"jpeg": "?"}),
        (Snapshot("1", b"\xff"), {"settings": {"gain": {"got": "2"}}}),
        (CameraNews("bench", present=True), {"present": "yes"}),
        (CameraNews("bench", present=True), {"refused": {"gain": 1}}),
    ],
)
def test_a_message_with_a_field_that_does_not_fit_is_the_peers_fault(message, broken):
    with pytest.raises(PeerFault):
        type(message).from_json(message.to_json() | broken)


def test_the_largest_messages_fit_the_pipe():
    full = Snapshot("1" * 64, b"\xff" * SNAPSHOT_BYTES_MAX)
    codes = Sighting("c" * 64, tuple(bytes([n]) * SCAN_BYTES_MAX for n in range(FRAME_CODES_MAX)))
    for message in (full, codes):
        assert len(wire.encode("m", message.to_json())) <= VISION_MESSAGE_BYTES_MAX
