"""Is this frame good enough to judge? Brings frames of any size to the quality model and its scores back.

Frames are brought to luma of 640 x 480 first, so that one set of thresholds serves every camera and frames of
different cameras fit into one batch. The aspect ratio may change; brightness does not care, and sharpness
only a little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from bodega_agent.vision.models import FRAME_QUALITY
from bodega_agent.vision.session import ModelSession

WIDTH_PX = 640
HEIGHT_PX = 480

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


class QualityModel:
    """The frame quality model, ready to run. `name` is `frame_quality@` and 12 digits of its digest."""

    def __init__(self, providers: Sequence[str]) -> None:
        """Raises NotFound or IntegrityBroken, as `ModelSession` does."""
        self._session = ModelSession(FRAME_QUALITY.path, sha256=FRAME_QUALITY.sha256, providers=providers)
        self.name = f"{FRAME_QUALITY.name}@{self._session.digest[:12]}"
        self.provider = self._session.provider
        # The first run allocates; it must not be a customer's.
        self.scores([np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)])

    def scores(self, frames: Sequence[Pixels]) -> list[dict[str, float]]:
        """Scores of each frame (height x width x 3, uint8, BGR) by output name, from one run of the model."""
        outputs = self._session.run(np.stack([_normalised(frame) for frame in frames]))
        return [
            {name: round(float(values[index]), 3) for name, values in outputs.items()}
            for index in range(len(frames))
        ]


def _normalised(frame: Pixels) -> Pixels:
    """Rec. 601 luma, 480 x 640."""
    luma = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    if luma.shape != (HEIGHT_PX, WIDTH_PX):
        # Area averaging when shrinking: no aliasing that would pass for sharpness.
        method = cv2.INTER_AREA if luma.shape[1] > WIDTH_PX else cv2.INTER_LINEAR
        luma = cv2.resize(luma, (WIDTH_PX, HEIGHT_PX), interpolation=method)
    return np.asarray(luma, dtype=np.uint8)
