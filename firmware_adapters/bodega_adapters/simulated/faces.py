"""The sides that a simulated printer shows: a TCP port of this machine and, if asked, a pseudo-terminal.

What a printer keeps (its memory, its paper, its faults) is a `PrinterMemory`, and is the same behind all sides. The
terminal serves as a serial line and as a device file of a USB printer.

As port 9100 of a label printer does, the TCP port reads one connection at a time; the next one waits until it ends.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from bodega_adapters.simulated.pty_end import PtyEnd

_READ_BYTES = 4096


class PrinterMemory(ABC):
    """The inside of a printer. Faults, free to set at any time:

    - `drop_connection_after_bytes`: the first connection that brings so many bytes is cut then; once. One
      that only asks for the status brings too few.
    """

    def __init__(self) -> None:
        self.is_on = True
        self.drop_connection_after_bytes: int | None = None

    @abstractmethod
    def take(self, data: bytes) -> bytes:
        """Bytes arrive, of any connection; returns what the printer answers. Nothing arrives without power."""

    def lose_power(self) -> None:
        """Everything that was not printed is forgotten."""
        self.is_on = False


class Plug:
    """One connection to a printer, which may be cut after so many bytes."""

    def __init__(self, printer: PrinterMemory) -> None:
        self._printer = printer
        self._left = printer.drop_connection_after_bytes
        self.is_cut = False

    def take(self, data: bytes, *, on_cut: Callable[[], None]) -> bytes:
        """Bytes come through; returns the answer. At the cut `on_cut` is called, and what was left is lost."""
        if self.is_cut:
            return b""
        if self._left is None:
            return self._printer.take(data)
        data, self._left = data[: self._left], self._left - len(data)
        answer = self._printer.take(data)
        if self._left > 0:
            return answer
        self.is_cut = True
        self._printer.drop_connection_after_bytes = None
        on_cut()
        return b""


class Faces(PrinterMemory):
    """Mix this into a memory, before it:

    - `power_off()`, `power_on()`; `boot_s` is how long the printer is deaf when the power comes.
    - `unplug()`, `plug()`: the cable of the terminal.
    - `answer_s`: how long it takes to answer a question.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, serial: bool = False, link: Path | None = None
    ) -> None:
        """`serial`: a terminal too, behind the stable symbolic link `link` if one is given."""
        super().__init__()
        self.host = host
        self.port = port
        self.answer_s = 0.0
        self.boot_s = 0.0
        self.is_on = False
        self._server: asyncio.Server | None = None
        self._served = asyncio.Lock()
        self._connections: set[asyncio.StreamWriter] = set()
        self._end = PtyEnd(link) if serial or link else None
        self._plug: Plug | None = None

    @property
    def path(self) -> str:
        """What a driver opens as a serial line or a device file; empty without `serial`."""
        return self._end.path if self._end else ""

    async def start(self) -> None:
        """Plug in and switch on; `port` is the real one afterwards (and stays the same from then on)."""
        self.plug()
        await self.power_on()

    async def power_on(self) -> None:
        """Listen; nothing if on."""
        if self.is_on:
            return
        await asyncio.sleep(self.boot_s)
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self.is_on = True

    def lose_power(self) -> None:
        """Reset every connection and forget everything that was not printed."""
        super().lose_power()
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._connections):
            writer.transport.abort()

    async def power_off(self) -> None:
        """As `lose_power`, and wait until it is so."""
        self.lose_power()
        if self._server is not None:
            server, self._server = self._server, None
            await server.wait_closed()

    def plug(self) -> None:
        """Put the cable of the terminal in; nothing if it is in, or if there is none."""
        if self._end is not None and not self._end.is_in:
            self._plug = None
            master = self._end.plug()
            asyncio.get_running_loop().add_reader(master, self._read_terminal, master)

    def unplug(self) -> None:
        """Pull the cable of the terminal out: who has it open gets a hang-up, and its path is gone."""
        if self._end is not None and self._end.is_in:
            asyncio.get_running_loop().remove_reader(self._end.master)
            self._end.unplug()

    async def close(self) -> None:
        """Power off and unplug; safe to call twice."""
        await self.power_off()
        self.unplug()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            async with self._served:
                await self._listen_to(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            return  # the client hung up, or the power went: a printer does not mind
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _listen_to(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plug = Plug(self)
        while data := await reader.read(_READ_BYTES):
            answer = plug.take(data, on_cut=writer.transport.abort)
            if answer:
                await asyncio.sleep(self.answer_s)
                writer.write(answer)
            await writer.drain()

    def _read_terminal(self, master: int) -> None:
        data = os.read(master, _READ_BYTES)
        if self._plug is None and self.drop_connection_after_bytes is not None:
            self._plug = Plug(self)
        plug = self._plug
        answer = plug.take(data, on_cut=self._pull_for_a_moment) if plug else self.take(data)
        if answer:
            asyncio.get_running_loop().call_later(self.answer_s, self._write_terminal, master, answer)

    def _pull_for_a_moment(self) -> None:
        """The loose plug: whoever has it open loses it, and it can be opened again."""
        self.unplug()
        self.plug()

    def _write_terminal(self, master: int, answer: bytes) -> None:
        if self._end is not None and self._end.master == master and self.is_on:
            os.write(master, answer)
