"""A box that puts a serial line on the network, as sold for scales: one TCP client at a time gets the line."""

from __future__ import annotations

import asyncio

from bodega_adapters.wires.descriptor import DescriptorWire, open_serial


class SerialBridge:
    """Bytes of a TCP connection to the line at `path` and back; hangs up when the line is gone."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Hang up."""
        if self._server is None:
            return
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            line = await open_serial(self._path, 9600)
        except OSError:
            writer.close()
            return
        ways = [asyncio.create_task(_down(reader, line)), asyncio.create_task(_up(line, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            return
        finally:
            self._clients.discard(task)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            line.close()
            writer.close()


async def _down(reader: asyncio.StreamReader, line: DescriptorWire) -> None:
    while data := await reader.read(100):
        await line.write(data)


async def _up(line: DescriptorWire, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            writer.write(await line.read(None))
            await writer.drain()
    except OSError:
        return
