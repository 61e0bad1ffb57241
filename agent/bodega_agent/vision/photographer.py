"""Pictures for people who ask what a camera sees, small enough for the pipe and the control socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from bodega.errors import BodegaError
from bodega.limits import CAMERA_OPEN_S, SNAPSHOT_BYTES_MAX
from bodega_agent.vision.rack import CameraRack
from bodega_agent.vision.sightings import Snapshot, SnapshotRequest

_QUALITIES = (90, 75, 50)


class Photographer:
    """Answers each request with one snapshot, given to `reply`."""

    def __init__(self, rack: CameraRack, reply: Callable[[Snapshot], None]) -> None:
        self._rack = rack
        self._reply = reply
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshot")
        self._at_work: set[asyncio.Task[None]] = set()

    def admit(self, request: SnapshotRequest) -> None:
        """Take a request in; the agent bounds how many there are."""
        task = asyncio.create_task(self._take(request))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _take(self, request: SnapshotRequest) -> None:
        try:
            frame = await self._rack.capture(request.camera, within_s=CAMERA_OPEN_S)
        except BodegaError as fault:
            self._reply(Snapshot(request.request_id, problem=fault.message, hint=fault.hint))
            return
        loop = asyncio.get_running_loop()
        jpeg = await loop.run_in_executor(self._thread, jpeg_of, frame.pixels)
        self._reply(
            Snapshot(
                request_id=request.request_id,
                jpeg=jpeg,
                width=frame.pixels.shape[1],
                height=frame.pixels.shape[0],
                digest=frame.digest,
                source=frame.source,
                at_ms=frame.at_ms,
                settings=self._rack.settings(request.camera),
            )
        )


def jpeg_of(pixels: np.ndarray[Any, Any]) -> bytes:
    """The picture as JPEG of at most `SNAPSHOT_BYTES_MAX`: coarser first, then smaller."""
    while True:
        for quality in _QUALITIES:
            _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if jpeg.size <= SNAPSHOT_BYTES_MAX:
                return jpeg.tobytes()
        pixels = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
