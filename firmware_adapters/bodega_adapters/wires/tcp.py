"""A wire over TCP, such as a printer's port 9100."""

from __future__ import annotations

import asyncio
import errno

from bodega.limits import TCP_LINGER_S

_READ_BYTES = 4096


class TcpWire:
    """A `Wire` over one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, timeout_s: float | None) -> bytes:
        """See Wire."""
        try:
            async with asyncio.timeout(timeout_s):
                data = await self._reader.read(_READ_BYTES)
        except TimeoutError:
            return b""
        if not data and not self._writer.is_closing():
            raise OSError(errno.ECONNRESET, "the device hung up")
        return data

    async def write(self, data: bytes) -> None:
        """See Wire."""
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """See Wire. What was written is still sent, within TCP_LINGER_S."""
        self._writer.close()
        # A peer that takes nothing would keep the connection, and what waits in it, for ever.
        asyncio.get_running_loop().call_later(TCP_LINGER_S, self._writer.transport.abort)


async def open_tcp(host: str, port: int, timeout_s: float) -> TcpWire:
    """Connect; raises OSError, of which TimeoutError is one."""
    async with asyncio.timeout(timeout_s):
        return TcpWire(*await asyncio.open_connection(host, port))
