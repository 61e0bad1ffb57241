"""What all live cameras have in common: opened and read in bounded time, settings read back, no stale frame."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from bodega.errors import InvalidInput, Unavailable
from bodega.host.log import get_logger
from bodega.limits import CAMERA_OPEN_S, CAMERA_READ_S, FRAME_PIXELS_MAX
from bodega_adapters.cameras.flow import Capture, Flow
from bodega_adapters.cameras.settings import CameraSetting, refused
from bodega_adapters.ports import CameraAbilities, Frame, Recognition

if TYPE_CHECKING:
    from bodega_adapters.ports import Pixels

log = get_logger(__name__)


class LiveCamera:
    """A `Camera` over an OpenCV capture; drivers say how it is opened and which settings it has.

    After `Unavailable` it is closed, and opened anew by `open`: a handle that froze once stays dead.
    """

    recognises: ClassVar[Recognition] = Recognition()

    def __init__(
        self,
        name: str,
        *,
        place: str,
        opener: Callable[[], Capture],
        wanted: Mapping[str, tuple[int, float]],
        read_s: float,
        frozen_s: float,
        clock: Callable[[], int],
    ) -> None:
        """`place` is shown to people, without credentials; `wanted`: OpenCV's number and the value, by name."""
        if not 0 < read_s <= CAMERA_READ_S:
            raise InvalidInput(
                f"camera {name}: read_s {read_s:g} is not above 0 and at most {CAMERA_READ_S:g}"
            )
        if frozen_s < 0:
            raise InvalidInput(f"camera {name}: frozen_s {frozen_s:g} is negative", hint="0 switches it off")
        self.name = name
        self.settings = tuple(CameraSetting(setting, value) for setting, (_, value) in wanted.items())
        self._place = place
        self._opener = opener
        self._wanted = wanted
        self._read_s = read_s
        self._frozen_s = frozen_s
        self._clock = clock
        self._flow: Flow | None = None
        self._left_behind: Flow | None = None
        self._still: int | None = None
        self._refused: dict[str, str] = {}

    @property
    def abilities(self) -> CameraAbilities:
        """See Camera."""
        return CameraAbilities(live=True, controls=tuple(self._wanted))

    def open(self) -> None:
        """Open the device and demand a first frame: a dead one can be opened too, and gives none."""
        if self._flow is not None:
            return
        if self._left_behind is not None and not self._left_behind.join(CAMERA_READ_S):
            raise self._told(Unavailable("its driver hangs", hint="unplug it, or restart the camera"))
        # The first import takes seconds on a small box, and is not the camera's fault.
        quiet_cv2()
        flow = Flow(self._opened, frozen_s=self._frozen_s, still=self._still)
        try:
            pixels = flow.next(CAMERA_OPEN_S)
            self._check_size(pixels)
        except Unavailable as problem:
            self._leave(flow)
            raise self._told(problem) from problem
        self._left_behind = None
        self._flow = flow

    def read(self) -> Frame:
        """The next frame of the device."""
        flow = self._flow
        if flow is None:
            raise Unavailable(f"camera {self.name} is not open", hint="call open first")
        try:
            pixels = flow.next(self._read_s)
            self._check_size(pixels)
        except Unavailable as problem:
            self._still = flow.still
            self.close()
            raise self._told(problem) from problem
        return Frame(
            pixels=pixels,
            digest=hashlib.sha256(pixels.tobytes()).hexdigest(),
            at_ms=self._clock(),
            source=self._place,
        )

    def close(self) -> None:
        """Release the device; one that hangs is left behind."""
        flow, self._flow = self._flow, None
        if flow is not None:
            self._leave(flow)

    def _opened(self) -> Capture:
        capture = self._opener()
        for number, value in self._wanted.values():
            capture.set(number, value)
        self.settings = tuple(
            CameraSetting(name, value, float(capture.get(number)))
            for name, (number, value) in self._wanted.items()
        )
        self._tell_refused()
        return capture

    def _tell_refused(self) -> None:
        now = refused(self.settings)
        if now and now != self._refused:
            log.warning("camera_settings_refused", device=self.name, place=self._place, **now)
        self._refused = now

    def _leave(self, flow: Flow) -> None:
        flow.stop()
        flow.join(self._read_s)
        self._left_behind = flow

    def _told(self, problem: Unavailable) -> Unavailable:
        return Unavailable(f"camera {self.name} ({self._place}): {problem.message}", hint=problem.hint)

    def _check_size(self, pixels: Pixels) -> None:
        if pixels.shape[0] * pixels.shape[1] > FRAME_PIXELS_MAX:
            raise Unavailable(
                f"{pixels.shape[1]} x {pixels.shape[0]} pixels are more than {FRAME_PIXELS_MAX}",
                hint="lower the camera's resolution",
            )


def quiet_cv2() -> Any:
    """OpenCV, told to keep its and ffmpeg's words to itself: they go to standard error, and may hold an address."""
    # Read once, when the first capture of its kind is made: ffmpeg's level -8 is silence, and a device's time-out.
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    os.environ.pop("OPENCV_FFMPEG_DEBUG", None)
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
    os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(round(CAMERA_READ_S))
    import cv2  # noqa: PLC0415  # the agent checks a camera's options and must not load OpenCV for that

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
