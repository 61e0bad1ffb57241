"""Barcode scanners on a serial line: RS-232, USB-CDC, or a pseudo-terminal.

Facts that shape it: an end of file from a port that said it could be read means unplugged or opened twice, so the
port is opened exclusively; use a stable path such as /dev/serial/by-id/..., because ttyACM0 may be another device
after a replug. USB-CDC has no speed on a wire: any `baud` reads it.
"""

from __future__ import annotations

from collections.abc import Callable

from bodega.errors import InvalidInput
from bodega.host.log import get_logger
from bodega.limits import SCAN_GAP_MS
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.framing.baud import SPEEDS, SpeedFinder
from bodega_adapters.framing.framer import Framer
from bodega_adapters.framing.lines import LineFramer
from bodega_adapters.ports import Recognition
from bodega_adapters.scanners.wired import WiredScanner
from bodega_adapters.wires.descriptor import open_serial
from bodega_adapters.wires.tape import Recorder
from bodega_adapters.wires.wire import Wire

log = get_logger(__name__)

_SPEED_HINT = (
    "scan a barcode of at least four plain characters again; if it stays, set baud and terminators by hand"
)


class SerialScanner(WiredScanner):
    """A `Scanner` behind a serial port. See `bodega_adapters.ports.Scanner` for its duties.

    Options: `port` (a path), `baud` (0: found by listening, which costs the scans until it is found), `terminators`
    (each byte ends a scan; empty: silence of `gap_ms` ends it), `prefix` and `suffix` as the scanner was set up to
    send.
    """

    recognises = Recognition(subsystem="tty", name="*")

    def __init__(  # noqa: PLR0913  # its options
        self,
        name: str,
        port: str,
        baud: int = 9600,
        *,
        terminators: str = "\r\n",
        prefix: str = "",
        suffix: str = "",
        gap_ms: int = SCAN_GAP_MS,
        clock: Callable[[], int] = wall_clock_ms,
        recorder: Recorder | None = None,
    ) -> None:
        if baud < 0:
            raise InvalidInput(
                f"scanner {name}: baud {baud} is not a speed", hint="9600 is the usual one, 0 finds it"
            )
        lines = LineFramer(
            terminators=terminators.encode(), prefix=prefix.encode(), suffix=suffix.encode(), gap_ms=gap_ms
        )
        self._finder = None if baud else SpeedFinder(lines, gap_ms=gap_ms)
        framer: Framer = self._finder or lines
        super().__init__(
            name,
            place=port,
            opener=self._open,
            framer=framer,
            gap_ms=gap_ms,
            clock=clock,
            recorder=recorder,
        )
        self._port = port
        self._baud = baud

    @property
    def baud(self) -> int:
        """The speed in bit/s that the port is read at now."""
        return self._finder.speed if self._finder else self._baud

    async def _open(self) -> Wire:
        return await open_serial(self._port, self.baud)

    async def _read_frames(self, wire: Wire) -> list[bytes]:
        finder = self._finder
        if finder is None:
            return await super()._read_frames(wire)
        speed, was_sure = finder.speed, finder.sure
        frames = await super()._read_frames(wire)
        if finder.sure and not was_sure:
            log.info("scanner_speed_found", device=self.name, baud=speed)
        elif finder.speed != speed:
            if finder.tried % len(SPEEDS) == 0:
                log.warning("scanner_speed_not_found", device=self.name, hint=_SPEED_HINT)
            self._drop_wire()
            self._wire = await self._open_wire()
        return frames
