"""The worker's cameras: each with a thread of its own, so that one that hangs holds up nobody else.

A live camera is opened at the start and kept open, so that a pick finds it ready and its loss is known before; any
other opens at its first use. After any fault a camera is closed and opened anew by the next request: a frozen handle
stays dead for good. It is warned of once when it is lost and told once when it is back (`Presence`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from bodega.errors import BodegaError, NotFound, Unavailable
from bodega.limits import CAMERA_KEEP_S, CAMERA_OPEN_S, DEVICE_BACKOFF_BASE_S, FRAME_CAPTURE_S
from bodega_adapters.cameras.settings import refused, settings_of
from bodega_adapters.ports import Camera, Frame
from bodega_adapters.presence import Presence
from bodega_adapters.registry import open_camera
from bodega_agent.vision.messages import CameraSpec
from bodega_agent.vision.sightings import CameraNews


class CameraRack:
    """All cameras of one worker, by name."""

    def __init__(
        self,
        cameras: Mapping[str, CameraSpec],
        watched: Collection[str] = (),
        tell: Callable[[CameraNews], None] = lambda _news: None,
    ) -> None:
        """Of `watched` cameras somebody else warns when they are lost, and keeps them open by looking.

        `tell` hears how each camera is, at its first use and when that changes.
        """
        self._seats = {name: _Seat(name, spec, name in watched, tell) for name, spec in cameras.items()}

    async def capture(self, name: str, *, within_s: float = FRAME_CAPTURE_S) -> Frame:
        """A frame taken after this call. Raises NotFound for an unknown name, Unavailable when there is none
        in time, and whatever family of error its driver raises.
        """
        return await self._seat(name).capture(within_s)

    def settings(self, name: str) -> dict[str, dict[str, float]]:
        """Of each setting that a camera was given, the value `wanted` and the one that it has, `got`."""
        return self._seat(name).settings()

    async def keep_open(self) -> None:
        """Until cancelled, see to the live cameras that nobody watches."""
        async with asyncio.TaskGroup() as tasks:
            for seat in self._seats.values():
                tasks.create_task(seat.keep_open())

    async def close(self) -> None:
        """Release every camera; one that hangs is left behind after `FRAME_CAPTURE_S`."""
        await asyncio.gather(*(seat.close() for seat in self._seats.values()))

    def _seat(self, name: str) -> _Seat:
        seat = self._seats.get(name)
        if seat is None:
            known = ", ".join(sorted(self._seats)) or "none"
            raise NotFound(f"no camera is named {name!r}", hint=f"cameras configured here: {known}")
        return seat


class _Seat:
    """One camera and the only thread that touches it."""

    def __init__(
        self,
        name: str,
        spec: CameraSpec,
        watched: bool,
        tell: Callable[[CameraNews], None],
    ) -> None:
        self._name = name
        self._spec = spec
        self._tell = tell
        self._told: CameraNews | None = None
        self._camera: Camera | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"camera-{name}")
        self._turn = asyncio.Lock()
        self._reading: asyncio.Future[Frame] | None = None
        self._presence = None if watched else Presence("camera", name)
        self._retry_s = DEVICE_BACKOFF_BASE_S

    async def capture(self, within_s: float) -> Frame:
        try:
            async with asyncio.timeout(within_s), self._turn:
                frame = await self._fresh_read()
        except TimeoutError:
            fault = Unavailable(
                f"camera {self._name}: no frame within {within_s:g} s", hint="check its cable and power"
            )
            self._missed(fault)
            raise fault from None
        except BodegaError as fault:
            self._missed(fault)
            raise
        if self._presence is not None:
            self._presence.answered()
        self._say(CameraNews(self._name, present=True, refused=refused(settings_of(self._camera))))
        return frame

    def settings(self) -> dict[str, dict[str, float]]:
        return {
            each.name: {"wanted": each.wanted} | ({} if each.got is None else {"got": each.got})
            for each in settings_of(self._camera)
        }

    async def keep_open(self) -> None:
        if self._presence is None:
            return
        try:
            camera = await asyncio.get_running_loop().run_in_executor(self._thread, self._made)
        except BodegaError:
            # Whoever asks for it is told what is wrong with its configuration.
            return
        while camera.abilities.live:
            with suppress(BodegaError):
                await self.capture(CAMERA_OPEN_S)
            await asyncio.sleep(CAMERA_KEEP_S if self._presence.connected else self._retry_s)

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

    def _missed(self, fault: BodegaError) -> None:
        if self._presence is not None:
            self._retry_s = self._presence.missed(fault.message)
        self._say(CameraNews(self._name, present=False, problem=fault.message))

    def _say(self, news: CameraNews) -> None:
        if news != self._told:
            self._tell(news)
        self._told = news

    def _made(self) -> Camera:
        if self._camera is None:
            self._camera = open_camera(self._spec.driver, self._name, self._spec.options)
        return self._camera

    def _read(self) -> Frame:
        camera = self._made()
        try:
            camera.open()
            return camera.read()
        except BodegaError:
            camera.close()
            raise

    def _close_camera(self) -> None:
        if self._camera is not None:
            self._camera.close()
