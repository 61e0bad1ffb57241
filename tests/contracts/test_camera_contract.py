"""What every camera driver must do. A new driver adds a rig and passes this file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from bodega.errors import Unavailable
from bodega_adapters.ports import Camera
from bodega_adapters.registry import CAMERAS, open_camera
from bodega_adapters.simulated.folder_camera import SimulatedTray
from support.devices import png


class CameraRig(Protocol):
    """What is in front of the camera, and whether there is a camera."""

    def camera(self) -> Camera: ...
    def show(self, picture: bytes) -> None: ...
    def show_garbage(self) -> None: ...
    def show_nothing(self) -> None: ...
    def missing_camera(self) -> Camera: ...


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


RIGS: dict[str, Callable[[Path], CameraRig]] = {"folder": FolderRig}


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> CameraRig:
    return RIGS[request.param](tmp_path)


def test_every_shipped_driver_is_under_contract():
    assert set(RIGS) == set(CAMERAS)


def test_a_frame_is_height_by_width_by_blue_green_red(rig):
    rig.show(png(width=4, height=3, rgb=(255, 128, 0)))
    camera = rig.camera()
    camera.open()
    frame = camera.read()
    assert (frame.pixels.shape, frame.pixels.dtype) == ((3, 4, 3), np.uint8)
    assert frame.pixels[0, 0].tolist() == [0, 128, 255]
    assert frame.at_ms > 0
    assert frame.source
    camera.close()


def test_the_digest_names_the_picture(rig):
    camera = rig.camera()
    camera.open()
    rig.show(png(rgb=(1, 2, 3)))
    first, again = camera.read(), camera.read()
    rig.show(png(rgb=(3, 2, 1)))
    other = camera.read()
    assert first.digest == again.digest != other.digest
    assert len(bytes.fromhex(first.digest)) == 32


def test_reading_a_camera_that_is_not_open_is_unavailable(rig):
    rig.show(png())
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
    camera.open()
    for trouble in (rig.show_nothing, rig.show_garbage):
        trouble()
        with pytest.raises(Unavailable) as caught:
            camera.read()
        assert caught.value.hint
    rig.show(png())
    assert camera.read().pixels.shape == (3, 4, 3)


def test_open_and_close_may_come_twice(rig):
    camera = rig.camera()
    rig.show(png())
    camera.open()
    camera.open()
    assert camera.read().pixels.size
    camera.close()
    camera.close()
    with pytest.raises(Unavailable):
        camera.read()
