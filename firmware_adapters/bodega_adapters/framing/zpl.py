"""Parcel labels in ZPL II: one 4 x 6 inch layout with the SSCC as GS1-128, at 203 or 300 dpi.

Rules:
- Data never becomes a command. Every text goes through `^FH`, and every byte but letters, digits, space and
  a few marks is sent as `_XX`: `^`, `~`, `\\` and `_` in an address are print, not ZPL.
- Text is UTF-8 (`^CI28`). Control and format characters become spaces; wide characters (East Asian) count
  double.
- Lines too long for their block are wrapped at words, then cut with an ellipsis when the block is full. So
  the layout itself keeps a label at a few kilobytes, far below `LABEL_BYTES_MAX`.
- The barcode is Code 128 in subset C: `>;` start C, `>8` FNC1, then 00 and the SSCC (ZPL II Programming
  Guide, ^BC). Bars are 0.5 mm wide and 32.5 mm high, inside GS1's limits for logistic labels (General
  Specifications, section 5.12: X from 0.495 mm, height from 31.75 mm), with 10 modules of quiet zone on
  both sides.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from bodega.errors import InvalidInput
from bodega_adapters.framing.check_digit import is_valid_sscc

DOTS_PER_MM = frozenset({8, 12})
LABEL_WIDTH = 812
LABEL_HEIGHT = 1218
_BARCODE_MODULES = 156
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,-/:()")
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class LabelData:
    """What stands on a parcel label. `sscc`: 18 digits; `ship_to` and `ship_from`: address lines, top to
    bottom; `service`: the carrier's service; `dots_per_mm`: 8 (203 dpi) or 12 (300 dpi).
    """

    sscc: str
    order_id: str
    ship_to: tuple[str, ...]
    ship_from: tuple[str, ...]
    service: str
    dots_per_mm: int = 8


@dataclass(frozen=True, slots=True)
class _Block:
    """A place for text. Top, height of letters, height of a line: dots at 203 dpi. Columns, rows: text."""

    top: int
    letter: int
    line: int
    columns: int
    rows: int


_LEFT = 40
_FROM = _Block(top=70, letter=26, line=32, columns=46, rows=3)
_TO = _Block(top=236, letter=42, line=48, columns=30, rows=7)
_SERVICE = _Block(top=606, letter=46, line=50, columns=26, rows=1)
_ORDER = _Block(top=668, letter=32, line=36, columns=38, rows=1)
_SSCC = _Block(top=780, letter=40, line=44, columns=30, rows=1)
_BARCODE_TOP = 850
_BARCODE_HEIGHT = 260


def parcel_label(data: LabelData) -> bytes:
    """The ZPL of one label, one copy. Raises `InvalidInput` for a wrong SSCC or resolution."""
    _check(data)
    dots = data.dots_per_mm
    parts = [
        f"^XA^CI28^LH0,0^PW{_scaled(LABEL_WIDTH, dots)}^LL{_scaled(LABEL_HEIGHT, dots)}",
        _text("FROM", 40, 22, dots),
        *_block(_FROM, data.ship_from, dots),
        _rule(182, dots),
        _text("SHIP TO", 200, 24, dots),
        *_block(_TO, data.ship_to, dots),
        _rule(586, dots),
        *_block(_SERVICE, (data.service,), dots),
        *_block(_ORDER, (f"Order {data.order_id}",), dots),
        _rule(730, dots),
        _text("SSCC", 750, 22, dots),
        *_block(_SSCC, (f"(00) {data.sscc}",), dots),
        _barcode(data.sscc, dots),
        "^PQ1^XZ\n",
    ]
    return "\n".join(parts).encode("ascii")


def escape_field(text: str) -> str:
    """`text` as ASCII field data to follow `^FH`: all but plain characters become `_XX` of their UTF-8."""
    return "".join(chr(byte) if byte in _SAFE else f"_{byte:02X}" for byte in _printable(text).encode())


def wrap_lines(lines: Iterable[str], columns: int, rows: int) -> tuple[str, ...]:
    """At most `rows` lines of at most `columns` columns; what does not fit is cut and ends in an ellipsis."""
    wrapped: list[str] = []
    for line in lines:
        wrapped.extend(_wrap(_printable(line), columns))
        if len(wrapped) > rows:
            break
    if len(wrapped) > rows:
        wrapped = wrapped[:rows]
        wrapped[-1] = _cut(wrapped[-1], columns - 1) + _ELLIPSIS
    return tuple(wrapped)


def _wrap(line: str, columns: int) -> list[str]:
    if _columns_of(line) == len(line):
        return textwrap.wrap(line, columns, break_on_hyphens=False)
    # Wide scripts have no spaces to wrap at, so the line is cut by columns.
    pieces: list[str] = []
    rest = line.strip()
    while rest:
        piece = _cut(rest, columns) or rest[0]
        pieces.append(piece.strip())
        rest = rest[len(piece) :].strip()
    return pieces


def _cut(text: str, columns: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += _columns_of(character)
        if used > columns:
            return text[:index]
    return text


def _columns_of(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _printable(text: str) -> str:
    # Categories Cc, Cf, Cs: control, format and lone surrogates; Zl, Zp: line and paragraph separators.
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return "".join(" " if unicodedata.category(character) in hidden else character for character in text)


def _check(data: LabelData) -> None:
    if not is_valid_sscc(data.sscc):
        raise InvalidInput(f"{data.sscc!r} is not an SSCC of 18 digits with a right check digit")
    if data.dots_per_mm not in DOTS_PER_MM:
        raise InvalidInput(
            f"no layout for a printer of {data.dots_per_mm} dots/mm", hint="use 8 (203 dpi) or 12 (300 dpi)"
        )


def _block(block: _Block, lines: Iterable[str], dots_per_mm: int) -> list[str]:
    return [
        _text(line, block.top + row * block.line, block.letter, dots_per_mm)
        for row, line in enumerate(wrap_lines(lines, block.columns, block.rows))
    ]


def _text(text: str, top: int, letter: int, dots_per_mm: int) -> str:
    size = _scaled(letter, dots_per_mm)
    place = f"^FO{_scaled(_LEFT, dots_per_mm)},{_scaled(top, dots_per_mm)}"
    return f"{place}^A0N,{size},{size}^FH^FD{escape_field(text)}^FS"


def _rule(top: int, dots_per_mm: int) -> str:
    place = f"^FO{_scaled(_LEFT, dots_per_mm)},{_scaled(top, dots_per_mm)}"
    return f"{place}^GB{_scaled(LABEL_WIDTH - 2 * _LEFT, dots_per_mm)},0,{_scaled(2, dots_per_mm)}^FS"


def _barcode(sscc: str, dots_per_mm: int) -> str:
    module = dots_per_mm // 2
    left = (_scaled(LABEL_WIDTH, dots_per_mm) - _BARCODE_MODULES * module) // 2
    height = _scaled(_BARCODE_HEIGHT, dots_per_mm)
    place = f"^FO{left},{_scaled(_BARCODE_TOP, dots_per_mm)}"
    return f"^BY{module},3,{height}{place}^BCN,{height},N,N,N,N^FD>;>800{sscc}^FS"


def _scaled(dots_at_203_dpi: int, dots_per_mm: int) -> int:
    return dots_at_203_dpi * dots_per_mm // 8
