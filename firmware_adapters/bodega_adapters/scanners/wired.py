"""What all scanners on a wire have in common: they open it, read it, number the scans, and outlive its loss.

Reading is driven by the consumer; while it is busy the kernel keeps what comes.
"""

from __future__ import annotations

import asyncio
import termios
from collections.abc import AsyncIterator, Callable

from bodega.errors import BodegaError, InvalidInput
from bodega.host.log import get_logger
from bodega.limits import SCAN_GAP_MS, SCAN_GAP_MS_MAX
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.framing.framer import Framer
from bodega_adapters.ports import Scan, ScannerAbilities, UsbId
from bodega_adapters.presence import Presence
from bodega_adapters.scanning import make_scan
from bodega_adapters.wires.tape import Recorder
from bodega_adapters.wires.wire import Opener, Wire

log = get_logger(__name__)

# Makers whose USB devices of these kinds are scanners, from the list that linux-usb.org keeps.
SCANNER_MAKERS = (
    UsbId(0x05E0),  # Symbol, Zebra
    UsbId(0x0C2E),  # Metrologic, Honeywell
    UsbId(0x0536),  # Hand Held Products, Honeywell
    UsbId(0x05F9),  # PSC, Datalogic
    UsbId(0x080C),  # Datalogic
    UsbId(0x065A),  # Opticon
    UsbId(0x1EAB),  # Newland
)


class WiredScanner:
    """A `Scanner` over any wire whose bytes a `Framer` cuts; drivers say how it is opened and framed."""

    def __init__(
        self,
        name: str,
        *,
        place: str,
        opener: Opener,
        framer: Framer,
        gap_ms: int = SCAN_GAP_MS,
        clock: Callable[[], int] = wall_clock_ms,
        recorder: Recorder | None = None,
    ) -> None:
        """Raises `InvalidInput` for a `gap_ms` out of its bounds."""
        if not 0 < gap_ms <= SCAN_GAP_MS_MAX:
            raise InvalidInput(f"scanner {name}: gap_ms {gap_ms} is not between 1 and {SCAN_GAP_MS_MAX}")
        self.name = name
        self.presence = Presence("scanner", name, place=place)
        self._open_wire = (recorder or Recorder()).over(opener)
        self._framer = framer
        self._clock = clock
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
        """Whether the device is open now."""
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
        """Release the device and end `scans`."""
        self._closed.set()
        self._drop_wire()

    async def _frames(self) -> list[bytes]:
        """What the next read completes; none after a silence, a failure (which costs its backoff) or `close`."""
        try:
            if self._wire is None:
                self._wire = await self._open_wire()
                self._framer.reset()
                self.presence.answered()
            return await self._read_frames(self._wire)
        except (OSError, termios.error, BodegaError) as error:
            self._drop_wire()
            await self.presence.rest(self._closed, self.presence.missed(str(error)))
            return []

    async def _read_frames(self, wire: Wire) -> list[bytes]:
        patience_ms = self._framer.patience_ms
        data = await wire.read(None if patience_ms is None else patience_ms / 1000)
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
