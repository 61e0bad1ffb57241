"""The worker's cameras: each with a thread of its own, so that one that hangs holds up nobody else.

A camera opens at its first use. After any fault it is closed and opened anew by the next request: a frozen
handle stays dead for good. It is warned of once when it is lost and told once when it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from bodega.errors import BodegaError, NotFound, Unavailable
from bodega.host.log import get_logger
from bodega.limits import FRAME_CAPTURE_S
from bodega_adapters.ports import Camera, Frame
from bodega_adapters.registry import open_camera
from bodega_agent.vision.messages import CameraSpec

log = get_logger(__name__)


class CameraRack:
    """All cameras of one worker, by name."""

    def __init__(self, cameras: Mapping[str, CameraSpec]) -> None:
        self._seats = {name: _Seat(name, spec) for name, spec in cameras.items()}

    async def capture(self, name: str) -> Frame:
        """A frame taken after this call. Raises NotFound for an unknown name, Unavailable when there is none
        within `FRAME_CAPTURE_S`, and whatever family of error its driver raises.
        """
        seat = self._seats.get(name)
        if seat is None:
            known = ", ".join(sorted(self._seats)) or "none"
            raise NotFound(f"no camera is named {name!r}", hint=f"cameras configured here: {known}")
        return await seat.capture()

    async def close(self) -> None:
        """Release every camera; one that hangs is left behind after `FRAME_CAPTURE_S`."""
        await asyncio.gather(*(seat.close() for seat in self._seats.values()))


class _Seat:
    """One camera and the only thread that touches it."""

    def __init__(self, name: str, spec: CameraSpec) -> None:
        self._name = name
        self._spec = spec
        self._camera: Camera | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"camera-{name}")
        self._turn = asyncio.Lock()
        self._reading: asyncio.Future[Frame] | None = None
        self._lost = False

    async def capture(self) -> Frame:
        try:
            async with asyncio.timeout(FRAME_CAPTURE_S), self._turn:
                frame = await self._fresh_read()
        except TimeoutError:
            fault = Unavailable(
                f"camera {self._name}: no frame within {FRAME_CAPTURE_S:g} s",
                hint="check its cable and power",
            )
            self._note_lost(fault)
            raise fault from None
        except BodegaError as fault:
            self._note_lost(fault)
            raise
        self._note_back()
        return frame

    async def close(self) -> None:
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._close_camera)
        await asyncio.wait([closing], timeout=FRAME_CAPTURE_S)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _fresh_read(self) -> Frame:
        if self._reading is not None and not self._reading.done():
            # A read that an earlier request gave up on: its frame is older than this request.
            await asyncio.wait([self._reading])
        self._reading = asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        self._reading.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._reading)

    def _read(self) -> Frame:
        try:
            if self._camera is None:
                self._camera = open_camera(self._spec.driver, self._name, self._spec.options)
            self._camera.open()
            return self._camera.read()
        except BodegaError:
            self._close_camera()
            raise

    def _close_camera(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def _note_lost(self, fault: BodegaError) -> None:
        if not self._lost:
            log.warning("camera_lost", camera=self._name, error=fault.message)
        self._lost = True

    def _note_back(self) -> None:
        if self._lost:
            log.info("camera_back", camera=self._name)
        self._lost = False
