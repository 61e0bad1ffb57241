"""A ZPL printer on a TCP port of this machine, with its memory, its roll of labels and its faults.

It behaves as far as exactly-once printing can tell: bytes of all connections go into one receive buffer
that survives hang-ups and loses everything with the power; `^XA` ... `^XZ` is a label, and a new `^XA`
before `^XZ` starts over; a label prints when the printer has paper, else it waits; `~HS` is answered out of
turn.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from bodega.limits import HOST_STATUS_BYTES_MAX, LABEL_BYTES_MAX
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.framing.printer_status import HOST_STATUS_REQUEST

_START = b"^XA"
_END = b"^XZ"
_SSCC_FIELD = re.compile(rb"\^FD>;>800([0-9]{18})\^FS")
_READ_BYTES = 4096


@dataclass(frozen=True, slots=True)
class PrintedLabel:
    """A label that came out. `sscc` is read from its barcode field; `at_ms` is wall-clock time."""

    zpl: bytes
    sscc: str | None
    at_ms: int


class SimulatedZplPrinter:
    """The device side. Faults, all free to set at any time:

    - `paper_out`, `head_open`, `paused`: labels wait, and the status says so. Clearing them prints what
      waits.
    - `labels_on_roll`: the printer runs out of paper after so many labels; None for an endless roll.
    - `drop_connection_after_bytes`: the first connection that brings so many bytes is reset then; once. One
      that only asks for the status brings too few.
    - `answer_status`: False keeps silent on `~HS`. `claims_ready`: True answers "ready, nothing queued"
      whatever is.
    - `power_off()`, `power_on()`.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port
        self.labels: list[PrintedLabel] = []
        self.labels_on_roll: int | None = None
        self.drop_connection_after_bytes: int | None = None
        self.answer_status = True
        self.claims_ready = False
        self._stops = {"paper_out": False, "head_open": False, "paused": False}
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._received = b""
        self._waiting: list[bytes] = []

    async def start(self) -> None:
        """Plug in and switch on; `port` is the real one afterwards (and stays the same from then on)."""
        await self.power_on()

    async def power_on(self) -> None:
        """Listen; nothing if on."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def power_off(self) -> None:
        """Reset every connection and forget everything that was not printed."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for writer in tuple(self._connections):
            writer.transport.abort()
        await server.wait_closed()
        self._received = b""
        self._waiting.clear()

    async def close(self) -> None:
        """Same as `power_off`; safe to call twice."""
        await self.power_off()

    @property
    def queued_labels(self) -> int:
        """Labels received and not printed, counting one that has only begun to arrive."""
        return len(self._waiting) + (_START in self._received)

    @property
    def paper_out(self) -> bool:
        """Whether the roll is empty."""
        return self._stops["paper_out"]

    @paper_out.setter
    def paper_out(self, value: bool) -> None:
        self._set_stop("paper_out", value)

    @property
    def head_open(self) -> bool:
        """Whether someone opened the print head."""
        return self._stops["head_open"]

    @head_open.setter
    def head_open(self, value: bool) -> None:
        self._set_stop("head_open", value)

    @property
    def paused(self) -> bool:
        """Whether someone pressed pause."""
        return self._stops["paused"]

    @paused.setter
    def paused(self, value: bool) -> None:
        self._set_stop("paused", value)

    def _set_stop(self, stop: str, value: bool) -> None:
        self._stops[stop] = value
        if stop == "paper_out" and not value and self.labels_on_roll == 0:
            self.labels_on_roll = None
        self._print_waiting()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        limit = self.drop_connection_after_bytes
        try:
            while data := await reader.read(_READ_BYTES if limit is None else min(limit, _READ_BYTES)):
                for _ in range(self._take(data)):
                    writer.write(self._host_status())
                if limit is not None:
                    limit -= len(data)
                    if limit <= 0:
                        writer.transport.abort()
                        return
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            return  # the client hung up, or the power went: a printer does not mind
        finally:
            if limit is not None and limit <= 0:
                self.drop_connection_after_bytes = None
            self._connections.discard(writer)
            writer.close()

    def _take(self, data: bytes) -> int:
        """Put bytes into the memory and print what is complete; returns how many status answers are due."""
        self._received += data
        questions = self._received.count(HOST_STATUS_REQUEST)
        self._received = self._received.replace(HOST_STATUS_REQUEST, b"")
        while (end := self._received.find(_END)) >= 0:
            whole, self._received = self._received[: end + len(_END)], self._received[end + len(_END) :]
            start = whole.rfind(_START)
            if start >= 0:
                self._waiting.append(whole[start:])
        # What a full memory can not hold is lost, but never the start of a command.
        self._received = self._received[-LABEL_BYTES_MAX:]
        self._print_waiting()
        return questions if self.answer_status else 0

    def _print_waiting(self) -> None:
        while self._waiting and not any(self._stops.values()):
            if self.labels_on_roll == 0:
                self._stops["paper_out"] = True
                return
            if self.labels_on_roll is not None:
                self.labels_on_roll -= 1
            zpl = self._waiting.pop(0)
            found = _SSCC_FIELD.search(zpl)
            sscc = found.group(1).decode() if found is not None else None
            self.labels.append(PrintedLabel(zpl, sscc, wall_clock_ms()))

    def _host_status(self) -> bytes:
        """The three lines of `~HS`; fields as in `bodega_adapters.framing.printer_status`."""
        honest = not self.claims_ready
        paper, head, pause = (
            int(self._stops[stop] and honest) for stop in ("paper_out", "head_open", "paused")
        )
        partial = int(_START in self._received and honest)
        waiting = len(self._waiting) if honest else 0
        reply = (
            f"\x02030,{paper},{pause},1218,{waiting:03d},0,0,{partial},000,0,0,0\x03\r\n"
            f"\x02000,0,{head},0,1,2,6,0,00000000,1,000\x03\r\n"
            "\x021234,0\x03\r\n"
        ).encode()
        if len(reply) > HOST_STATUS_BYTES_MAX:
            raise AssertionError("a host status never grows beyond its bound")
        return reply
