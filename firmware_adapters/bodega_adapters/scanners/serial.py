"""Barcode scanners on a serial line: RS-232, USB-CDC, or a pseudo-terminal.

This file is the one bridge between pyserial and asyncio: the file descriptor is watched by the event loop, and no
thread is spent on a device. Reading is driven by the consumer; while it is busy the kernel keeps the bytes.

Facts that shape it: a pseudo-terminal has no modem lines and no parity, so none are set; "device reports
readiness to read but returned no data" means unplugged or opened twice, so the port is opened exclusively; use a
stable path such as /dev/serial/by-id/..., because ttyACM0 may be another device after a replug.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import serial
from bodega.errors import InvalidInput
from bodega.host.log import get_logger
from bodega.limits import DEVICE_MISSES_BEFORE_GONE, SCAN_GAP_MS_MAX

from bodega_adapters.backoff import backoff_delays
from bodega_adapters.framing.aim import split_aim
from bodega_adapters.framing.lines import LineFramer
from bodega_adapters.ports import Scan

log = get_logger(__name__)

_READ_BYTES = 4096


def wall_clock_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


class SerialScanner:
    """A `Scanner` behind a serial port. See `bodega_adapters.ports.Scanner` for its duties.

    Options: `port` (a path), `baud`, `terminators` (each byte ends a scan; empty: silence of `gap_ms` ends it),
    `prefix` and `suffix` as the scanner was set up to send.
    """

    def __init__(
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
    ) -> None:
        if baud <= 0:
            raise InvalidInput(f"scanner {name}: baud {baud} is not a speed", hint="9600 is the usual one")
        if not 0 < gap_ms <= SCAN_GAP_MS_MAX:
            raise InvalidInput(f"scanner {name}: gap_ms {gap_ms} is not between 1 and {SCAN_GAP_MS_MAX}")
        self.name = name
        self._port = port
        self._baud = baud
        self._gap_s = gap_ms / 1000
        self._clock = clock
        self._framer = LineFramer(
            terminators=terminators.encode(), prefix=prefix.encode(), suffix=suffix.encode()
        )
        self._link: _SerialLink | None = None
        self._closed = asyncio.Event()
        self._misses = 0
        self._scans_seen = 0
        self._dropped_frames_logged = 0

    @property
    def connected(self) -> bool:
        """Whether the port is open now."""
        return self._link is not None

    async def scans(self) -> AsyncIterator[Scan]:
        """Yield scans until `close`, through any number of unplugs and replugs."""
        delays = backoff_delays()
        while not self._closed.is_set():
            try:
                link = self._open()
            except OSError as error:
                self._missed(error)
                await self._rest(next(delays))
                continue
            delays = backoff_delays()
            try:
                async for scan in self._scans_of(link):
                    yield scan
            except OSError as error:
                self._missed(error)
            finally:
                self._drop_link()

    async def close(self) -> None:
        """Release the port and end `scans`."""
        self._closed.set()
        self._drop_link()

    def _open(self) -> _SerialLink:
        # pyserial's SerialException is an OSError. Anything else that it raises (ValueError) is a wrong option.
        link = _SerialLink(serial.Serial(self._port, self._baud, timeout=0, exclusive=True))
        self._link = link
        self._framer.reset()
        if self._misses >= DEVICE_MISSES_BEFORE_GONE:
            log.info("scanner_back", device=self.name, port=self._port)
        self._misses = 0
        return link

    async def _scans_of(self, link: _SerialLink) -> AsyncIterator[Scan]:
        while not self._closed.is_set():
            waits_for_gap = self._framer.ends_by_gap and self._framer.pending
            data = await link.read(self._gap_s if waits_for_gap else None)
            frames = self._framer.feed(data) if data else self._framer.gap()
            self._log_dropped()
            for frame in frames:
                yield self._scan(frame)

    def _scan(self, frame: bytes) -> Scan:
        self._scans_seen += 1
        symbology, text = split_aim(_decode_text(frame))
        return Scan(
            raw=frame,
            text=text,
            symbology=symbology,
            device=self.name,
            device_counter=self._scans_seen,
            at_ms=self._clock(),
        )

    def _missed(self, error: OSError) -> None:
        self._misses += 1
        if self._misses == DEVICE_MISSES_BEFORE_GONE:
            log.warning("scanner_lost", device=self.name, port=self._port, problem=str(error))

    def _log_dropped(self) -> None:
        dropped = self._framer.dropped_frames - self._dropped_frames_logged
        if dropped:
            self._dropped_frames_logged = self._framer.dropped_frames
            log.warning("scanner_garbage_dropped", device=self.name, frames=dropped)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return

    def _drop_link(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


class _SerialLink:
    """One opened port on the event loop; it ends with the first error."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._readable: asyncio.Future[None] | None = None

    async def read(self, timeout_s: float | None) -> bytes:
        """The bytes that have come; empty after `timeout_s` of silence or `close`. Raises OSError when lost."""
        loop = asyncio.get_running_loop()
        self._readable = loop.create_future()
        loop.add_reader(self._port.fileno(), self._wake)
        try:
            await asyncio.wait({self._readable}, timeout=timeout_s)
            if not (self._port.is_open and self._readable.done()):
                return b""
            return bytes(self._port.read(_READ_BYTES))
        finally:
            self._readable = None
            if self._port.is_open:
                loop.remove_reader(self._port.fileno())

    def close(self) -> None:
        """Release the port and wake a waiting `read`."""
        if not self._port.is_open:
            return
        if self._readable is not None:
            # Before the descriptor is closed: its number may belong to someone else a moment later.
            asyncio.get_running_loop().remove_reader(self._port.fileno())
            self._wake()
        self._port.close()

    def _wake(self) -> None:
        if self._readable is not None and not self._readable.done():
            self._readable.set_result(None)


def _decode_text(frame: bytes) -> str:
    try:
        return frame.decode()
    except UnicodeDecodeError:
        # Code 128 and QR may carry ISO 8859-1; every byte has a meaning there, so nothing is lost.
        return frame.decode("latin-1")
