"""A scanner that poses as a keyboard: the bytes of the kernel's input events, for the real driver to read.

`bodega_adapters.framing.hid_keys` says in which ways scanners type control characters; this one can do each.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from bodega_adapters.framing import hid_keys as keys
from bodega_adapters.framing.hid_layouts import LAYOUTS
from bodega_adapters.simulated.plugged import PluggedDevice

GsHabit: TypeAlias = Literal["ctrl", "f8", "alt"]
# Keys held down, in order, and the key that is struck meanwhile.
Stroke: TypeAlias = tuple[tuple[int, ...], int]

_EV_MSC, _MSC_SCAN, _US_RIGHT_BRACKET = 4, 4, 27
_ENTER, _TAB, _SPACE = 28, 15, 57
_KEYPAD = {digit: key for key, digit in keys.KEYPAD_DIGITS.items()}
_FIRST_PRINTABLE = 0x20


class SimulatedWedge(PluggedDevice):
    """The device side. `layout` is what it was set up for, `gs` how it types control characters."""

    def __init__(self, layout: str = "us", *, gs: GsHabit = "ctrl") -> None:
        super().__init__(socket.SOCK_STREAM)
        self.layout = layout
        self.gs: GsHabit = gs

    def scan(self, text: str, symbology: str | None = "]C1", terminator: str = "\r") -> None:
        """Type one barcode; `symbology` as in `SimulatedScanner.scan`, "\\r" is the Enter key, "\\t" is Tab."""
        self.send(f"{symbology or ''}{text}{terminator}".encode())

    def send(self, data: bytes) -> None:
        """Type these bytes, each as the character that ISO 8859-1 has for it; raises `Unavailable` as `put`."""
        self.put(typed(data, self.layout, self.gs))


def typed(data: bytes, layout: str = "us", gs: GsHabit = "ctrl") -> bytes:
    """The input events of a scanner that types `data`."""
    return b"".join(events(_strokes(data, layout, gs)))


def events(strokes: Iterable[Stroke | list[int]]) -> Iterator[bytes]:
    """The kernel's events of some strokes; a list of keys is struck one after the other with Alt held down."""
    for stroke in strokes:
        held, struck = ((keys.LEFT_ALT,), stroke) if isinstance(stroke, list) else (stroke[0], [stroke[1]])
        yield from (_event(key, keys.PRESSED) for key in held)
        for key in struck:
            yield _event(key, keys.PRESSED) + _event(key, keys.RELEASED)
        yield from (_event(key, keys.RELEASED) for key in reversed(held))


def _event(key: int, value: int) -> bytes:
    rows = ((_EV_MSC, _MSC_SCAN, key), (keys.EV_KEY, key, value), (keys.EV_SYN, 0, 0))
    return b"".join(keys.EVENT.pack(0, 0, *row) for row in rows)


def _strokes(data: bytes, layout: str, gs: GsHabit) -> Iterator[Stroke | list[int]]:
    known = LAYOUTS[layout]
    ways: dict[str, Stroke] = {" ": ((), _SPACE), "\r": ((), _ENTER), "\t": ((), _TAB)}
    for held, table in (
        ((), known.plain),
        ((keys.LEFT_SHIFT,), known.shifted),
        ((keys.ALT_GR,), known.alt_gr),
    ):
        ways.update({char: (held, key) for key, char in table.items() if char not in ways})
    for char in data.decode("latin-1"):
        if char in ways:
            yield ways[char]
            if char in known.dead:
                yield ways[" "]
        else:
            yield _unprintable(char, known.plain, gs)


def _unprintable(char: str, plain: dict[int, str], gs: GsHabit) -> Stroke | list[int]:
    code = ord(char)
    if code == keys.GS and gs == "f8":
        return (), keys.F8
    if code == keys.GS and gs == "ctrl":
        return (keys.LEFT_CTRL,), _US_RIGHT_BRACKET
    letter = chr(code + 0x60)
    if code < _FIRST_PRINTABLE and gs == "ctrl" and letter in plain.values():
        return (keys.LEFT_CTRL,), next(key for key, each in plain.items() if each == letter)
    return [_KEYPAD[digit] for digit in f"0{code:03d}"]
