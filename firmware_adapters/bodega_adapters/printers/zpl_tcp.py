"""ZPL printers over TCP (port 9100): one connection a job, status read back with `~HS`.

How an outcome is found (the meaning is in `bodega_adapters.ports.LabelPrinter`):

    connect           refused, timed out                    -> failed
    ask status first  connection lost, or a flag is raised  -> failed: no byte of the job was written
                      silence                               -> go on: the label matters more
    write the job     anything goes wrong from here on      -> unknown
    ask until empty   no flag, empty queue                  -> confirmed
                      a flag, silence, nonsense             -> unknown

Answers come in the order of the questions, and those still owed are read and thrown away first: a late answer
to the question before the job must not pass as the answer after it.

Nothing is ever written twice. Status is asked around jobs only: polling slows some real printers. A
connection a job, because most printers serve one client at a time and another agent may want its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bodega.errors import InvalidInput, PeerFault, Unavailable
from bodega.host.log import get_logger
from bodega.limits import (
    HOST_STATUS_BYTES_MAX,
    LABEL_BYTES_MAX,
    PRINT_CONNECT_S,
    PRINT_DONE_S,
    PRINT_POLL_S,
    PRINT_STATUS_S,
)
from bodega_adapters.framing.printer_status import HOST_STATUS_LINES, HOST_STATUS_REQUEST, parse_host_status
from bodega_adapters.ports import PrinterAbilities, PrinterStatus, PrintReceipt, Recognition

log = get_logger(__name__)

_ETX = b"\x03"


@dataclass(slots=True)
class _Wire:
    """One connection to the printer, and how many lines of answers it still owes us."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    lines_owed: int = 0


class ZplTcpPrinter:
    """A `LabelPrinter` over TCP. See `bodega_adapters.ports.LabelPrinter` for its duties.

    Options: `host`, `port`, and the waits in seconds: `connect_s`; `status_s` for one answer; `done_s` for
    all from the first byte of the job to its confirmation.
    """

    recognises = Recognition(address="tcp HOST:9100")

    def __init__(
        self,
        name: str,
        host: str,
        port: int = 9100,
        *,
        connect_s: float = PRINT_CONNECT_S,
        status_s: float = PRINT_STATUS_S,
        done_s: float = PRINT_DONE_S,
    ) -> None:
        if not 1 <= port <= 65_535:
            raise InvalidInput(f"printer {name}: port {port} is not a TCP port", hint="9100 is the usual one")
        if min(connect_s, status_s, done_s) <= 0:
            raise InvalidInput(
                f"printer {name}: waits must be longer than 0 s", hint="leave them out for the usual"
            )
        self.name = name
        self._host = host
        self._port = port
        self._connect_s = connect_s
        self._status_s = status_s
        self._done_s = done_s
        self._turn = asyncio.Lock()

    @property
    def abilities(self) -> PrinterAbilities:
        """See LabelPrinter."""
        return PrinterAbilities("zpl", 8, 101, says_status=True, confirms=True)

    async def status(self) -> PrinterStatus:
        """Ask the printer now; raises `Unavailable` (no connection, no answer) or `PeerFault` (nonsense)."""
        async with self._turn, self._connection() as wire:
            try:
                return await self._ask(wire)
            except TimeoutError as error:
                raise self._unavailable("does not answer ~HS") from error
            except (OSError, EOFError) as error:
                raise self._unavailable(f"lost the connection: {error}") from error

    async def print_label(self, label: bytes) -> PrintReceipt:
        """Send one label once; the table in this module's docstring says how each case ends."""
        if not 0 < len(label) <= LABEL_BYTES_MAX:
            raise InvalidInput(f"a label of {len(label)} bytes is not between 1 and {LABEL_BYTES_MAX}")
        async with self._turn:
            try:
                async with self._connection() as wire:
                    receipt = await self._print(wire, label)
            except Unavailable as error:
                receipt = PrintReceipt("failed", error.message)
        level = log.info if receipt.outcome == "confirmed" else log.warning
        level(
            "label_sent", device=self.name, outcome=receipt.outcome, detail=receipt.detail, bytes=len(label)
        )
        return receipt

    async def close(self) -> None:
        """Wait for the job in hand; no connection is held between jobs."""
        async with self._turn:
            return

    async def _print(self, wire: _Wire, zpl: bytes) -> PrintReceipt:
        obstacle = await self._obstacle(wire)
        if obstacle:
            return PrintReceipt("failed", obstacle)
        try:
            async with asyncio.timeout(self._done_s):
                wire.writer.write(zpl)
                await wire.writer.drain()
                return await self._settle(wire)
        except TimeoutError:
            return PrintReceipt("unknown", "the printer did not report the label as printed in time")
        except (OSError, EOFError, PeerFault) as error:
            return PrintReceipt("unknown", f"trouble after the first byte: {error}")

    async def _obstacle(self, wire: _Wire) -> str:
        """Why the job should not be sent now; empty if it may be."""
        try:
            before = await self._ask(wire)
        except TimeoutError:
            return ""
        except (OSError, EOFError, PeerFault) as error:
            return f"no usable status before the job: {error}"
        return "" if before.ready else f"the printer is not ready: {before.detail}"

    async def _settle(self, wire: _Wire) -> PrintReceipt:
        """Ask until the queue is empty or something is wrong; the caller bounds the time."""
        while True:
            status = await self._ask(wire)
            if not status.ready:
                return PrintReceipt("unknown", f"sent, and then the printer said: {status.detail}")
            if status.queued_labels == 0:
                return PrintReceipt("confirmed", "printed, queue empty")
            await asyncio.sleep(PRINT_POLL_S)

    async def _ask(self, wire: _Wire) -> PrinterStatus:
        async with asyncio.timeout(self._status_s):
            wire.writer.write(HOST_STATUS_REQUEST)
            wire.lines_owed += HOST_STATUS_LINES
            await wire.writer.drain()
            lines: list[bytes] = []
            while wire.lines_owed:
                lines.append(await self._line(wire))
                wire.lines_owed -= 1
        return parse_host_status(b"".join(lines[-HOST_STATUS_LINES:]))

    async def _line(self, wire: _Wire) -> bytes:
        try:
            return await wire.reader.readuntil(_ETX)
        except asyncio.LimitOverrunError as error:
            raise PeerFault(f"printer {self.name} answers ~HS without end") from error

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Wire]:
        try:
            async with asyncio.timeout(self._connect_s):
                wire = _Wire(
                    *await asyncio.open_connection(self._host, self._port, limit=HOST_STATUS_BYTES_MAX)
                )
        except TimeoutError as error:
            raise self._unavailable(f"does not accept a connection in {self._connect_s} s") from error
        except OSError as error:
            raise self._unavailable(f"can not be reached: {error.strerror or error}") from error
        try:
            yield wire
        finally:
            await self._hang_up(wire)

    async def _hang_up(self, wire: _Wire) -> None:
        wire.writer.close()
        try:
            async with asyncio.timeout(self._status_s):
                await wire.writer.wait_closed()
        except OSError:  # TimeoutError is one; the outcome is known by now, and a lost peer is closed enough
            wire.writer.transport.abort()

    def _unavailable(self, problem: str) -> Unavailable:
        return Unavailable(
            f"printer {self.name} at {self._host}:{self._port} {problem}",
            hint="check that the printer is on and on the network",
        )
