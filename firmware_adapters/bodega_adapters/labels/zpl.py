"""A sheet in ZPL II, for label printers.

Text that the printer's font 0 has is sent as text; every other line, and every ready drawing, as a graphic. Barcodes
are the printer's own commands where all firmwares agree on them: GS1-128 in subset C (an SSCC), Code 128 in subset B,
DataMatrix of a forced size, QR. A Code 128 that changes its subset on the way is drawn by us: implementations differ in
the characters that switch (`>5`, `>6`), and its bars, all rows alike, take a few hundred bytes.
"""

from __future__ import annotations

import re

from bodega_adapters.framing import code128
from bodega_adapters.framing.zpl import escape_field, graphic_field
from bodega_adapters.labels.font0 import Font0
from bodega_adapters.labels.fonts import Fonts
from bodega_adapters.labels.sheet import Bitmap, Drawing, Frame, Sheet, Symbol, Words

# `^BQ` prints that much lower than it is told: the height of `^BY`.
_QR_DROP = 1
_START_B, _START_C = 104, 105
_PLAIN = re.compile(r"[A-Za-z0-9 ./-]{2,}")
_UNSAFE_IN_MATRIX = frozenset("^~_\\")


def write(sheet: Sheet, fonts: Fonts) -> bytes:
    """One label, one copy."""
    parts = [f"^XA^CI28^LH0,0^PW{sheet.width}^LL{sheet.height}"]
    for mark in sheet.marks:
        if isinstance(mark, Words):
            parts.append(_words(mark, fonts))
        elif isinstance(mark, Symbol):
            parts.append(_symbol(mark))
        elif isinstance(mark, Frame):
            parts.append(_frame(mark))
        else:
            parts.append(_drawing(mark))
    return "\n".join((*parts, "^PQ1^XZ\n")).encode("ascii")


def _words(words: Words, fonts: Fonts) -> str:
    place, letter = words.place, words.letter
    face = Font0(fonts)
    if not face.is_native(words.text):
        bitmap, above = fonts.line(words.text, letter)
        return _graphic(bitmap, aligned(words, bitmap.width), place.y - above, reverse=words.inverse)
    block = ""
    if words.align != "left":
        block = f"^FB{place.width},1,0,{'C' if words.align == 'center' else 'R'},0"
    reverse = "^FR" if words.inverse else ""
    return f"^FO{place.x},{place.y}{reverse}^A0N,{letter},{letter}{block}^FH^FD{escape_field(words.text)}^FS"


def aligned(words: Words, width: int) -> int:
    """Where a line of that width begins."""
    free = words.place.width - width
    return max(0, words.place.x + {"left": 0, "center": free // 2, "right": free}[words.align])


def _frame(frame: Frame) -> str:
    place = frame.place
    thick = min(frame.thick, place.width, place.height)
    return f"^FO{place.x},{place.y}^GB{place.width},{place.height},{thick}^FS"


def _drawing(drawing: Drawing) -> str:
    return _graphic(drawing.bitmap, drawing.place.x, drawing.place.y)


def _graphic(bitmap: Bitmap, x: int, y: int, *, reverse: bool = False) -> str:
    if y < 0:
        rows = bitmap.rows[-y * bitmap.row_bytes :]
        bitmap, y = Bitmap(bitmap.width, bitmap.height + y, rows), 0
    return f"^FO{x},{y}{'^FR' if reverse else ''}{graphic_field(bitmap.rows, bitmap.row_bytes)}^FS"


def _symbol(symbol: Symbol) -> str:
    place, module = symbol.place, symbol.module
    at = f"^FO{place.x},{place.y}"
    if symbol.is_linear:
        data = _linear_data(symbol)
        if data is not None:
            return f"^BY{module},3,{place.height}{at}^BCN,{place.height},N,N,N,N^FD{data}^FS"
    elif symbol.symbology == "qr" and place.y >= _QR_DROP:
        field = f"^FH^FD{symbol.correction}A,{escape_field(symbol.data)}^FS"
        return f"^BY{module},3,{_QR_DROP}^FO{place.x},{place.y - _QR_DROP}^BQN,2,{module}{field}"
    elif symbol.symbology != "qr" and not _UNSAFE_IN_MATRIX & set(symbol.data):
        side = len(symbol.modules)
        first = "_1" if symbol.symbology.startswith("gs1-") else ""
        data = first + (symbol.data.replace(code128.GS, "_1") if first else symbol.data)
        return f"{at}^BXN,{module},200,{side},{side},,_^FD{data}^FS"
    return _drawing(Drawing(place, symbol.bitmap()))


def _linear_data(symbol: Symbol) -> str | None:
    """Field data of `^BC` if every printer reads it alike: one subset from start to end, and no invocation in B."""
    start, *values = symbol.values
    if start == _START_C:
        alike = all(value < 100 or value == code128.FNC1 for value in values)
    else:
        alike = start == _START_B and bool(_PLAIN.fullmatch(symbol.data)) and max(values) < 95
    return code128.zpl_data(list(symbol.values)) if alike else None
