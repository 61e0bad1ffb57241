"""The agent's side of the vision worker: standard library only, and never in the ledger's way.

Rules kept here:
- `inspect` always answers, within `VERDICT_S`, and never raises for trouble in the worker: what can not be
  judged is `review`, with the reason. A vision check may delay a pick by that much, and never stop it.
- A worker that dies, falls silent or speaks nonsense is replaced: backoff with jitter, a warning when it is
  lost and a line when it is back. Its open requests become `review` / `worker_lost` at once; none is asked
  again, for the item may have left the tray.
- A camera that scans tells what it sees (`lookers`); while there is no worker, its scanner is lost.
- `stop` is bounded: the pipe is closed, then SIGTERM, then SIGKILL.
"""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from bodega.errors import InvalidInput, PeerFault, Unavailable
from bodega.host.log import get_logger
from bodega.limits import (
    DEVICE_BACKOFF_MAX_S,
    DEVICE_MISSES_BEFORE_GONE,
    FRAMES_WAITING_MAX,
    SNAPSHOT_S,
    SNAPSHOTS_WAITING_MAX,
    STOP_S,
    VERDICT_S,
    VISION_MESSAGE_BYTES_MAX,
    VISION_START_S,
)
from bodega_adapters.backoff import backoff_delays
from bodega_agent.vision import wire
from bodega_agent.vision.messages import InspectRequest, Ready, Verdict, WorkerSpec, reason
from bodega_agent.vision.sightings import CameraNews, Sighting, Snapshot, SnapshotRequest
from bodega_agent.vision.streams import read_message

log = get_logger(__name__)

WORKER_COMMAND = (sys.executable, "-m", "bodega_agent.vision.worker")
_STOP_STEP_S = STOP_S / 4
_Answer = TypeVar("_Answer")


class Looker(Protocol):
    """Who is told what a camera sees: a scanner that scans by one."""

    @property
    def camera(self) -> str:
        """The camera's name."""
        ...

    def looked(self, codes: tuple[bytes, ...]) -> None:
        """What one look saw."""
        ...

    def lost(self, problem: str) -> None:
        """A look could not be made, and why."""
        ...


class VisionClient:
    """Starts the vision worker, keeps it alive, and asks it for verdicts. For one event loop."""

    def __init__(self, spec: WorkerSpec, *, command: tuple[str, ...] = WORKER_COMMAND) -> None:
        self._start_order = wire.encode("start", spec.to_json())
        self._command = command
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._pending: dict[str, asyncio.Future[Verdict]] = {}
        self._snapshots: dict[str, asyncio.Future[Snapshot]] = {}
        # By name, how each camera is as far as the worker of now has said.
        self.cameras: dict[str, CameraNews] = {}
        # Who is told what cameras see; asked for anew each time, for a scanner may be opened anew.
        self.lookers: Callable[[], Iterable[Looker]] = tuple
        self._ready = asyncio.Event()
        self._hello: Ready | None = None
        self._timeouts_in_a_row = 0
        self._delays = backoff_delays()
        self._lost = False

    @property
    def ready(self) -> bool:
        """Whether a worker is up with its model loaded."""
        return self._ready.is_set()

    @property
    def provider(self) -> str:
        """What onnxruntime in the worker says it runs on; "" until the first worker was ready."""
        return self._hello.provider if self._hello else ""

    @property
    def model(self) -> str:
        """The worker's model as name@digest12; "" until the first worker was ready."""
        return self._hello.model if self._hello else ""

    @property
    def pid(self) -> int | None:
        """The worker's process id, None while there is none."""
        return self._process.pid if self._process else None

    @property
    def waiting(self) -> int:
        """Inspections asked for and not answered yet."""
        return len(self._pending)

    async def start(self) -> None:
        """Start the worker and the task that keeps it alive. Does not wait for it to be ready."""
        if self._keeper is None:
            self._process = await self._spawn()
            self._keeper = asyncio.create_task(self._keep_alive(), name="vision-worker")

    async def wait_ready(self) -> None:
        """Wait until a worker is ready; for status pages and tests. Bound it with a timeout."""
        await self._ready.wait()

    async def stop(self) -> None:
        """End the worker, within `STOP_S` whatever it does; open requests become `worker_lost`."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])

    async def inspect(self, request: InspectRequest) -> Verdict:
        """Ask for one verdict; answers within `VERDICT_S`.

        Raises InvalidInput for a request that no worker would take, and for an id that is in flight already.
        """
        message = self._checked(request)
        began_s = time.monotonic()
        stdin = self._process.stdin if self._process else None
        if stdin is None:
            return _review(
                request, began_s, "worker_lost", "The camera process is not running; it is being restarted."
            )
        # The second bound: requests that timed out may still fill the pipe of a worker that does not read.
        if (
            len(self._pending) >= FRAMES_WAITING_MAX
            or stdin.transport.get_write_buffer_size() > VISION_MESSAGE_BYTES_MAX
        ):
            return _review(request, began_s, "busy", f"{len(self._pending)} inspections are waiting already.")
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._pending[request.request_id] = answer
        try:
            stdin.write(message)
            async with asyncio.timeout(VERDICT_S):
                return await answer
        except TimeoutError:
            self._note_timeout()
            return _review(
                request, began_s, "timeout", f"The camera process gave no answer within {VERDICT_S:g} s."
            )
        except _WorkerLost:
            return _review(
                request, began_s, "worker_lost", "The camera process died in the middle; a new one starts."
            )
        finally:
            self._pending.pop(request.request_id, None)

    async def snapshot(self, camera: str) -> Snapshot:
        """What a camera sees now; answers within `SNAPSHOT_S`. Raises Unavailable when there is no picture."""
        stdin = self._process.stdin if self._process else None
        if stdin is None or len(self._snapshots) >= SNAPSHOTS_WAITING_MAX:
            why = "the camera process is not running" if stdin is None else "too many snapshots are asked for"
            raise Unavailable(f"camera {camera}: {why}", hint="ask again in a moment")
        request = SnapshotRequest(uuid4().hex, camera)
        answer: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()
        self._snapshots[request.request_id] = answer
        try:
            stdin.write(wire.encode("snapshot", request.to_json()))
            async with asyncio.timeout(SNAPSHOT_S):
                snapshot = await answer
        except TimeoutError:
            raise Unavailable(
                f"camera {camera}: no picture within {SNAPSHOT_S:g} s", hint="ask again"
            ) from None
        except _WorkerLost:
            raise Unavailable(
                f"camera {camera}: the camera process died in the middle", hint="ask again when it is back"
            ) from None
        finally:
            self._snapshots.pop(request.request_id, None)
        if snapshot.problem:
            raise Unavailable(snapshot.problem, hint=snapshot.hint)
        return snapshot

    def _checked(self, request: InspectRequest) -> bytes:
        """The request as the worker will read it, refused here if the worker would refuse it."""
        if request.request_id in self._pending:
            raise InvalidInput(
                f"inspection {request.request_id} is in flight already", hint="use a fresh request_id"
            )
        try:
            InspectRequest.from_json(request.to_json())
            return wire.encode("inspect", request.to_json())
        except PeerFault as fault:
            raise InvalidInput(fault.message) from fault

    def _note_timeout(self) -> None:
        """Replace a worker that is there but silent. A slow start is another bound's matter."""
        self._timeouts_in_a_row += 1
        if self.ready and self._process and self._timeouts_in_a_row >= DEVICE_MISSES_BEFORE_GONE:
            log.warning("vision_worker_silent", pid=self.pid, timeouts=self._timeouts_in_a_row)
            _signal(self._process, "kill")

    async def _keep_alive(self) -> None:
        while True:
            await self._one_life()
            if not self._lost:
                log.warning("vision_worker_lost")
            self._lost = True
            await asyncio.sleep(next(self._delays))
            self._process = await self._spawn()

    async def _spawn(self) -> Process | None:
        try:
            process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE)
        except OSError as fault:
            log.warning("vision_worker_not_started", error=fault.strerror)
            return None
        if process.stdin is not None:
            process.stdin.write(self._start_order)
        return process

    async def _one_life(self) -> None:
        """From a fresh process to its end; afterwards nothing of it is left and nobody waits for it."""
        process = self._process
        born_s = time.monotonic()
        polite = True
        try:
            if process is not None and process.stdout is not None:
                await self._listen(process.stdout)
        except PeerFault as fault:
            polite = False
            log.warning("vision_worker_incoherent", error=fault.message)
        except TimeoutError:
            polite = False
            log.warning("vision_worker_start_timeout", limit_s=VISION_START_S)
        finally:
            # Only a worker that stayed up starts the delays anew; one that dies at each frame must not spin.
            if self.ready and time.monotonic() - born_s > DEVICE_BACKOFF_MAX_S:
                self._delays = backoff_delays()
            self._bury()
            if process is not None:
                await _seen_through(_end(process, polite=polite))

    def _bury(self) -> None:
        self._process = None
        self._ready.clear()
        self._timeouts_in_a_row = 0
        open_questions: list[asyncio.Future[Any]] = [*self._pending.values(), *self._snapshots.values()]
        for question in open_questions:
            if not question.done():
                question.set_exception(_WorkerLost())
        self.cameras.clear()
        for looker in self.lookers():
            looker.lost("the camera process is not running")

    async def _listen(self, stdout: asyncio.StreamReader) -> None:
        async with asyncio.timeout(VISION_START_S):
            first = await read_message(stdout)
        if first is None:
            return
        if first[0] != "ready":
            raise PeerFault(f"vision worker: expected ready, got {first[0]:.40}")
        self._hello = Ready.from_json(first[1])
        self._ready.set()
        self._lost = False
        log.info("vision_worker_up", pid=self.pid, model=self.model, provider=self.provider)
        while (message := await read_message(stdout)) is not None:
            kind, body = message
            if kind == "verdict":
                self._timeouts_in_a_row = 0
                verdict = Verdict.from_json(body)
                _answer(self._pending, verdict.request_id, verdict)
            elif kind == "snapshot":
                snapshot = Snapshot.from_json(body)
                _answer(self._snapshots, snapshot.request_id, snapshot)
            elif kind == "sighting":
                self._tell(Sighting.from_json(body))
            elif kind == "camera":
                news = CameraNews.from_json(body)
                self.cameras[news.camera] = news
            else:
                raise PeerFault(f"vision worker: expected verdict, snapshot or sighting, got {kind:.40}")

    def _tell(self, sighting: Sighting) -> None:
        for looker in self.lookers():
            if looker.camera != sighting.camera:
                continue
            if sighting.problem:
                looker.lost(sighting.problem)
            else:
                looker.looked(sighting.codes)


def _answer(waiting: dict[str, asyncio.Future[_Answer]], request_id: str, answer: _Answer) -> None:
    """Wake who asked. An answer that nobody waits for came too late: its request has timed out."""
    future = waiting.get(request_id)
    if future is not None and not future.done():
        future.set_result(answer)


class _WorkerLost(Exception):
    """The worker ended while a request was open."""


def _review(request: InspectRequest, began_s: float, code: str, sentence: str) -> Verdict:
    duration_ms = round((time.monotonic() - began_s) * 1000)
    return Verdict(request.request_id, "review", (reason(code, sentence),), duration_ms=duration_ms)


async def _seen_through(work: Coroutine[Any, Any, None]) -> None:
    """Await bounded work to its end, cancelled or not: a process that nobody waits for stays a zombie."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


async def _end(process: Process, *, polite: bool) -> None:
    """Close the pipe, ask, then force; returns when the process is gone, or after three bounded steps."""
    if process.stdin is not None:
        process.stdin.close()
    for action in ("", "terminate", "kill") if polite else ("kill",):
        if action:
            _signal(process, action)
        try:
            async with asyncio.timeout(_STOP_STEP_S):
                await process.wait()
        except TimeoutError:
            continue
        return
    log.error("vision_worker_unkillable", pid=process.pid)


def _signal(process: Process, action: str) -> None:
    try:
        getattr(process, action)()
    except ProcessLookupError:
        return
