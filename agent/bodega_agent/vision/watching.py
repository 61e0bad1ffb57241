"""Cameras that scan: each is looked at again and again, and the codes in view are told.

A look waits while picks are being judged: a scan may come a moment later, a verdict may not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from bodega.errors import BodegaError
from bodega.limits import (
    CAMERA_LOOK_RESCUE_MS,
    CAMERA_LOOKS_PER_S_MAX,
    CAMERA_OPEN_S,
    FRAME_CODES_MAX,
    SCAN_BYTES_MAX,
)
from bodega_adapters.backoff import backoff_delays
from bodega_adapters.ports import Frame
from bodega_agent.vision.agreement import Symbol
from bodega_agent.vision.codes import CodeReader
from bodega_agent.vision.rack import CameraRack
from bodega_agent.vision.sightings import Sighting

_PERIOD_S = 1 / CAMERA_LOOKS_PER_S_MAX


class Watch:
    """Looks at some cameras and gives what they see to `tell`, each look one sighting."""

    def __init__(self, rack: CameraRack, quiet: asyncio.Event, tell: Callable[[Sighting], None]) -> None:
        """`quiet` is set while no pick waits to be judged."""
        self._rack = rack
        self._quiet = quiet
        self._tell = tell
        # Not the inspector's thread, nor its reader: what has begun here never stands in front of a pick. What one look
        # misses the next may see, so none tries for long.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="watch")
        self._reader = CodeReader(rescue_ms=CAMERA_LOOK_RESCUE_MS)

    async def run(self, cameras: Iterable[str]) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for camera in cameras:
                tasks.create_task(self._watch(camera))

    async def _watch(self, camera: str) -> None:
        loop = asyncio.get_running_loop()
        digest, codes = "", tuple[bytes, ...]()
        delays = backoff_delays()
        while True:
            next_s = loop.time() + _PERIOD_S
            await self._quiet.wait()
            try:
                frame = await self._rack.capture(camera, within_s=CAMERA_OPEN_S)
            except BodegaError as fault:
                self._tell(Sighting(camera, problem=fault.message))
                await asyncio.sleep(next(delays))
                continue
            delays = backoff_delays()
            if frame.digest != digest:
                codes = await loop.run_in_executor(self._thread, self._codes_in, frame)
                digest = frame.digest
            self._tell(Sighting(camera, codes))
            await asyncio.sleep(next_s - loop.time())

    def _codes_in(self, frame: Frame) -> tuple[bytes, ...]:
        codes = map(_as_sent, self._reader.symbols_in(frame.pixels))
        return tuple(code for code in codes if len(code) <= SCAN_BYTES_MAX)[:FRAME_CODES_MAX]


def _as_sent(symbol: Symbol) -> bytes:
    return symbol.symbology.encode() + symbol.content
