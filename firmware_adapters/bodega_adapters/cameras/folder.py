"""A camera that is a file or a folder: the newest picture in it is the frame.

For demos, tests, and cameras whose own software drops pictures into a folder. Files whose names start with
a dot are someone's unfinished work and are not looked at. The encoded size is bounded before decoding and
the pixels after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from bodega.errors import Unavailable
from bodega.limits import FRAME_FILE_BYTES_MAX, FRAME_PIXELS_MAX
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.ports import CameraAbilities, Frame, Recognition

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


class FolderCamera:
    """A `Camera` over `path`: an image file, or a folder of which the newest image file counts."""

    recognises = Recognition()

    def __init__(self, name: str, path: str, *, clock: Callable[[], int] = wall_clock_ms) -> None:
        self.name = name
        self._path = Path(path)
        self._clock = clock
        self._is_open = False

    @property
    def abilities(self) -> CameraAbilities:
        """See Camera."""
        return CameraAbilities(live=False)

    def open(self) -> None:
        """Check that the file or folder is there; an empty folder is open and has no frame yet."""
        if not self._path.exists():
            raise Unavailable(
                f"camera {self.name}: {self._path} does not exist",
                hint="create it, or correct the camera's path",
            )
        self._is_open = True

    def read(self) -> Frame:
        """Decode the newest picture; raises `Unavailable` when there is none or it can not be used."""
        # Imported here: the agent checks a camera's options and must not load OpenCV for that.
        import cv2  # noqa: PLC0415  # see the sentence above
        import numpy as np  # noqa: PLC0415  # see the sentence above

        if not self._is_open:
            raise Unavailable(f"camera {self.name} is not open", hint="call open first")
        picture = self._newest()
        encoded = self._encoded(picture)
        pixels = cv2.imdecode(np.frombuffer(encoded, dtype=np.uint8), cv2.IMREAD_COLOR) if encoded else None
        if pixels is None:
            raise Unavailable(
                f"camera {self.name}: {picture} is not a picture that OpenCV can read",
                hint="write pictures to a hidden name first and rename them when complete",
            )
        self._check_size(picture, pixels.shape[0] * pixels.shape[1])
        return Frame(
            pixels=np.asarray(pixels, dtype=np.uint8),
            digest=hashlib.sha256(encoded).hexdigest(),
            at_ms=self._clock(),
            source=str(picture),
        )

    def close(self) -> None:
        """Nothing is held between reads but the permission to read."""
        self._is_open = False

    def _newest(self) -> Path:
        try:
            if not self._path.is_dir():
                return self._path
            pictures = [
                (entry.stat().st_mtime_ns, entry.name, entry)
                for entry in self._path.iterdir()
                if entry.suffix.lower() in SUFFIXES and not entry.name.startswith(".")
            ]
        except OSError as error:
            raise self._unreadable(self._path, error) from error
        if not pictures:
            raise Unavailable(
                f"camera {self.name}: no picture in {self._path}", hint="put an image file there"
            )
        return max(pictures)[2]

    def _encoded(self, picture: Path) -> bytes:
        try:
            with picture.open("rb") as file:
                encoded = file.read(FRAME_FILE_BYTES_MAX + 1)
        except OSError as error:
            raise self._unreadable(picture, error) from error
        if len(encoded) > FRAME_FILE_BYTES_MAX:
            raise Unavailable(
                f"camera {self.name}: {picture} has more than {FRAME_FILE_BYTES_MAX} bytes",
                hint="lower the camera's resolution",
            )
        return encoded

    def _check_size(self, picture: Path, pixel_count: int) -> None:
        if pixel_count > FRAME_PIXELS_MAX:
            raise Unavailable(
                f"camera {self.name}: {picture} has {pixel_count} pixels, more than {FRAME_PIXELS_MAX}",
                hint="lower the camera's resolution",
            )

    def _unreadable(self, path: Path, error: OSError) -> Unavailable:
        return Unavailable(
            f"camera {self.name}: can not read {path}: {error.strerror}",
            hint="check that it exists and who may read it",
        )
