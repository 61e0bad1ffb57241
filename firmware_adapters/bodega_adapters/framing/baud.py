"""Which speed a serial scanner sends at: judged by what its bytes look like at one speed after another.

Bytes read at a wrong speed are cut from the line's levels at the wrong times: mostly control and high bytes, and seldom
a terminator. Rules:
- While the speed is unsure, a scan counts only if it looks right (`looks_right`) and has its terminator (or the silence
  that ends scans) behind it. What does not is dropped: half garbage could be another product's code.
- After anything that does not look right the next speed is tried, in the next silence: a change within a burst could
  make the tail of a scan look like a whole one.
- An AIM identifier makes a speed sure, and so do SURE_AFTER scans in a row without one: at half the right speed, two
  digits can read as one letter (about one code of digits in a hundred).
- What is sure stays until the port is opened anew; then it is asked again, beginning with what worked.
"""

from __future__ import annotations

from bodega_adapters.framing.aim import split_aim
from bodega_adapters.framing.lines import LineFramer

# The usual ones, the likely first.
SPEEDS = (9600, 115200, 19200, 38400, 57600, 4800, 2400, 1200)
PLAIN_BYTES_MIN = 4
SURE_AFTER = 3
_SEPARATORS = b"\x04\x1d\x1e"  # EOT, GS, RS: of GS1 and ISO/IEC 15434
_PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset(_SEPARATORS)
_SELDOM_IN_LABELS = frozenset(b"[\\]^`{|}~")


def looks_right(frame: bytes) -> bool:
    """Whether a scan was read at its own speed, as far as its bytes can tell.

    All of it is printable ASCII or a separator; without an AIM identifier it has PLAIN_BYTES_MIN characters and none of
    those that labels hardly use.
    """
    if not _PRINTABLE.issuperset(frame):
        return False
    if _has_identifier(frame):
        return True
    return len(frame) >= PLAIN_BYTES_MIN and _SELDOM_IN_LABELS.isdisjoint(frame)


def _has_identifier(frame: bytes) -> bool:
    symbology, content = split_aim(frame.decode("latin-1"))
    return symbology is not None and bool(content)


class SpeedFinder:
    """A `Framer` that finds the speed of its line; `speed` is the one to read at now, in bit/s."""

    def __init__(self, lines: LineFramer, *, gap_ms: int) -> None:
        self._lines = lines
        self._gap_ms = gap_ms
        self._good = 0
        self._misheard = 0
        self._listening = False
        self._spoilt = False
        self.tried = 0
        self.speed = SPEEDS[0]

    @property
    def sure(self) -> bool:
        """Whether `speed` is right beyond doubt."""
        return self._good >= SURE_AFTER

    @property
    def dropped_frames(self) -> int:
        """See Framer: also what was heard at a wrong speed."""
        return self._lines.dropped_frames + self._misheard

    @property
    def patience_ms(self) -> int | None:
        """See Framer."""
        if self.sure:
            return self._lines.patience_ms
        return self._gap_ms if self._listening else None

    def feed(self, data: bytes) -> list[bytes]:
        """See Framer."""
        if self.sure:
            return self._lines.feed(data)
        self._listening = True
        return [] if self._spoilt else self._judged(self._lines.feed(data))

    def gap(self) -> list[bytes]:
        """See Framer; while the speed is unsure, what did not look right makes the next one be tried."""
        if self.sure:
            return self._lines.gap()
        frames = [] if self._spoilt else self._judged(self._lines.gap() if self._lines.ends_by_gap else [])
        if self._spoilt or self._lines.pending:
            self._try_next()
        self._listening = self._spoilt = False
        return frames

    def reset(self) -> None:
        """See Framer; behind a replug may be another speed."""
        self._lines.reset()
        self._good = 0
        self._listening = self._spoilt = False

    def _judged(self, frames: list[bytes]) -> list[bytes]:
        for number, frame in enumerate(frames):
            if self.sure:
                break
            if not looks_right(frame):
                self._spoilt = True
                self._misheard += 1
                return frames[:number]
            self._good += SURE_AFTER if _has_identifier(frame) else 1
            self.tried = 0
        return frames

    def _try_next(self) -> None:
        """The counter `tried` says how many speeds were listened to in vain since the last good scan."""
        self.tried += 1
        self._good = 0
        self.speed = SPEEDS[(SPEEDS.index(self.speed) + 1) % len(SPEEDS)]
        self._lines.reset()
