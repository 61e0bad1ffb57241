"""Ending tasks: a library (nats-py while it connects, `wait_for` of Python 3.11) can swallow a cancel, so again."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Iterable
from typing import Any

_CANCEL_AGAIN_S = 0.2


async def end(
    tasks: Iterable[asyncio.Task[Any]], within_s: float = math.inf, *, again_s: float = _CANCEL_AGAIN_S
) -> None:
    """Cancel until all have ended; those that have not after `within_s` are left behind. Raises nothing of theirs.

    `again_s`: how long a task may tidy up before it is cancelled again, which cuts that short.
    """
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + within_s
    pending = {task for task in tasks if not task.done()}
    while pending and loop.time() < give_up_s:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=min(again_s, give_up_s - loop.time()))


async def to_its_end(work: Coroutine[None, None, None]) -> None:
    """Wait for work that no cancel may cut; one that came meanwhile is raised when it is done."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()


def failure_of(task: asyncio.Task[Any]) -> BaseException | None:
    """What a task died of, if it did; a cancel is no failure."""
    return task.exception() if task.done() and not task.cancelled() else None
