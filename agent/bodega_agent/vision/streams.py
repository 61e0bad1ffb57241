"""Reads the messages of `wire` from an asyncio stream; both ends of the pipe use it."""

from __future__ import annotations

import asyncio

from bodega.errors import PeerFault
from bodega_agent.vision import wire


async def read_message(stream: asyncio.StreamReader) -> tuple[str, object] | None:
    """The next message as (kind, body), or None when the other end has closed the pipe.

    Raises PeerFault for a message that is too long, cut short or not JSON.
    """
    try:
        prefix = await stream.readexactly(wire.PREFIX_BYTES)
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise PeerFault("vision message: the pipe closed inside a length") from end
        return None
    try:
        return wire.decode(await stream.readexactly(wire.content_length(prefix)))
    except asyncio.IncompleteReadError as end:
        raise PeerFault("vision message: the pipe closed inside a message") from end
