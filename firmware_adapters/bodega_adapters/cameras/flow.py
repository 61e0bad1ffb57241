"""Frames out of one OpenCV capture, drained by a thread of its own, so that nobody waits for a driver for ever.

OpenCV's captures block, in a kernel or in a network, and keep old frames for whoever comes late. Here a thread takes
every frame as it comes and hands over the next one to who asks: it is never a stale one, and the wait is as long as was
said, whatever the driver does. A thread that hangs in a driver is left behind, and ends when the driver lets go.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from bodega.errors import Unavailable
from bodega.limits import CAMERA_BACKLOG_S, CAMERA_FROZEN_LOOK_S

if TYPE_CHECKING:
    from bodega_adapters.ports import Pixels

_SAMPLED = 8
# videoio.hpp, CAP_PROP_FPS
_FPS = 5
_FPS_USUAL = 25.0
_FPS_MAX = 120.0
_LIVE_FRAMES = 3
_HINT = "check its cable, its power and its network"
_HINT_ANEW = "it is opened anew; if this stays, restart the camera"


class Capture(Protocol):
    """What is used of a `cv2.VideoCapture`."""

    def grab(self) -> bool:
        """Take the next frame; False when there is none."""
        ...

    def retrieve(self) -> tuple[bool, Any]:
        """The frame taken, as pixels."""
        ...

    def get(self, setting: int) -> float:
        """A setting's value now."""
        ...

    def set(self, setting: int, value: float) -> bool:
        """Ask for a value."""
        ...

    def release(self) -> None:
        """Let go of the device."""
        ...


class Flow:
    """One capture from its opening to its end; a fresh one is made after that."""

    def __init__(self, opener: Callable[[], Capture], *, frozen_s: float, still: int | None) -> None:
        """`opener` runs on the thread, and raises `Unavailable`.

        A picture that stays the same to the last bit for `frozen_s` (0: for ever) ends the flow, because no sensor is
        that quiet; but for one whose checksum is `still`: it was the same after reopening, so that is what there is.
        """
        self._opener = opener
        self._frozen_s = frozen_s
        self._accepted_still = still
        self._asked = 0
        self._given = 0
        self._pixels: Pixels | None = None
        self._stopping = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="camera-flow", daemon=True)
        self.problem: Unavailable | None = None
        self.still: int | None = None
        self._thread.start()

    def next(self, within_s: float) -> Pixels:
        """A frame that comes after this call; raises `Unavailable` when there is none in time or the flow has ended."""
        with self._news:
            self._asked += 1
            number = self._asked
            self._news.wait_for(lambda: self._given >= number or self.problem or self._stopping, within_s)
            if self._given >= number and self._pixels is not None:
                return self._pixels
            if self.problem is not None:
                raise self.problem
        raise Unavailable(f"no frame within {within_s:g} s", hint=_HINT)

    def stop(self) -> None:
        """Ask the thread to let go of the device, and return."""
        with self._news:
            self._stopping = True
            self._news.notify_all()

    def join(self, within_s: float) -> bool:
        """Wait for that, no longer than said; whether it has let go."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            capture = self._opener()
            try:
                self._drain(capture)
            finally:
                capture.release()
        except Unavailable as problem:
            self._end(problem)
        finally:
            # Whatever else ended the thread, nobody waits for it.
            self._end(self.problem or Unavailable("its driver failed", hint=_HINT_ANEW))

    def _drain(self, capture: Capture) -> None:
        watch = _Stillness(self._frozen_s)
        _skip_backlog(capture)
        while not self._stopping:
            asked = self._asked
            if not capture.grab():
                raise Unavailable("no frame comes any more", hint=_HINT)
            wanted = asked > self._given
            if not wanted and not watch.is_due():
                continue
            there, pixels = capture.retrieve()
            if not there:
                raise Unavailable("a frame could not be decoded", hint=_HINT_ANEW)
            self.still = watch.look(pixels)
            if self.still is not None and self.still != self._accepted_still:
                raise Unavailable(f"the same picture for {self._frozen_s:g} s", hint=_HINT_ANEW)
            if wanted:
                self._give(asked, pixels)

    def _give(self, number: int, pixels: Pixels) -> None:
        with self._news:
            self._pixels, self._given = pixels, number
            self._news.notify_all()

    def _end(self, problem: Unavailable) -> None:
        with self._news:
            self.problem = problem
            self._news.notify_all()


def _skip_backlog(capture: Capture) -> None:
    """Pass over what was kept while the stream was opened: frames that come faster than they are made.

    Several in a row at the camera's own pace are live; a single late one may be this machine's hiccup.
    """
    # Of a stream that does not say, ffmpeg may give the rate of its clock.
    live_s = 1 / min(capture.get(_FPS) or _FPS_USUAL, _FPS_MAX) / 2
    live_frames = 0
    began_s = came_s = time.monotonic()
    while live_frames < _LIVE_FRAMES and came_s < began_s + CAMERA_BACKLOG_S and capture.grab():
        last_s, came_s = came_s, time.monotonic()
        live_frames = live_frames + 1 if came_s - last_s >= live_s else 0


class _Stillness:
    """Whether a picture has stayed the same, looked at once in a while."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._seen: int | None = None
        self._since_s = 0.0
        self._looked_s = 0.0

    def is_due(self) -> bool:
        return bool(self._limit_s) and time.monotonic() - self._looked_s >= CAMERA_FROZEN_LOOK_S

    def look(self, pixels: Pixels) -> int | None:
        """Its checksum once it has been the same for as long as the limit, else None."""
        if not self._limit_s:
            return None
        now_s = self._looked_s = time.monotonic()
        seen = zlib.crc32(pixels[::_SAMPLED, ::_SAMPLED].tobytes())
        if seen != self._seen:
            self._seen, self._since_s = seen, now_s
        return seen if now_s - self._since_s >= self._limit_s else None
