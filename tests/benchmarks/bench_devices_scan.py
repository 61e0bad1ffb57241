"""From the last byte on the wire to the durable commit: four scanners at ten scans a second each, the camera busy.

A real agent (`bodega run`) without a hub; its scanners are pseudo-terminals, its floor receives: every scan is a
movement with its own commit. The clock starts before the frame is written and stops when the hand-held's beep is heard
on the control socket, which the agent gives after the commit; so the way to the screen counts too. Beside it all the
time, the agent's vision worker takes and judges one picture after the other from a folder camera (asked by this
benchmark: picks would ask for fewer). The raw limit is apsw writing the rows of one movement with the same pragmas on
the same disk, one fsync a commit, at the same pace beside the same camera. Bar, for a quiet machine:
`scan.to_commit_p99` <= 10 ms. `scan.wire_p99` is the kernel's part of it: a frame through a pseudo-terminal to a bare
read, which a worker of the kernel carries when it gets its turn. A scan without a beep, and one that the floor refuses,
fails the run.
"""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from benchmarks.result import Result
from benchmarks.scan_limits import median, p99, raw_limits
from bodega.limits import CONTROL_REQUEST_BYTES_MAX, FRAMES_KEPT_BYTES_MAX
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_agent.demo.handheld import ask
from bodega_agent.demo.patience import until
from bodega_agent.demo.processes import Child, Recipe
from bodega_agent.demo.world import python_module
from bodega_agent.vision.client import VisionClient
from bodega_agent.vision.messages import CameraSpec, InspectRequest, WorkerSpec
from support.bodega_command import fill_ledger, write_config
from support.node_under_test import gtin, scan_text
from support.tray_frames import save, tray, with_item

NAME = "devices.scan"

SCANNERS = 4
SCANS_A_SECOND = 10
SECONDS = 60
CAMERA = "bench"


def run() -> Iterator[Result]:
    """Milliseconds, p99 and median."""
    folder = Path(tempfile.mkdtemp(prefix="bench-scan-"))
    try:
        fill_ledger(folder)
        yield from asyncio.run(_measure(folder, SECONDS * SCANS_A_SECOND))
    finally:
        shutil.rmtree(folder)


async def _measure(folder: Path, scans_each: int) -> list[Result]:
    devices = {f"scanner-{n}": SimulatedScanner(folder / f"tty{n}") for n in range(1, SCANNERS + 1)}
    async with AsyncExitStack() as stack:
        for device in devices.values():
            stack.callback(device.close)
        camera = await stack.enter_async_context(busy_camera(folder))
        socket = await stack.enter_async_context(running(folder, devices))
        desks = [
            await stack.enter_async_context(watched(Desk(device), name, socket))
            for name, device in devices.items()
        ]
        for desk in desks:
            await desk.begin()
        pictures = camera.taken
        gc.collect()
        # The clock runs in this process, and a walk through what it has loaded takes 20 ms.
        gc.disable()
        stack.callback(gc.enable)
        await asyncio.gather(
            *(desk.scan_for_a_while(scans_each, number) for number, desk in enumerate(desks))
        )
        if camera.taken == pictures:
            raise RuntimeError("the camera was not busy: no picture was judged while scans were measured")
        wire_ms, raw_ms = await raw_limits(folder / "raw.db", a_second=SCANNERS * SCANS_A_SECOND)
    took_ms = [each for desk in desks for each in desk.took_ms]
    return [
        Result.against("scan.to_commit_p99", p99(took_ms), "ms", p99(raw_ms)),
        Result.against("scan.to_commit_p50", median(took_ms), "ms", median(raw_ms)),
        Result("scan.wire_p99", p99(wire_ms), "ms"),
    ]


@dataclass(slots=True)
class Desk:
    """One scanner and the screen beside it."""

    device: SimulatedScanner
    took_ms: list[float] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    _sent_s: deque[float] = field(default_factory=deque)
    _beeps: int | None = None

    async def begin(self) -> None:
        """Start to receive goods; what this takes does not count."""
        self.heard.clear()
        self._send("CMD-RECEIVE", "]C0")
        await self._until_answered()
        self.took_ms.clear()

    async def scan_for_a_while(self, scans: int, number: int) -> None:
        """Scan at an even pace, the scanners out of step with each other, and wait for the last beep."""
        loop = asyncio.get_running_loop()
        begin_s = loop.time() + number / SCANNERS / SCANS_A_SECOND
        for scan in range(scans):
            await asyncio.sleep(max(0.0, begin_s + scan / SCANS_A_SECOND - loop.time()))
            self._send(scan_text(1), "]E0")
        await self._until_answered()

    def show(self, prompt: dict[str, object]) -> None:
        """A screen has arrived: one beep for each number that it is above the last."""
        now_s, answer, beeps = time.perf_counter(), prompt["answer"], prompt["scan_no"]
        if not isinstance(beeps, int) or (isinstance(answer, dict) and answer["tone"] == "error"):
            raise RuntimeError(f"the floor refuses: {answer}")
        for _ in range(beeps - (beeps if self._beeps is None else self._beeps)):
            self.took_ms.append((now_s - self._sent_s.popleft()) * 1000)
        self._beeps = beeps
        self.heard.set()

    def _send(self, text: str, symbology: str) -> None:
        self._sent_s.append(time.perf_counter())
        self.device.scan(text, symbology)

    async def _until_answered(self) -> None:
        await until("every scan to be answered", lambda: not self._sent_s)


@asynccontextmanager
async def watched(desk: Desk, name: str, socket: Path) -> AsyncIterator[Desk]:
    """A desk whose screen is on."""
    reader, writer = await asyncio.open_unix_connection(socket, limit=CONTROL_REQUEST_BYTES_MAX)
    writer.write(json.dumps({"op": "watch", "device": name}).encode() + b"\n")

    async def listen() -> None:
        while line := await reader.readline():
            desk.show(json.loads(line)["result"])
        raise RuntimeError("the agent hung up")

    listening = asyncio.create_task(listen())
    try:
        await desk.heard.wait()
        yield desk
        if listening.done():
            listening.result()
    finally:
        listening.cancel()
        writer.close()


@asynccontextmanager
async def running(folder: Path, devices: dict[str, SimulatedScanner]) -> AsyncIterator[Path]:
    """The agent with these scanners open; its control socket."""
    tables = "".join(
        f'[[scanners]]\nname = "{name}"\ndriver = "serial"\noptions = {{ port = "{device.path}" }}\n'
        for name, device in devices.items()
    )
    argv = python_module("bodega_agent.cli", "run", "--config", str(write_config(folder, extra=tables)))
    agent = Child(Recipe("agent", argv, folder / "agent.log"), folder)
    socket = folder / "control.sock"

    async def all_open() -> bool:
        states = {each["name"]: each["state"] for each in (await ask(socket, "status"))["devices"]}
        return all(states[name] == "ok" for name in devices)

    try:
        await agent.start()
        await until("every scanner to be open", all_open)
        yield socket
    finally:
        await agent.stop()


@dataclass(slots=True)
class BusyCamera:
    """How many pictures were taken and judged."""

    taken: int = 0


@asynccontextmanager
async def busy_camera(folder: Path) -> AsyncIterator[BusyCamera]:
    """The agent's vision worker on a folder camera, asked for one verdict after the other."""
    picture = save(with_item(tray(), scan_text(1)), folder / "tray" / "frame.png")
    client = VisionClient(
        WorkerSpec(
            cameras={CAMERA: CameraSpec("folder", {"path": str(picture)})},
            frames_dir=str(folder / "frames"),
            frames_bytes_max=FRAMES_KEPT_BYTES_MAX,
            free_bytes_min=0,
            providers=("CPUExecutionProvider",),
        )
    )
    camera = BusyCamera()

    async def look_for_ever() -> None:
        await client.wait_ready()
        while True:
            verdict = await client.inspect(InspectRequest(str(uuid4()), CAMERA, "pick", (gtin(1),)))
            if verdict.outcome != "pass":
                raise RuntimeError(f"the camera is not busy: {verdict.reasons}")
            camera.taken += 1

    looking: asyncio.Task[None] | None = None
    try:
        await client.start()
        looking = asyncio.create_task(look_for_ever())
        await until("a first picture", lambda: camera.taken > 0 or looking.done())
        yield camera
        if looking.done():
            looking.result()
    finally:
        if looking:
            looking.cancel()
        await client.stop()
