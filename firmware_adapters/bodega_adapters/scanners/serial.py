"""Barcode scanners on a serial line: RS-232, USB-CDC, or a pseudo-terminal.

This file is the one bridge between pyserial and asyncio: the file descriptor is watched by the event loop,
and no thread is spent on a device. Reading is driven by the consumer; while it is busy the kernel keeps the
bytes.

Facts that shape it: a pseudo-terminal has no modem lines and no parity, so none are set; "device reports
readiness to read but returned no data" means unplugged or opened twice, so the port is opened exclusively;
use a stable path such as /dev/serial/by-id/..., because ttyACM0 may be another device after a replug.
"""

from __future__ import annotations

import asyncio
import termios
from collections.abc import AsyncIterator, Callable

import serial

from bodega.errors import InvalidInput
from bodega.host.log import get_logger
from bodega.limits import DEVICE_BACKOFF_MAX_S, DEVICE_MISSES_BEFORE_GONE, SCAN_GAP_MS_MAX
from bodega_adapters.backoff import backoff_delays
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.framing.aim import split_aim
from bodega_adapters.framing.lines import LineFramer
from bodega_adapters.ports import Scan

log = get_logger(__name__)

_READ_BYTES = 4096


class SerialScanner:
    """A `Scanner` behind a serial port. See `bodega_adapters.ports.Scanner` for its duties.

    Options: `port` (a path), `baud`, `terminators` (each byte ends a scan; empty: silence of `gap_ms` ends
    it), `prefix` and `suffix` as the scanner was set up to send.
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
        self._delays = backoff_delays()
        self._opened_at_s = 0.0
        self._misses = 0
        self._lost = False
        self._scans_seen = 0
        self._dropped_frames_logged = 0

    @property
    def connected(self) -> bool:
        """Whether the port is open now."""
        return self._link is not None

    async def scans(self) -> AsyncIterator[Scan]:
        """Yield scans until `close`, through any number of unplugs and replugs."""
        try:
            while not self._closed.is_set():
                for frame in await self._frames():
                    yield self._scan(frame)
        finally:
            self._drop_link()

    async def close(self) -> None:
        """Release the port and end `scans`."""
        self._closed.set()
        self._drop_link()

    async def _frames(self) -> list[bytes]:
        """What the next read completes; none after a gap, a failure (which costs its backoff) or `close`."""
        try:
            if self._link is None:
                self._open()
            return await self._read_frames()
        except (OSError, termios.error) as error:
            self._missed(error)
            self._drop_link()
            await self._rest(next(self._delays))
            return []

    def _open(self) -> None:
        try:
            port = serial.Serial(self._port, self._baud, timeout=0, exclusive=True)
        except ValueError as error:
            raise InvalidInput(
                f"scanner {self.name}: {self._port} does not take baud {self._baud}",
                hint="9600 is the usual one",
            ) from error
        self._link = _SerialLink(port)
        self._opened_at_s = asyncio.get_running_loop().time()
        self._framer.reset()
        self._misses = 0
        if self._lost:
            self._lost = False
            log.info("scanner_back", device=self.name, port=self._port)

    async def _read_frames(self) -> list[bytes]:
        if self._link is None:
            return []
        waits_for_gap = self._framer.ends_by_gap and self._framer.pending
        data = await self._link.read(self._gap_s if waits_for_gap else None)
        if self._closed.is_set():
            return []
        frames = self._framer.feed(data) if data else self._framer.gap()
        self._log_dropped()
        return frames

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

    def _missed(self, error: OSError | termios.error) -> None:
        """A port that fails to open may be busy or slow: three misses. A port that hangs up while open is
        lost.
        """
        self._misses += 1
        if self._link is not None and self._has_lasted():
            self._delays = backoff_delays()
        if not self._lost and (self._link is not None or self._misses >= DEVICE_MISSES_BEFORE_GONE):
            self._lost = True
            log.warning("scanner_lost", device=self.name, port=self._port, problem=str(error))

    def _has_lasted(self) -> bool:
        # A loose plug opens and hangs up many times a minute: only a link that lasted resets the backoff.
        return asyncio.get_running_loop().time() - self._opened_at_s > DEVICE_BACKOFF_MAX_S

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
        """The bytes that have come; empty after `timeout_s` of silence or `close`. Raises OSError when
        lost.
        """
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
