"""The V4L2 driver on the kernel's test camera: frames, settings read back, lost and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bodega.errors import Unavailable
from bodega_adapters.cameras.live import quiet_cv2
from bodega_adapters.cameras.settings import settings_of
from bodega_adapters.ports import Camera
from bodega_adapters.registry import open_camera
from hardware.inside import vivid

SMALL = {"width": 320, "height": 180}
FRAMES_FILLED_MAX = 100


@pytest.fixture
def plugged() -> Iterator[None]:
    # As in the vision process, which has OpenCV long before it opens a camera: here that alone takes seconds.
    quiet_cv2()
    vivid.load()
    yield
    vivid.unload()


def camera(**options: float) -> Camera:
    return open_camera("v4l2", "bench", {"path": str(vivid.NODE), **SMALL, **options})


def read_to_the_end(bench: Camera) -> None:
    """Frames that the kernel had filled before may still come."""
    for _ in range(FRAMES_FILLED_MAX):
        bench.read()


def test_a_frame_has_the_size_asked_for_and_the_next_one_is_another(plugged: None):
    bench = camera()
    bench.open()
    first, second = bench.read(), bench.read()
    bench.close()
    assert first.pixels.shape == (180, 320, 3)
    # The test picture carries a running clock.
    assert first.digest != second.digest


def test_a_setting_is_set_in_the_kernel_and_read_back(plugged: None):
    vivid.set_control(vivid.AUTOGAIN, 0)
    bench = camera(gain=77.0)
    bench.open()
    bench.read()
    in_the_kernel = vivid.get_control(vivid.GAIN)
    read_back = {setting.name: setting.got for setting in settings_of(bench)}
    bench.close()
    assert (in_the_kernel, read_back["gain"]) == (77, 77.0)


def test_a_camera_that_is_pulled_out_says_so_and_is_back_after_the_module_is_loaded_again(plugged: None):
    bench = camera()
    bench.open()
    bench.read()
    vivid.pull()
    with pytest.raises(Unavailable) as lost:
        read_to_the_end(bench)
    assert lost.value.hint
    with pytest.raises(Unavailable):
        bench.open()
    # Nobody holds the dead device any more, or the module could not go.
    vivid.unload()
    vivid.load()
    bench.open()
    assert bench.read().pixels.shape == (180, 320, 3)
    bench.close()
