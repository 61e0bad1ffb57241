"""Key strokes to scans: what a scanner that poses as a keyboard ("wedge") has typed.

Input is the kernel's `struct input_event` as a read of /dev/input/event* gives it (linux/input.h). Rules:
- A character is the byte that it has in ISO 8859-1, which is what barcodes carry; a UTF-8 code that is typed byte by
  byte comes out whole. Enter is CR and Tab is TAB, so that the rules of lines (terminators, prefix, suffix, silence)
  hold here too.
- Control characters, of which GS (FNC1) is the one that matters, come in the ways in which scanners send them: Ctrl and
  a letter or sign (GS is Ctrl+]), also at its US place whatever the layout; F8 for GS; or Alt and digits of the keypad
  (Alt+029).
- Alt and digits: the Windows code page with a leading 0, code page 437 without.
- A key counts when it goes down; the repeats that the kernel makes of a key that is held do not count.
- Where the kernel lost events (SYN_DROPPED), nothing counts up to the end of that scan: half a code may be another.
"""

from __future__ import annotations

import struct

from bodega.limits import SCAN_GAP_MS
from bodega_adapters.framing.hid_layouts import LAYOUTS
from bodega_adapters.framing.lines import LineFramer

# As on the machine that reads: two longs of time, type, code, value.
EVENT = struct.Struct("@llHHi")
EV_SYN, EV_KEY, SYN_DROPPED = 0, 1, 3
RELEASED, PRESSED = 0, 1
CAPS_LOCK, F8, GS = 58, 66, 0x1D
LEFT_ALT, ALT_GR, LEFT_CTRL, LEFT_SHIFT = 56, 100, 29, 42
CTRL_KEYS = frozenset({LEFT_CTRL, 97})
SHIFT_KEYS = frozenset({LEFT_SHIFT, 54})
_MODIFIERS = CTRL_KEYS | SHIFT_KEYS | {LEFT_ALT, ALT_GR}
KEYPAD_DIGITS = {82: "0", 79: "1", 80: "2", 81: "3", 75: "4", 76: "5", 77: "6", 71: "7", 72: "8", 73: "9"}
_SAME_EVERYWHERE = {28: "\r", 96: "\r", 15: "\t", 57: " ", 83: ".", 55: "*", 74: "-", 78: "+", 98: "/"}
_ALT_DIGITS_MAX = 4
_BYTE_MAX = 255


class KeyFramer:
    """A `Framer` of one wedge. `layout`: a name of LAYOUTS; the other options are those of `LineFramer`."""

    def __init__(
        self,
        layout: str = "us",
        *,
        terminators: bytes = b"\r\n\t",
        prefix: bytes = b"",
        suffix: bytes = b"",
        gap_ms: int = SCAN_GAP_MS,
    ) -> None:
        self._layout = LAYOUTS[layout]
        self._lines = LineFramer(terminators=terminators, prefix=prefix, suffix=suffix, gap_ms=gap_ms)
        self._forget()

    def _forget(self) -> None:
        self._rest = b""
        self._held: set[int] = set()
        self._caps = False
        self._alt_digits = ""
        self._after_dead = False

    @property
    def dropped_frames(self) -> int:
        """See Framer."""
        return self._lines.dropped_frames

    @property
    def patience_ms(self) -> int | None:
        """See Framer."""
        return self._lines.patience_ms

    def feed(self, data: bytes) -> list[bytes]:
        """See Framer."""
        data = self._rest + data
        whole = len(data) - len(data) % EVENT.size
        self._rest = data[whole:]
        frames: list[bytes] = []
        for _s, _us, kind, code, value in EVENT.iter_unpack(data[:whole]):
            if kind == EV_KEY:
                frames += self._lines.feed(self._typed(code, value))
            elif kind == EV_SYN and code == SYN_DROPPED:
                self._held.clear()
                self._alt_digits = ""
                self._lines.spoil()
        return frames

    def gap(self) -> list[bytes]:
        """See Framer."""
        return self._lines.gap()

    def reset(self) -> None:
        """See Framer."""
        self._forget()
        self._lines.reset()

    def _typed(self, key: int, value: int) -> bytes:
        """What one stroke adds to the text."""
        if key in _MODIFIERS:
            return self._modifier(key, value)
        if value != PRESSED:
            return b""
        if key == CAPS_LOCK:
            self._caps = not self._caps
            return b""
        if LEFT_ALT in self._held and key in KEYPAD_DIGITS:
            self._alt_digits = (self._alt_digits + KEYPAD_DIGITS[key])[-_ALT_DIGITS_MAX:]
            return b""
        if key == F8:
            return bytes([GS])
        return self._undead(self._char(key))

    def _modifier(self, key: int, value: int) -> bytes:
        if value != RELEASED:
            self._held.add(key)
            return b""
        self._held.discard(key)
        if key != LEFT_ALT or not self._alt_digits:
            return b""
        digits, self._alt_digits = self._alt_digits, ""
        return _alt_code(digits)

    def _char(self, key: int) -> str:
        layout, held = self._layout, self._held
        ctrl = bool(held & CTRL_KEYS)
        # Windows takes Ctrl and the left Alt for AltGr, and scanners were made for Windows.
        alt_gr = ALT_GR in held or (ctrl and LEFT_ALT in held)
        if key in _SAME_EVERYWHERE:
            return _SAME_EVERYWHERE[key]
        if key in KEYPAD_DIGITS:
            return KEYPAD_DIGITS[key]
        plain = layout.plain.get(key, "")
        shift = bool(held & SHIFT_KEYS) != (self._caps and plain.isalpha())
        char = (layout.alt_gr if alt_gr else layout.shifted if shift else layout.plain).get(key, "")
        if ctrl and LEFT_ALT not in held:
            return _control(char) or _control(LAYOUTS["us"].plain.get(key, ""))
        return char

    def _undead(self, char: str) -> bytes:
        if char == " " and self._after_dead:
            self._after_dead = False
            return b""
        self._after_dead = char in self._layout.dead
        return char.encode("latin-1")


def _control(char: str) -> str:
    """Ctrl and a character of columns 4 and 5 of ASCII give the one 64 places before it; "" for any other."""
    upper = char.upper() if char.isascii() else ""
    return chr(ord(upper) & 0x1F) if "@" <= upper <= "_" else ""


def _alt_code(digits: str) -> bytes:
    code = int(digits)
    if code > _BYTE_MAX:
        return b""
    page = "latin-1" if digits.startswith("0") else "cp437"
    return bytes([code]).decode(page).encode("latin-1", "replace")
