"""Cameras of the Linux kernel (V4L2): USB webcams, camera modules; a path such as /dev/v4l/by-id/... is stable."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from bodega.errors import InvalidInput, Unavailable
from bodega.limits import CAMERA_FROZEN_S, CAMERA_READ_S
from bodega_adapters.cameras.flow import Capture
from bodega_adapters.cameras.live import LiveCamera, quiet_cv2
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.ports import Recognition

_FOURCC_CHARS = 4
# Numbers of OpenCV's settings (videoio.hpp, VideoCaptureProperties), which must not cost an import of OpenCV here.
_WIDTH, _HEIGHT, _FPS, _FOURCC, _GAIN, _EXPOSURE = 3, 4, 5, 6, 14, 15
_AUTO_EXPOSURE, _FOCUS, _AUTOFOCUS = 21, 28, 39
# linux/v4l2-controls.h: V4L2_EXPOSURE_MANUAL
_MANUAL = 1


class V4l2Camera(LiveCamera):
    """A `Camera` of the kernel's.

    Options: `path`; `width`, `height` (pixels), `fps`, 0 for what the device has; `exposure`, `gain` and `focus` in the
    device's own units (`v4l2-ctl -L` lists them), -1 for what it has. Exposure and focus that are given are no longer
    automatic; one with an automatic gain needs `v4l2-ctl -c gain_automatic=0` once, or its gain is told as refused;
    `fourcc`, such as MJPG; `read_s`, within which a frame must come; `frozen_s`, see `Flow`.
    """

    recognises = Recognition(subsystem="video4linux", name="*")

    def __init__(  # noqa: PLR0913  # its options
        self,
        name: str,
        path: str,
        *,
        width: int = 0,
        height: int = 0,
        fps: float = 0.0,
        exposure: float = -1.0,
        gain: float = -1.0,
        focus: float = -1.0,
        fourcc: str = "",
        read_s: float = CAMERA_READ_S,
        frozen_s: float = CAMERA_FROZEN_S,
        clock: Callable[[], int] = wall_clock_ms,
        opener: Callable[[], Capture] | None = None,
    ) -> None:
        if fourcc and not (len(fourcc) == _FOURCC_CHARS and fourcc.isascii()):
            raise InvalidInput(
                f"camera {name}: fourcc {fourcc!r} is not four characters", hint="MJPG, YUYV, ..."
            )
        # In the order in which they are set: the format decides on the sizes, a manual mode on what it is for.
        wanted: dict[str, tuple[int, float]] = {}
        if fourcc:
            wanted["fourcc"] = (_FOURCC, float(int.from_bytes(fourcc.encode(), "little")))
        sizes = {"width": (_WIDTH, width), "height": (_HEIGHT, height), "fps": (_FPS, fps)}
        wanted |= {key: (number, float(value)) for key, (number, value) in sizes.items() if value > 0}
        if exposure >= 0:
            wanted |= {"auto_exposure": (_AUTO_EXPOSURE, float(_MANUAL)), "exposure": (_EXPOSURE, exposure)}
        if focus >= 0:
            wanted |= {"autofocus": (_AUTOFOCUS, 0.0), "focus": (_FOCUS, focus)}
        if gain >= 0:
            wanted["gain"] = (_GAIN, gain)
        super().__init__(
            name,
            place=path,
            opener=opener or (lambda: open_node(Path(path))),
            wanted=wanted,
            read_s=read_s,
            frozen_s=frozen_s,
            clock=clock,
        )


def open_node(path: Path) -> Capture:
    """OpenCV's capture of a device node; raises `Unavailable`."""
    try:
        is_device = stat.S_ISCHR(path.stat().st_mode)
    except OSError as error:
        raise Unavailable(
            str(error.strerror), hint="check its cable, and the names in /dev/v4l/by-id"
        ) from error
    if not is_device:
        raise Unavailable("not a device", hint="a camera is one of /dev/video* or /dev/v4l/by-id/*")
    cv2 = quiet_cv2()
    capture: Capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
    if not capture.isOpened():  # type: ignore[attr-defined]  # OpenCV's own
        raise Unavailable(
            "it does not open as a camera",
            hint="another program may have it; the agent must be in group video",
        )
    return capture
