"""A vision worker with cameras over folders, for tests: spec, requests, processes that must be gone."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from bodega_agent.vision.client import WORKER_COMMAND, VisionClient
from bodega_agent.vision.messages import CameraSpec, InspectRequest, WorkerSpec

PEN = "04006381333931"
START_S = 60.0
GONE_S = 30.0
_numbers = itertools.count(1)


def spec(folder: Path, *cameras: str, frames_bytes_max: int = 50_000_000) -> WorkerSpec:
    """Each camera shows the newest picture of the folder that has its name."""
    return WorkerSpec(
        cameras={name: CameraSpec("folder", {"path": str(folder / name)}) for name in cameras},
        frames_dir=str(folder / "frames"),
        frames_bytes_max=frames_bytes_max,
        free_bytes_min=0,
        providers=("CPUExecutionProvider",),
    )


def request(camera: str, *expected_gtins: str) -> InspectRequest:
    """A fresh request; without GTINs it expects the pen."""
    return InspectRequest(f"inspection-{next(_numbers)}", camera, "pick", expected_gtins or (PEN,), "fo-1/1")


@asynccontextmanager
async def running(
    worker: WorkerSpec, command: tuple[str, ...] = WORKER_COMMAND
) -> AsyncIterator[VisionClient]:
    """A client whose worker is ready."""
    client = VisionClient(worker, command=command)
    await client.start()
    try:
        async with asyncio.timeout(START_S):
            await client.wait_ready()
        yield client
    finally:
        await client.stop()


def is_gone(pid: int) -> bool:
    """Whether the process has ended within `GONE_S`; one that nobody has reaped yet has ended too."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        process.wait(GONE_S)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return psutil.pid_exists(pid) and psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True
