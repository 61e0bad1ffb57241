"""The pictures of one frame that the barcode readers are shown: as it is, then with light, size and edges mended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from bodega.limits import FRAME_RESCUE_PIXELS_MAX

Grey = np.ndarray[Any, Any]

_ENLARGED = 2.0
_CONTRAST_MAX = 3.0
_CONTRAST_TILES = (4, 4)
_FINE_CONTRAST_MAX = 4.0
_FINE_TILES = (8, 8)
_ALONG_BARS = (1, 9)


@dataclass(frozen=True)
class Pictures:
    """Makes each picture when it is first asked for. `frame` is height x width, uint8, grey."""

    frame: Grey

    @cached_property
    def scale(self) -> float:
        """How much larger than the frame the mended pictures are, side by side."""
        return min(_ENLARGED, math.sqrt(FRAME_RESCUE_PIXELS_MAX / max(self.frame.size, 1)))

    @cached_property
    def large(self) -> Grey:
        """Enlarged: thin bars get the pixels that a reader wants."""
        return self._resized(self.frame)

    @cached_property
    def level(self) -> Grey:
        """Enlarged, with the contrast of each part brought out (CLAHE): shadows, glare."""
        contrast = cv2.createCLAHE(_CONTRAST_MAX, _CONTRAST_TILES)
        return self._resized(contrast.apply(self.frame))

    def fine(self) -> Grey:
        """The same in smaller parts, after enlarging: narrow glare, curved packs."""
        return cv2.createCLAHE(_FINE_CONTRAST_MAX, _FINE_TILES).apply(self.large)

    def smooth(self) -> Grey:
        """Level, and averaged along upright bars: grain, scratches, print."""
        return cv2.blur(self.level, _ALONG_BARS)

    def sharp(self, radius: float, amount: float, *, level: bool = False) -> Grey:
        """Enlarged, or level, with blur of about `radius` pixels taken back."""
        picture = self.level if level else self.large
        soft = cv2.GaussianBlur(picture, (0, 0), radius)
        return cv2.addWeighted(picture, 1 + amount, soft, -amount, 0)

    def _resized(self, picture: Grey) -> Grey:
        how = cv2.INTER_CUBIC if self.scale > 1 else cv2.INTER_AREA
        return cv2.resize(picture, None, fx=self.scale, fy=self.scale, interpolation=how)
