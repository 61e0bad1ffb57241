"""A sheet in ESC/POS, for receipt printers.

Endless sheets (a packing slip) go as text, in a code page that the printer has, with its own barcodes; a line that no
code page has is drawn. Other sheets are labels with places, and go as one picture. Sources: Epson's ESC/POS command
reference (ESC @, ESC t, ESC a, GS !, GS k function B, GS ( k function 165 to 181, GS v 0, GS V function B).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from bodega_adapters.framing import code128
from bodega_adapters.labels import raster
from bodega_adapters.labels.fonts import Fonts
from bodega_adapters.labels.sheet import Bitmap, Drawing, Frame, Mark, Sheet, Symbol, Words

_RESET = b"\x1b@"
_LEFT, _CENTER = b"\x1ba\x00", b"\x1ba\x01"
_CUT = b"\x1dVB\x00"
_FEED_DOTS = b"\x1bJ"
# Font A, at 203 dpi: 12 x 24 dots a character.
_LETTER_MM = 3.0
_COLUMN_MM = 1.5
_TIMES_MAX = 8
# Number of the page for ESC t, and Python's name of it: those that every printer has come first.
CODE_PAGES = ((0, "cp437"), (2, "cp850"), (19, "cp858"), (16, "cp1252"), (18, "cp852"), (17, "cp866"))
_STRIP_ROWS = 128
_QR_MODULE_DOTS_MAX = 16
_LINEAR_MODULE_DOTS = range(2, 7)
_FNC1 = {code128.FNC1: b"{1"}


class Columns:
    """A `Typeface` of the printer's own letters, all equally wide; lines that it has not are ours."""

    def __init__(self, dots_per_mm: int, fonts: Fonts) -> None:
        self._dots_per_mm = dots_per_mm
        self._fonts = fonts

    def width(self, text: str, letter: int) -> int:
        """Dots that one line takes."""
        if page_for(text) is None:
            return self._fonts.width(text, letter)
        return len(text) * round(_COLUMN_MM * self._dots_per_mm) * times_of(letter, self._dots_per_mm)

    def missing(self, text: str) -> list[str]:
        """Characters that neither a code page nor our fonts have."""
        return [] if page_for(text) is not None else self._fonts.missing(text)


def times_of(letter: int, dots_per_mm: int) -> int:
    """How often the printer's letters are enlarged for letters of that height."""
    return min(_TIMES_MAX, max(1, round(letter / (_LETTER_MM * dots_per_mm))))


def page_for(text: str) -> tuple[int, bytes] | None:
    """The first code page that has all of `text`, and the text in it."""
    for number, name in CODE_PAGES:
        try:
            data = text.encode(name)
        except UnicodeEncodeError:
            continue
        if all(byte >= 32 for byte in data):
            return number, data
    return None


def write(sheet: Sheet, fonts: Fonts) -> bytes:
    """One receipt, cut off at its end."""
    if not sheet.endless:
        return _RESET + _picture(raster.bitmap(raster.draw(sheet, fonts))) + _CUT
    parts = [_RESET]
    rows = sorted(sheet.marks, key=lambda mark: (mark.place.y, mark.place.x))
    below = 0
    for top, marks in groupby(rows, key=lambda mark: mark.place.y):
        row = list(marks)
        gap = top - below
        if gap > 0:
            parts += [_FEED_DOTS + bytes([min(255, gap)])]
        parts += _row(row, sheet, fonts)
        below = max(below, *(mark.place.bottom for mark in row))
    return b"".join((*parts, _CUT))


def _row(row: list[Mark], sheet: Sheet, fonts: Fonts) -> Iterable[bytes]:
    words = [mark for mark in row if isinstance(mark, Words)]
    if len(words) == len(row) == 1 and not words[0].inverse:
        yield _text(words[0], sheet, fonts)
    elif len(row) == 1 and isinstance(row[0], Symbol):
        yield _CENTER + (_native(row[0]) or _picture(row[0].bitmap())) + _LEFT
    else:
        top = min(mark.place.y for mark in row)
        height = max(mark.place.bottom for mark in row) - top
        yield _picture(raster.bitmap(raster.draw(_strip(row, sheet, top, height), fonts)))


def _strip(row: list[Mark], sheet: Sheet, top: int, height: int) -> Sheet:
    """Marks at one height as a sheet of their own."""
    moved: list[Mark] = []
    for mark in row:
        place = type(mark.place)(mark.place.x, mark.place.y - top, mark.place.width, mark.place.height)
        if isinstance(mark, Words):
            moved.append(Words(place, mark.text, mark.letter, mark.align, mark.inverse))
        elif isinstance(mark, Frame):
            moved.append(Frame(place, mark.thick))
        elif isinstance(mark, Drawing):
            moved.append(Drawing(place, mark.bitmap))
        else:
            moved.append(Drawing(place, mark.bitmap()))
    return Sheet(sheet.width, height, sheet.dots_per_mm, tuple(moved))


def _text(words: Words, sheet: Sheet, fonts: Fonts) -> bytes:
    coded = page_for(words.text)
    if coded is None:
        line, _ = fonts.line(words.text, words.letter)
        room = words.place.width - line.width
        return _picture(
            line, max(0, words.place.x + {"left": 0, "center": room // 2, "right": room}[words.align])
        )
    number, data = coded
    times = times_of(words.letter, sheet.dots_per_mm)
    column = round(_COLUMN_MM * sheet.dots_per_mm) * times
    free = max(0, words.place.width // column - len(data))
    pad = words.place.x // column + {"left": 0, "center": free // 2, "right": free}[words.align]
    size = bytes([(times - 1) << 4 | (times - 1)])
    return b"\x1bt" + bytes([number]) + b"\x1d!" + size + b" " * pad + data + b"\n" + b"\x1d!\x00"


def _native(symbol: Symbol) -> bytes | None:
    """The printer's own barcode, None where it has none that is ours dot for dot."""
    if symbol.is_linear and symbol.module in _LINEAR_MODULE_DOTS and symbol.place.height <= 255:
        data = _code128(symbol.values)
        if data is not None and len(data) <= 255:
            head = b"\x1dh" + bytes([symbol.place.height]) + b"\x1dw" + bytes([symbol.module]) + b"\x1dH\x00"
            return head + b"\x1dkI" + bytes([len(data)]) + data
    if symbol.symbology == "qr" and symbol.module <= _QR_MODULE_DOTS_MAX:
        text = symbol.data.encode()
        level = "0123"["LMQH".index(symbol.correction)].encode()
        steps = (b"1A2\x00", b"1C" + bytes([symbol.module]), b"1E" + level, b"1P0" + text, b"1Q0")
        return b"".join(b"\x1d(k" + len(step).to_bytes(2, "little") + step for step in steps)
    return None


def _code128(values: tuple[int, ...]) -> bytes | None:
    """Field of GS k 73: subsets are named `{A` to `{C`, in C a pair of digits is one byte."""
    names = {103: b"{A", 104: b"{B", 105: b"{C", 101: b"{A", 100: b"{B", 99: b"{C"}
    data, subset = names[values[0]], names[values[0]]
    for value in values[1:]:
        if value in _FNC1:
            data += _FNC1[value]
        elif subset == b"{C" and value < 100:
            data += bytes([value])
        elif value in names:
            subset = names[value]
            data += subset
        elif subset == b"{B" and value < 96:
            data += b"{{" if value + 32 == 0x7B else bytes([value + 32])
        else:
            return None
    return data


def _picture(bitmap: Bitmap, left: int = 0) -> bytes:
    """Dots in strips that a small memory holds; `left`: how far from the edge, in whole bytes."""
    indent = b"\0" * (left // 8)
    row_bytes = bitmap.row_bytes + len(indent)
    lines = [
        indent + bitmap.rows[at : at + bitmap.row_bytes]
        for at in range(0, len(bitmap.rows), bitmap.row_bytes)
    ]
    parts = []
    for at in range(0, len(lines), _STRIP_ROWS):
        strip = lines[at : at + _STRIP_ROWS]
        size = row_bytes.to_bytes(2, "little") + len(strip).to_bytes(2, "little")
        parts.append(b"\x1dv0\x00" + size + b"".join(strip))
    return b"".join(parts)
