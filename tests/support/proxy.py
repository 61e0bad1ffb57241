"""A TCP proxy in front of a server of this machine whose network can be cut, healed and swallowed.

`cut()` resets what is open and every new connection. `black_hole()` keeps all open and passes nothing, as a
firewall that forgot a connection does: neither side is told. `heal()` ends both; connections that were
swallowed do not come back to life, for their bytes are lost. It counts what it passes, both ways.
"""

from __future__ import annotations

import asyncio
from enum import Enum

_READ_BYTES = 64 * 1024


class Net(Enum):
    """What the network does now."""

    WHOLE = "whole"
    CUT = "cut"
    SWALLOWED = "swallowed"


class Proxy:
    """Use as `async with Proxy(port) as proxy:` and connect to `proxy.port`."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.StreamWriter] = set()
        self._state = Net.WHOLE
        self._healed = asyncio.Event()
        self.port = 0
        self.passed_bytes = 0
        self.connected_at_s = 0.0

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """What a NATS client connects to."""
        return f"nats://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Reset everything, until `heal`."""
        self._state = Net.CUT
        self._abort_all()

    def black_hole(self) -> None:
        """Pass nothing and tell nobody, until `heal`."""
        self._state = Net.SWALLOWED
        self._healed.clear()

    def heal(self) -> None:
        """Pass everything again, for new connections."""
        self._abort_all()
        self._state = Net.WHOLE
        self._healed.set()

    def _abort_all(self) -> None:
        for writer in tuple(self._links):
            writer.transport.abort()
        self._healed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        try:
            if self._state is Net.SWALLOWED:
                await self._healed.wait()
            elif self._state is Net.WHOLE:
                await self._forward(reader, writer)
        except OSError:
            return  # the upstream is down, or one side was cut; the abort below tells the other
        finally:
            self._links.discard(writer)
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        self._links.add(upstream)
        self.connected_at_s = asyncio.get_running_loop().time()
        try:
            pumps = [
                asyncio.create_task(self._pump(reader, upstream)),
                asyncio.create_task(self._pump(upstream_reader, writer)),
            ]
            _, rest = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in rest:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._links.discard(upstream)
            upstream.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_READ_BYTES):
            if self._state is Net.SWALLOWED:
                await self._healed.wait()  # reading no more fills the sender's socket, as a dead line does
                return
            writer.write(data)
            self.passed_bytes += len(data)
            await writer.drain()
