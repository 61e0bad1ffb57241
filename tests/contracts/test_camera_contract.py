"""What every camera driver must do. A new driver adds a rig and passes this file.

There is no kernel camera where these tests run: the V4L2 driver is given, in place of `open_node`, OpenCV's capture of
a simulated network camera. That leaves out the node and its settings, which tests/hardware shows in a real kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from bodega.errors import Unavailable
from bodega_adapters.cameras.live import quiet_cv2
from bodega_adapters.cameras.v4l2 import V4l2Camera
from bodega_adapters.ports import Camera, Frame
from bodega_adapters.registry import CAMERAS, open_camera
from bodega_adapters.simulated.folder_camera import SimulatedTray
from bodega_adapters.simulated.rtsp_camera import SimulatedRtspCamera
from support.devices import png

# Motion JPEG counts in blocks of 16 pixels and rounds colours.
WIDTH, HEIGHT = 64, 48
COLOUR_TOLERANCE = 6
READ_S = 0.5


class CameraRig(Protocol):
    """What is in front of the camera, and whether there is a camera."""

    def camera(self) -> Camera: ...
    def show(self, picture: bytes) -> None: ...
    def show_garbage(self) -> None: ...
    def show_nothing(self) -> None: ...
    def missing_camera(self) -> Camera: ...
    def close(self) -> None: ...


class FolderRig:
    def __init__(self, folder: Path) -> None:
        self._tray = SimulatedTray(folder / "tray")
        self.show = self._tray.show
        self.show_nothing = self._tray.clear

    def camera(self) -> Camera:
        return open_camera("folder", "bench", {"path": str(self._tray.folder)})

    def missing_camera(self) -> Camera:
        return open_camera("folder", "bench", {"path": str(self._tray.folder / "none")})

    def show_garbage(self) -> None:
        self._tray.show(b"\x89PNG\r\n\x1a\nnot a picture")

    def close(self) -> None:
        pass


class RtspRig:
    def __init__(self, _folder: Path) -> None:
        self._device = SimulatedRtspCamera(frames_per_s=100)
        self._device.show(png(WIDTH, HEIGHT))
        self.show = self._device.show
        self.show_nothing = self._device.freeze
        self.show_garbage = self._device.send_garbage
        self.close = self._device.stop

    def camera(self) -> Camera:
        return open_camera("rtsp", "bench", {"url": self._device.url, "read_s": READ_S})

    def missing_camera(self) -> Camera:
        self._device.stop()
        return self.camera()


class V4l2Rig(RtspRig):
    """See this file's first words for what is not real here."""

    def camera(self) -> Camera:
        cv2 = quiet_cv2()
        bounds = [cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(READ_S * 1000)]
        return V4l2Camera(
            "bench",
            "/dev/simulated",
            read_s=READ_S,
            opener=lambda: cv2.VideoCapture(self._device.url, cv2.CAP_FFMPEG, bounds),
        )

    def missing_camera(self) -> Camera:
        return open_camera("v4l2", "bench", {"path": "/dev/video-none"})


RIGS: dict[str, Callable[[Path], CameraRig]] = {"folder": FolderRig, "rtsp": RtspRig, "v4l2": V4l2Rig}


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CameraRig]:
    rig = RIGS[request.param](tmp_path)
    yield rig
    rig.close()


def test_every_shipped_driver_is_under_contract():
    assert set(RIGS) == set(CAMERAS)


def test_a_frame_is_height_by_width_by_blue_green_red(rig):
    rig.show(png(WIDTH, HEIGHT, rgb=(255, 128, 0)))
    camera = rig.camera()
    camera.open()
    frame = camera.read()
    assert (frame.pixels.shape, frame.pixels.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    assert np.allclose(frame.pixels[0, 0], [0, 128, 255], atol=COLOUR_TOLERANCE)
    assert frame.at_ms > 0
    assert frame.source
    camera.close()


def test_the_digest_names_the_picture(rig):
    camera = rig.camera()
    camera.open()
    rig.show(png(WIDTH, HEIGHT, rgb=(10, 20, 30)))
    first, again = newest(camera), newest(camera)
    rig.show(png(WIDTH, HEIGHT, rgb=(30, 20, 10)))
    other = newest(camera)
    assert first.digest == again.digest != other.digest
    assert len(bytes.fromhex(first.digest)) == 32
    camera.close()


def newest(camera: Camera) -> Frame:
    """A frame of what is shown now: one or two of before may still be on their way."""
    for _ in range(4):
        frame = camera.read()
    return frame


def test_reading_a_camera_that_is_not_open_is_unavailable(rig):
    rig.show(png(WIDTH, HEIGHT))
    camera = rig.camera()
    with pytest.raises(Unavailable, match="not open"):
        camera.read()
    camera.open()
    camera.close()
    with pytest.raises(Unavailable, match="not open"):
        camera.read()


def test_a_missing_camera_is_unavailable_with_a_hint(rig):
    with pytest.raises(Unavailable) as caught:
        rig.missing_camera().open()
    assert caught.value.hint


def test_no_picture_and_garbage_are_unavailable_with_a_hint_and_the_next_picture_works(rig):
    camera = rig.camera()
    for trouble in (rig.show_nothing, rig.show_garbage):
        rig.show(png(WIDTH, HEIGHT))
        camera.open()
        camera.read()
        trouble()
        with pytest.raises(Unavailable) as caught:
            newest(camera)
        assert caught.value.hint
        camera.close()
    rig.show(png(WIDTH, HEIGHT))
    camera.open()
    assert camera.read().pixels.shape == (HEIGHT, WIDTH, 3)
    camera.close()


def test_open_and_close_may_come_twice(rig):
    camera = rig.camera()
    rig.show(png(WIDTH, HEIGHT))
    camera.open()
    camera.open()
    assert camera.read().pixels.size
    camera.close()
    camera.close()
    with pytest.raises(Unavailable):
        camera.read()
