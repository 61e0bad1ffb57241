"""Waiting for the world, with a bound and a name for what is waited for."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from bodega.errors import Unavailable

LOOK_S = 0.05
WAIT_S = 60.0


async def until(what: str, is_so: Callable[[], bool | Awaitable[bool]], *, seconds: float = WAIT_S) -> None:
    """Look until it is so; Unavailable, naming `what`, if that takes too long."""
    try:
        async with asyncio.timeout(seconds):
            while not await _answer(is_so):  # noqa: ASYNC110 (other processes set no asyncio.Event)
                await asyncio.sleep(LOOK_S)
    except TimeoutError as error:
        raise Unavailable(
            f"waited {seconds:.0f} s in vain for {what}", hint="read the logs in the demo's folder"
        ) from error


async def _answer(is_so: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = is_so()
    return await answer if inspect.isawaitable(answer) else answer
