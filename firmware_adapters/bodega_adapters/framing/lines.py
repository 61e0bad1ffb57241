"""Characters to scans: where one barcode ends and the next begins.

Rules:
- The result depends on the stream of bytes alone, never on how reads happened to cut it.
- Every byte of `terminators` ends a scan; empty scans are nothing, so CR, LF and CRLF all work unset.
- Without terminators a silence ends a scan: the driver calls `gap`, because this file has no clock.
- With terminators a long silence ends nothing, but what came before it is noise, or a half whose rest was lost: it is
  dropped and counted, and does not stick to the next scan.
- A prefix and a suffix are taken off where they are; bytes before the prefix are noise. A scan without them
  is still a scan: a scanner that fell back to factory settings must not make scans vanish.
- A frame above the bound is dropped whole and counted, up to the next terminator, and the next scan is whole.
"""

from __future__ import annotations

from bodega.limits import SCAN_BYTES_MAX, SCAN_GAP_MS, SCAN_PAUSE_MS_MAX


class LineFramer:
    """A `Framer` of one device's characters; `dropped_bytes` and `dropped_frames` count the waste."""

    def __init__(
        self,
        *,
        terminators: bytes = b"\r\n",
        prefix: bytes = b"",
        suffix: bytes = b"",
        gap_ms: int = SCAN_GAP_MS,
        frame_bytes_max: int = SCAN_BYTES_MAX,
    ) -> None:
        self._terminators = frozenset(terminators)
        self._prefix = prefix
        self._suffix = suffix
        self._patience_ms = SCAN_PAUSE_MS_MAX if terminators else gap_ms
        self._frame_bytes_max = frame_bytes_max
        self._buffer = bytearray()
        self._spoilt = False
        self.dropped_bytes = 0
        self.dropped_frames = 0

    @property
    def ends_by_gap(self) -> bool:
        """Whether scans end by silence, because the device sends no terminator."""
        return not self._terminators

    @property
    def pending(self) -> bool:
        """Whether a scan has begun and not ended."""
        return bool(self._buffer) or self._spoilt

    @property
    def patience_ms(self) -> int | None:
        """See Framer."""
        return self._patience_ms if self.pending else None

    def feed(self, data: bytes) -> list[bytes]:
        """See Framer: without terminator, prefix and suffix."""
        frames: list[bytes] = []
        for byte in data:
            if byte in self._terminators:
                frames.extend(self._end_frame())
            else:
                self._take(byte)
        return frames

    def gap(self) -> list[bytes]:
        """See Framer: what is pending is a whole scan if that is how this device ends one."""
        if self.ends_by_gap:
            return self._end_frame()
        self.reset()
        return []

    def reset(self) -> None:
        """See Framer."""
        if self._buffer:
            self.dropped_bytes += len(self._buffer)
            self.dropped_frames += 1
        self._buffer.clear()
        self._spoilt = False

    def spoil(self) -> None:
        """Part of what the device sent was lost on the way here: nothing counts up to the end of this scan."""
        if not self.pending:
            self.dropped_frames += 1
        self.reset()
        self._spoilt = True

    def _take(self, byte: int) -> None:
        if self._spoilt:
            self.dropped_bytes += 1
            return
        self._buffer.append(byte)
        if len(self._buffer) > self._frame_bytes_max:
            self.dropped_bytes += len(self._buffer)
            self.dropped_frames += 1
            self._buffer.clear()
            self._spoilt = True

    def _end_frame(self) -> list[bytes]:
        frame = self._without_affixes(bytes(self._buffer))
        self._buffer.clear()
        self._spoilt = False
        return [frame] if frame else []

    def _without_affixes(self, frame: bytes) -> bytes:
        if self._prefix:
            noise, found, rest = frame.partition(self._prefix)
            if found:
                self.dropped_bytes += len(noise)
                frame = rest
        return frame.removesuffix(self._suffix) if self._suffix else frame
