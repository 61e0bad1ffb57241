"""A scanner on a pseudo-terminal: the real serial driver opens it as it would open a USB scanner.

It can be pulled out and put back in: `unplug` hangs up whoever reads, `plug` gives a new terminal behind the same
stable link, as /dev/serial/by-id does. As with a real serial port, what is scanned while nobody has the port open is
lost when it is opened.

A pseudo-terminal has no speed: its bytes arrive whatever was set. But it keeps what was set, so a scanner with a `baud`
garbles what it sends as a UART at another speed would read it (`uart.garbled`). What that can not show: noise, and the
true clock of an adapter.
"""

from __future__ import annotations

import os
import termios
from pathlib import Path

from bodega.errors import Unavailable
from bodega_adapters.simulated.pty_end import PtyEnd
from bodega_adapters.simulated.uart import garbled

_SPEEDS = {
    getattr(termios, f"B{speed}"): speed for speed in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
}
_ISPEED = 4


class SimulatedScanner:
    """The device side. `link`: a path to keep as a stable symbolic link to the terminal, or None for none.

    `baud`: the speed that it sends at; None as USB-CDC, which is read at any.
    """

    def __init__(self, link: Path | None = None, *, baud: int | None = None) -> None:
        self.baud = baud
        self._end = PtyEnd(link)
        self.plug()

    @property
    def path(self) -> str:
        """What a driver opens: the stable link where there is one, else the terminal."""
        return self._end.path

    def plug(self) -> None:
        """Put the device in; nothing if it is in."""
        if not self._end.is_in:
            self._end.plug()

    def unplug(self) -> None:
        """Pull the device out: readers get a hang-up, and the path is gone."""
        if self._end.is_in:
            self._end.unplug()

    def close(self) -> None:
        """Same as `unplug`; safe to call twice."""
        self.unplug()

    def scan(self, text: str, symbology: str | None = "]C1", terminator: str = "\r\n") -> None:
        """Send one barcode as a scanner with AIM identifiers does.

        `symbology`: "]C1" for GS1-128 (element strings with application identifiers, SSCC labels), "]C0"
        for plain Code 128 (bins, control words), "]E0" for EAN-13 and UPC-A, None for a scanner that sends
        no identifier.
        """
        self.send(f"{symbology or ''}{text}{terminator}".encode())

    def send(self, data: bytes) -> None:
        """Put raw bytes on the line; raises `Unavailable` if unplugged, or if nobody reads and the line is
        full.
        """
        if not self._end.is_in:
            raise Unavailable("the simulated scanner is unplugged", hint="plug it in")
        if self.baud is not None:
            read_at = _SPEEDS.get(termios.tcgetattr(self._end.slave)[_ISPEED], self.baud)
            data = garbled(data, sent_at=self.baud, read_at=read_at)
        try:
            written = os.write(self._end.master, data)
        except BlockingIOError:
            written = 0
        if written < len(data):
            raise Unavailable(f"nobody reads the simulated scanner at {self.path}", hint="start the agent")
