"""Live cameras: bounded, fresh, never frozen for long, and silent about their passwords."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from structlog.testing import capture_logs

from bodega.errors import InvalidInput, Unavailable
from bodega_adapters.cameras.rtsp import RtspCamera
from bodega_adapters.cameras.settings import settings_of
from bodega_adapters.cameras.v4l2 import V4l2Camera
from bodega_adapters.registry import open_camera
from bodega_adapters.simulated.rtsp_camera import SimulatedRtspCamera
from support.devices import png
from support.waiting import until

USER, PASSWORD = "tech", "s3cret/@:%"
LOGIN = f"{USER}:{quote(PASSWORD, safe='')}@"
# Longer than any bound of a read or an opening; only a hang takes it.
BOUND_S = 30.0
FRAMES_PER_S = 100.0


@pytest.fixture
def device():
    device = SimulatedRtspCamera(user=USER, password=PASSWORD, frames_per_s=FRAMES_PER_S)
    device.show(png(64, 48, rgb=(200, 100, 50)))
    yield device
    device.stop()


@pytest.fixture
def camera(device):
    camera = RtspCamera("bench", device.url.replace("//", f"//{LOGIN}"), read_s=0.5)
    yield camera
    camera.close()


def test_a_camera_that_froze_or_was_dropped_is_unavailable_in_time_and_opens_anew(device, camera):
    for trouble, mended in ((device.freeze, device.thaw), (device.drop, lambda: None)):
        camera.open()
        camera.read()
        trouble()
        with pytest.raises(Unavailable, match="no frame"):
            _read_for(camera, BOUND_S)
        mended()
        camera.open()
        assert camera.read().pixels.size


def test_a_camera_that_went_away_says_so_and_works_when_it_is_back(device, camera):
    camera.open()
    device.stop()
    with pytest.raises(Unavailable):
        _read_for(camera, BOUND_S)
    with pytest.raises(Unavailable, match="can not be reached"):
        camera.open()
    device.start()
    camera.open()
    assert camera.read().pixels.size


def test_a_camera_that_answers_nothing_holds_nobody_for_ever(device, camera, monkeypatch):
    monkeypatch.setattr("bodega_adapters.cameras.live.CAMERA_OPEN_S", 0.3)
    monkeypatch.setattr("bodega_adapters.cameras.rtsp.CAMERA_CONNECT_S", 0.6)
    device.hang()
    began_s = time.monotonic()
    with pytest.raises(Unavailable, match="no frame within"):
        camera.open()
    assert time.monotonic() - began_s < BOUND_S


async def test_the_frame_is_the_newest_however_long_nobody_looked(device, camera):
    camera.open()
    shown = []
    for level in (40, 120, 200):
        device.show(png(64, 48, rgb=(level, level, level)))
        # A capture that nobody drains would keep them all.
        enough = device.pictures_sent + 20
        await until(lambda enough=enough: device.pictures_sent >= enough)
        shown.append(int(camera.read().pixels.mean()))
    assert shown == pytest.approx([40, 120, 200], abs=4)


def test_one_picture_for_too_long_is_frozen_and_after_reopening_it_is_what_there_is(device):
    url = device.url.replace("//", f"//{LOGIN}")
    camera = RtspCamera("bench", url, read_s=0.5, frozen_s=0.6)
    camera.open()
    with pytest.raises(Unavailable, match="same picture"):
        _read_for(camera, BOUND_S)
    camera.open()
    _read_for(camera, 1.2)
    device.show(png(64, 48, rgb=(0, 100, 250)))
    with pytest.raises(Unavailable, match="same picture"):
        _read_for(camera, BOUND_S)
    camera.close()


def test_a_wrong_password_is_named_as_such(device):
    camera = RtspCamera("bench", device.url.replace("//", f"//{USER}:wrong@"))
    with pytest.raises(Unavailable, match="refuses this user and password") as caught:
        camera.open()
    assert "password_file" in caught.value.hint


def test_the_password_may_lie_in_a_file_of_its_own(device, tmp_path):
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    options = {"url": device.url, "user": USER, "password_file": str(tmp_path / "password")}
    camera = open_camera("rtsp", "bench", options)
    camera.open()
    assert camera.read().source == device.url.removesuffix("/stream")
    camera.close()


_WATCH = """
import sys
from bodega_adapters.cameras.rtsp import RtspCamera
from bodega.errors import Unavailable
from bodega.host import log
log.configure()
camera = RtspCamera("bench", sys.stdin.readline().strip(), read_s=0.5)
for _ in range(3):
    try:
        camera.open()
        print(camera.read())
        while True:
            camera.read()
    except Unavailable as problem:
        print(problem, problem.hint, repr(problem), repr(problem.__cause__), camera.abilities)
"""


@pytest.mark.parametrize("trouble", ["wrong password", "lost", "gone"])
def test_nothing_that_a_process_says_holds_the_password_whatever_happens(device, trouble):
    """Its own words, and OpenCV's and ffmpeg's on standard error, also where a user has made them loud."""
    login = f"{USER}:wr0ng-pass@" if trouble == "wrong password" else LOGIN
    if trouble == "gone":
        device.stop()
    loud = {"OPENCV_LOG_LEVEL": "DEBUG", "OPENCV_FFMPEG_LOGLEVEL": "56", "OPENCV_FFMPEG_DEBUG": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", _WATCH],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | loud,
        text=True,
    ) as process:
        going = threading.Timer(1.5, device.stop)
        going.start()
        said, _ = process.communicate(f"{device.url.replace('//', f'//{login}')}\n", timeout=60)
        going.cancel()
    assert "Unavailable" in said
    for secret in ("s3cret", "wr0ng", USER):
        assert secret not in said


def test_a_wrong_address_is_refused_without_repeating_it():
    for url in ("http://u:s3cret@host/", "rtsp://", "rtsp://u:s3cret@host:port/", "s3cret"):
        with capture_logs() as logs, pytest.raises(InvalidInput) as caught:
            open_camera("rtsp", "bench", {"url": url})
        assert "s3cret" not in f"{caught.value}{caught.value.hint}{logs}"


@pytest.mark.parametrize("path", ["/dev/none", "/dev/null", "/dev/tty0", "README.md", "/dev"])
def test_what_is_no_camera_is_unavailable_with_a_hint(path):
    camera = open_camera("v4l2", "bench", {"path": path})
    with pytest.raises(Unavailable, match=f"camera bench \\({path}\\)") as caught:
        camera.open()
    assert caught.value.hint


class Stubborn:
    """OpenCV's capture of a device that takes only some settings: real frames, and a driver's stubbornness."""

    def __init__(self) -> None:
        self.values = {cv2.CAP_PROP_EXPOSURE: 156.0, cv2.CAP_PROP_FPS: FRAMES_PER_S}
        self.asked: list[tuple[int, float]] = []

    def get(self, setting):
        return self.values.get(setting, 0.0)

    def set(self, setting, value):
        self.asked.append((setting, value))
        if setting == cv2.CAP_PROP_EXPOSURE:
            return False
        self.values[setting] = value
        return True

    def grab(self):
        threading.Event().wait(1 / FRAMES_PER_S)
        return True

    def retrieve(self):
        return True, np.random.default_rng().integers(0, 255, (48, 64, 3), np.uint8)

    def release(self):
        pass


def test_a_setting_that_did_not_take_is_named_in_the_log_once_and_in_the_settings():
    capture = Stubborn()
    camera = V4l2Camera("bench", "/dev/video0", exposure=300, focus=12, width=1280, opener=lambda: capture)
    with capture_logs() as logs:
        for _ in range(2):
            camera.open()
            camera.read()
            camera.close()
    took = {setting.name: setting.took for setting in settings_of(camera)}
    assert took == {"width": True, "auto_exposure": True, "exposure": False, "autofocus": True, "focus": True}
    assert [(entry["event"], entry["exposure"]) for entry in logs] == [
        ("camera_settings_refused", "wanted 300, is 156")
    ]
    # What is given by hand is first taken out of the device's own hands.
    order = [setting for setting, _ in capture.asked[:5]]
    assert order.index(cv2.CAP_PROP_AUTO_EXPOSURE) < order.index(cv2.CAP_PROP_EXPOSURE)
    assert order.index(cv2.CAP_PROP_AUTOFOCUS) < order.index(cv2.CAP_PROP_FOCUS)


async def test_a_driver_that_hangs_is_left_behind_and_not_opened_again_until_it_lets_go():
    released = threading.Event()

    class Hanging(Stubborn):
        def grab(self):
            released.wait()
            return True

    camera = V4l2Camera("bench", "/dev/video0", read_s=0.2, opener=Hanging)
    camera_open_s = "bodega_adapters.cameras.live.CAMERA_OPEN_S"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(camera_open_s, 0.2)
        patch.setattr("bodega_adapters.cameras.live.CAMERA_READ_S", 0.2)
        with pytest.raises(Unavailable, match="no frame within"):
            camera.open()
        with pytest.raises(Unavailable, match="driver hangs"):
            camera.open()
    released.set()
    await until(lambda: _opens(camera))
    assert camera.read().pixels.shape == (48, 64, 3)
    camera.close()


@pytest.mark.parametrize(
    "options", [{"read_s": 0.0}, {"read_s": 60.0}, {"frozen_s": -1.0}, {"fourcc": "MJPEG"}]
)
def test_an_option_out_of_its_bounds_is_refused(options):
    with pytest.raises(InvalidInput):
        open_camera("v4l2", "bench", {"path": "/dev/video0", **options})


def _read_for(camera: RtspCamera, seconds: float) -> None:
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        camera.read()


def _opens(camera: V4l2Camera) -> bool:
    try:
        camera.open()
    except Unavailable:
        return False
    return True
