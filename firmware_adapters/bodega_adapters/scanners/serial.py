"""Barcode scanners on a serial line: RS-232, USB-CDC, or a pseudo-terminal.

Reading is driven by the consumer; while it is busy the kernel keeps the bytes.

Facts that shape it: an end of file from a port that said it could be read means unplugged or opened twice, so the
port is opened exclusively; use a stable path such as /dev/serial/by-id/..., because ttyACM0 may be another device
after a replug.
"""

from __future__ import annotations

import asyncio
import termios
from collections.abc import AsyncIterator, Callable
from functools import partial

from bodega.errors import InvalidInput
from bodega.host.log import get_logger
from bodega.limits import SCAN_GAP_MS_MAX
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.framing.lines import LineFramer
from bodega_adapters.ports import Recognition, Scan, ScannerAbilities
from bodega_adapters.presence import Presence
from bodega_adapters.scanning import make_scan
from bodega_adapters.wires.descriptor import open_serial
from bodega_adapters.wires.tape import Recorder
from bodega_adapters.wires.wire import Wire

log = get_logger(__name__)


class SerialScanner:
    """A `Scanner` behind a serial port. See `bodega_adapters.ports.Scanner` for its duties.

    Options: `port` (a path), `baud`, `terminators` (each byte ends a scan; empty: silence of `gap_ms` ends
    it), `prefix` and `suffix` as the scanner was set up to send.
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
        gap_ms: int = SCAN_GAP_MS_MAX,
        clock: Callable[[], int] = wall_clock_ms,
        recorder: Recorder | None = None,
    ) -> None:
        if baud <= 0:
            raise InvalidInput(f"scanner {name}: baud {baud} is not a speed", hint="9600 is the usual one")
        if not 0 < gap_ms <= SCAN_GAP_MS_MAX:
            raise InvalidInput(f"scanner {name}: gap_ms {gap_ms} is not between 1 and {SCAN_GAP_MS_MAX}")
        self.name = name
        self._open_wire = (recorder or Recorder()).over(partial(open_serial, port, baud))
        self._gap_s = gap_ms / 1000
        self._clock = clock
        self._framer = LineFramer(
            terminators=terminators.encode(), prefix=prefix.encode(), suffix=suffix.encode()
        )
        self.presence = Presence("scanner", name, place=port)
        self._wire: Wire | None = None
        self._closed = asyncio.Event()
        self._scans_seen = 0
        self._dropped_frames_logged = 0

    @property
    def abilities(self) -> ScannerAbilities:
        """See Scanner."""
        return ScannerAbilities(aim=True, keeps_gs=True)

    @property
    def connected(self) -> bool:
        """Whether the port is open now."""
        return self._wire is not None

    async def scans(self) -> AsyncIterator[Scan]:
        """Yield scans until `close`, through any number of unplugs and replugs."""
        try:
            while not self._closed.is_set():
                for frame in await self._frames():
                    yield self._scan(frame)
        finally:
            self._drop_wire()

    async def close(self) -> None:
        """Release the port and end `scans`."""
        self._closed.set()
        self._drop_wire()

    async def _frames(self) -> list[bytes]:
        """What the next read completes; none after a gap, a failure (which costs its backoff) or `close`."""
        try:
            if self._wire is None:
                self._wire = await self._open_wire()
                self._framer.reset()
                self.presence.answered()
            return await self._read_frames(self._wire)
        except (OSError, termios.error) as error:
            self._drop_wire()
            await self.presence.rest(self._closed, self.presence.missed(str(error)))
            return []

    async def _read_frames(self, wire: Wire) -> list[bytes]:
        waits_for_gap = self._framer.ends_by_gap and self._framer.pending
        data = await wire.read(self._gap_s if waits_for_gap else None)
        if self._closed.is_set():
            return []
        frames = self._framer.feed(data) if data else self._framer.gap()
        self._log_dropped()
        return frames

    def _scan(self, frame: bytes) -> Scan:
        self._scans_seen += 1
        return make_scan(frame, device=self.name, counter=self._scans_seen, at_ms=self._clock())

    def _log_dropped(self) -> None:
        dropped = self._framer.dropped_frames - self._dropped_frames_logged
        if dropped:
            self._dropped_frames_logged = self._framer.dropped_frames
            log.warning("scanner_garbage_dropped", device=self.name, frames=dropped)

    def _drop_wire(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()
