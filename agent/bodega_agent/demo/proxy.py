"""The cable between one node and the broker, as a TCP proxy that can be cut and healed.

A cut is a pulled cable: nothing passes, nobody is told, connections look alive until somebody's patience ends.
What was sent meanwhile waits and arrives after the heal, as TCP would send it again; if the connection was
given up in between, it is lost, and either side may or may not have got the last message. That doubt is what
sync must survive. The proxy keeps its own book of when the cable was cut, healed and used again; the figures
of the run come from that book, not from what anybody meant to do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_READ_BYTES = 64 * 1024


@dataclass(slots=True)
class Outage:
    """One time without sync, in wall-clock milliseconds; None for what has not happened yet.

    `healed_ms` is when the cable was put back, or the killed agent started again; `used_ms` when the first
    bytes of the node came through after that.
    """

    began_ms: int
    healed_ms: int | None = None
    used_ms: int | None = None


class Cable:
    """Listens on a free port of this machine and forwards to `upstream_port` of it."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self.port = 0
        self.cuts: list[Outage] = []
        self._outages: list[Outage] = []

    async def start(self) -> None:
        """Listen; `port` is known afterwards."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Pull the cable; nothing if it is out."""
        if self._passing.is_set():
            self._passing.clear()
            self.cuts.append(self.outage())

    def outage(self) -> Outage:
        """Note that an outage begins now; the book tells when the cable is used again after its `healed_ms`."""
        outage = Outage(now_ms())
        self._outages.append(outage)
        return outage

    def heal(self) -> None:
        """Put the cable back; nothing if it is in."""
        if not self._passing.is_set():
            self.cuts[-1].healed_ms = now_ms()
            self._passing.set()

    async def close(self) -> None:
        """Stop listening and reset what is open; safe to call twice."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for writer in tuple(self._links):
            writer.transport.abort()
        self._passing.set()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio serves every connection in a task"
        self._serving.add(task)
        self._links.add(writer)
        try:
            await self._passing.wait()
            await self._forward(reader, writer)
        except OSError:
            return  # one end hung up; the other one learns it from the reset below
        finally:
            await self._reset(writer)
            self._serving.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        self._links.add(upstream)
        pumps = [
            asyncio.create_task(self._pump(reader, upstream, on_passed=self._note_use)),
            asyncio.create_task(self._pump(upstream_reader, writer)),
        ]
        try:
            # A half-closed link is of no use to NATS: when one direction ends, both do, if they can know.
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            await self._passing.wait()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await self._reset(upstream)

    async def _reset(self, writer: asyncio.StreamWriter) -> None:
        self._links.discard(writer)
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_passed: Callable[[], None] = lambda: None,
    ) -> None:
        while data := await reader.read(_READ_BYTES):
            await self._passing.wait()
            writer.write(data)
            on_passed()
            await writer.drain()

    def _note_use(self) -> None:
        for outage in self._outages:
            if outage.healed_ms is not None and outage.used_ms is None:
                outage.used_ms = now_ms()


def now_ms() -> int:
    """Wall clock, milliseconds since 1970-01-01 UTC, as the journals use it."""
    return time.time_ns() // 1_000_000
