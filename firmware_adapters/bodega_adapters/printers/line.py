"""One conversation with a printer: a wire, what was read too far, and how many answers are still owed."""

from __future__ import annotations

import asyncio

from bodega.errors import PeerFault
from bodega.limits import PRINT_POLL_S, PRINTER_ANSWER_BYTES_MAX
from bodega_adapters.wires.wire import Wire


class Line:
    """Reads answers off a wire; the caller bounds the time."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.owed = 0
        self._unread = b""

    async def until(self, end: bytes) -> bytes:
        """Everything up to `end`, with it. Raises OSError, and `PeerFault` for an answer without end."""
        while (found := self._unread.find(end)) < 0:
            if len(self._unread) > PRINTER_ANSWER_BYTES_MAX:
                raise PeerFault(f"an answer without end: {self._unread[:40]!r}")
            await self._more()
        answer, self._unread = self._unread[: found + len(end)], self._unread[found + len(end) :]
        return answer

    async def exactly(self, size: int) -> bytes:
        """The next bytes. Raises OSError."""
        while len(self._unread) < size:
            await self._more()
        answer, self._unread = self._unread[:size], self._unread[size:]
        return answer

    async def _more(self) -> None:
        data = await self.wire.read(None)
        if not data:
            # A USB printer may end a transfer without a byte; nothing is lost, but it must not be asked in a circle.
            await asyncio.sleep(PRINT_POLL_S)
        self._unread += data
