"""Where requests wait in the worker: admitted under a bound, captured side by side, judged in small batches.

Frames that come in while a batch is being judged form the next one, so batches grow with load and a lone
request never waits for company.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bodega.errors import BodegaError
from bodega.host.log import get_logger
from bodega.limits import FRAMES_HELD_MAX, FRAMES_PER_BATCH_MAX, FRAMES_WAITING_MAX, VERDICT_S
from bodega_agent.vision.inspector import Inspector, Shot, elapsed_ms
from bodega_agent.vision.messages import InspectRequest, Verdict, reason
from bodega_agent.vision.rack import CameraRack

log = get_logger(__name__)


class InspectionDesk:
    """Takes requests, gives verdicts to `reply`, exactly one each. `quiet` is set while none is waiting."""

    def __init__(self, rack: CameraRack, inspector: Inspector, reply: Callable[[Verdict], None]) -> None:
        self._rack = rack
        self._inspector = inspector
        self._reply = reply
        self._captures: set[asyncio.Task[None]] = set()
        self._shots: asyncio.Queue[Shot] = asyncio.Queue()
        # Bounds memory: as many frames as this are held, however many requests wait.
        self._frames_free = asyncio.Semaphore(FRAMES_HELD_MAX)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inspector")
        self._waiting = 0
        self.quiet = asyncio.Event()
        self.quiet.set()

    def admit(self, request: InspectRequest) -> None:
        """Take a request in, or answer `busy` at once when `FRAMES_WAITING_MAX` are waiting."""
        started_s = time.monotonic()
        if self._waiting >= FRAMES_WAITING_MAX:
            self._review(request, started_s, "busy", f"{self._waiting} inspections are waiting already.")
            return
        self._waiting += 1
        self.quiet.clear()
        task = asyncio.create_task(self._capture(request, started_s))
        self._captures.add(task)
        task.add_done_callback(self._captures.discard)

    async def run(self) -> None:
        """Judge batches until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            shots = [await self._shots.get()]
            while len(shots) < FRAMES_PER_BATCH_MAX and not self._shots.empty():
                shots.append(self._shots.get_nowait())
            for verdict in await loop.run_in_executor(self._thread, self._inspector.inspect, shots):
                self._frames_free.release()
                self._leave()
                self._reply(verdict)

    async def _capture(self, request: InspectRequest, started_s: float) -> None:
        try:
            async with asyncio.timeout(VERDICT_S):
                await self._frames_free.acquire()
        except TimeoutError:
            self._leave()
            self._review(request, started_s, "timeout", "Other frames were in front for too long.")
            return
        try:
            frame = await self._rack.capture(request.camera)
        except BodegaError as fault:
            self._frames_free.release()
            self._leave()
            self._review(request, started_s, "no_frame", f"{fault.message}. {fault.hint}".strip())
            return
        self._shots.put_nowait(Shot(request, frame, started_s))

    def _leave(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            self.quiet.set()

    def _review(self, request: InspectRequest, started_s: float, code: str, sentence: str) -> None:
        self._reply(
            Verdict(
                request.request_id, "review", (reason(code, sentence),), duration_ms=elapsed_ms(started_s)
            )
        )
