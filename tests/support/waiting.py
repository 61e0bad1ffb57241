"""Wait for a fact instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

# By how much a machine that has too much to do may miss a bound; how fast a thing is, is for the benchmarks.
BUSY_MACHINE_S = 30.0


async def until(fact: Callable[[], bool], within_s: float = 60.0, what: str = "") -> None:
    """Return once `fact()` is true; TimeoutError, naming it, after `within_s`."""

    async def poll() -> bool:
        return fact()

    await until_async(poll, within_s, what)


async def until_async(
    fact: Callable[[], Awaitable[bool]], within_s: float = 60.0, what: str = "", *, look_s: float = 0.01
) -> None:
    """The same for a question that must be awaited; `look_s` between two looks, for a dear one."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not await fact():
        if loop.time() > deadline:
            raise TimeoutError(f"not within {within_s} s: {what or 'the fact'}")
        await asyncio.sleep(look_s)
