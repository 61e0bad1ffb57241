"""A TCP proxy in front of a server of this machine whose network can be cut, healed and swallowed.

`cut()` resets what is open and every new connection. `black_hole()` keeps all open and passes nothing, as a
firewall that forgot a connection does: neither side is told; it may swallow one direction only. `heal()` ends
both; connections that were swallowed do not come back to life, for their bytes are lost. `slow_down()` makes
every piece late, `blow_after()` resets all in the middle of what a client sends. It counts what it passes,
both ways.
"""

from __future__ import annotations

import asyncio
import random
from enum import Enum

_READ_BYTES = 64 * 1024


class Way(Enum):
    """A direction."""

    TO_SERVER = "to the server"
    TO_CLIENT = "to the client"


BOTH = frozenset(Way)


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
        self._swallowed = BOTH
        self._late_s = (0.0, 0.0)
        self._fuse_bytes: int | None = None
        self._blown = asyncio.Event()
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

    def black_hole(self, *ways: Way) -> None:
        """Pass nothing in these directions (none named: both) and tell nobody, until `heal`."""
        self._state = Net.SWALLOWED
        self._swallowed = frozenset(ways) or BOTH
        self._healed.clear()

    def heal(self) -> None:
        """Pass everything again, for new connections."""
        self._abort_all()
        self._state = Net.WHOLE
        self._healed.set()

    def slow_down(self, shortest_s: float, longest_s: float) -> None:
        """Each piece of up to 64 KiB waits in line for a time between these, in both directions."""
        self._late_s = (shortest_s, longest_s)

    async def blow_after(self, octets: int) -> None:
        """Pass so many more bytes from clients, reset all connections right behind them, and return then."""
        self._fuse_bytes = octets
        self._blown.clear()
        await self._blown.wait()

    def _abort_all(self) -> None:
        for writer in tuple(self._links):
            writer.transport.abort()
        self._healed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        try:
            if self._state is Net.SWALLOWED and self._swallowed == BOTH:
                await self._healed.wait()
            elif self._state is not Net.CUT:
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
                asyncio.create_task(self._pump(reader, upstream, Way.TO_SERVER)),
                asyncio.create_task(self._pump(upstream_reader, writer, Way.TO_CLIENT)),
            ]
            _, rest = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in rest:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._links.discard(upstream)
            upstream.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        while data := await reader.read(_READ_BYTES):
            if self._state is Net.SWALLOWED and way in self._swallowed:
                await self._healed.wait()  # reading no more fills the sender's socket, as a dead line does
                return
            if self._late_s[1]:
                await asyncio.sleep(random.uniform(*self._late_s))
            if way is Way.TO_SERVER and self._fuse_bytes is not None:
                data, self._fuse_bytes = data[: self._fuse_bytes], self._fuse_bytes - len(data)
            writer.write(data)
            self.passed_bytes += len(data)
            await writer.drain()
            if self._fuse_bytes is not None and self._fuse_bytes <= 0:
                self._blow()

    def _blow(self) -> None:
        self._fuse_bytes = None
        for writer in tuple(self._links):
            writer.close()  # what was passed arrives, and nothing after it
        self._blown.set()
