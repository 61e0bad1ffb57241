"""DataMatrix ECC 200 and GS1 DataMatrix: text in, a square of modules out.

Rules (ISO/IEC 16022): ASCII encodation, with two digits in one codeword, which suits GS1 data; FNC1 (232) first for GS1
and in place of each GS; pads scrambled by place; Reed-Solomon over 0x12D; the placement of annex F; finder and clock
around each region. Square symbols with one block of check words: up to 48 x 48, 174 codewords of data.
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega.errors import InvalidInput
from bodega_adapters.framing.code128 import GS
from bodega_adapters.framing.reed_solomon import Field

Modules = list[list[bool]]

_FNC1 = 232
_PAD = 129
_FIELD = Field(0x12D, 1)


@dataclass(frozen=True, slots=True)
class _Size:
    """A square symbol: side with borders, regions along a side, codewords of data and of check."""

    side: int
    regions: int
    data: int
    check: int


# ISO/IEC 16022, table 7.
_SIZES = (
    _Size(10, 1, 3, 5),
    _Size(12, 1, 5, 7),
    _Size(14, 1, 8, 10),
    _Size(16, 1, 12, 12),
    _Size(18, 1, 18, 14),
    _Size(20, 1, 22, 18),
    _Size(22, 1, 30, 20),
    _Size(24, 1, 36, 24),
    _Size(26, 1, 44, 28),
    _Size(32, 2, 62, 36),
    _Size(36, 2, 86, 42),
    _Size(40, 2, 114, 48),
    _Size(44, 2, 144, 56),
    _Size(48, 2, 174, 68),
)


def modules_of(text: str, *, gs1: bool = False) -> Modules:
    """Rows of modules, True for dark, without a quiet zone (one module on all sides).

    Raises `InvalidInput` for characters beyond ASCII, which readers do not agree on, and for more than fits.
    """
    words = _words(text, gs1)
    size = next((size for size in _SIZES if size.data >= len(words)), None)
    if size is None or not text:
        raise InvalidInput(
            f"DataMatrix: {len(words)} codewords do not fit, at most {_SIZES[-1].data}", hint="encode less"
        )
    words += _pads(len(words), size.data)
    words += _FIELD.check_words(words, size.check)
    inner = size.side - 2 * size.regions
    places = _placement(inner)
    bits = [[_bit(words, places.get((row, column), 0)) for column in range(inner)] for row in range(inner)]
    if (inner - 1, inner - 1) not in places:
        # The corner that the placement leaves free: a fixed pattern of dark on the diagonal.
        bits[inner - 1][inner - 1] = bits[inner - 2][inner - 2] = True
    return _with_borders(bits, size)


def _words(text: str, gs1: bool) -> list[int]:
    try:
        data = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"DataMatrix: {text[error.start]!r} is not encodable", hint="use ASCII, or a QR code"
        ) from error
    words = [_FNC1] if gs1 else []
    at = 0
    while at < len(data):
        pair = data[at : at + 2]
        if len(pair) == 2 and pair.isdigit():
            words.append(int(pair) + 130)
            at += 2
            continue
        if gs1 and pair[:1] == GS.encode():
            words.append(_FNC1)
        else:
            words.append(pair[0] + 1)
        at += 1
    return words


def _pads(used: int, capacity: int) -> list[int]:
    pads = []
    for place in range(used + 1, capacity + 1):
        scrambled = _PAD + (149 * place) % 253 + 1
        first = place == used + 1
        pads.append(_PAD if first else scrambled if scrambled <= 254 else scrambled - 254)
    return pads


def _bit(words: list[int], place: int) -> bool:
    """`place` is 8 * word + bit from the most significant, plus one; 0: not placed."""
    if not place:
        return False
    word, bit = divmod(place - 1, 8)
    return bool(words[word] >> (7 - bit) & 1)


# Where the eight bits of a codeword lie, from its lower right corner (annex F): the "utah" shape.
_UTAH = ((-2, -2), (-2, -1), (-1, -2), (-1, -1), (-1, 0), (0, -2), (0, -1), (0, 0))


def _placement(side: int) -> dict[tuple[int, int], int]:
    """(row, column) -> place of the bit that lies there, for a square of `side` modules."""
    places: dict[tuple[int, int], int] = {}
    word = 0

    def put(cells: list[tuple[int, int]]) -> None:
        nonlocal word
        for bit, cell in enumerate(cells):
            places[_wrapped(*cell, side)] = 8 * word + bit + 1
        word += 1

    row, column = 4, 0
    while row < side or column < side:
        corner = _corner(row, column, side)
        if corner:
            put(corner)
        while row >= 0 and column < side:
            if row < side and column >= 0 and (row, column) not in places:
                put([(row + down, column + right) for down, right in _UTAH])
            row, column = row - 2, column + 2
        row, column = row + 1, column + 3
        while row < side and column >= 0:
            if row >= 0 and column < side and (row, column) not in places:
                put([(row + down, column + right) for down, right in _UTAH])
            row, column = row + 2, column - 2
        row, column = row + 3, column + 1
    return places


def _wrapped(row: int, column: int, side: int) -> tuple[int, int]:
    if row < 0:
        row, column = row + side, column + 4 - (side + 4) % 8
    if column < 0:
        row, column = row + 4 - (side + 4) % 8, column + side
    return row, column


def _corner(row: int, column: int, side: int) -> list[tuple[int, int]]:
    """Cells of the corner cases of annex F that a square can meet here; empty if there is none."""
    last = side - 1
    if (row, column) == (side, 0):
        return [(last, 0), (last, 1), (last, 2), (0, last - 1), (0, last), (1, last), (2, last), (3, last)]
    if (row, column) == (side - 2, 0) and side % 4:
        return [
            (last - 2, 0),
            (last - 1, 0),
            (last, 0),
            (0, last - 3),
            (0, last - 2),
            (0, last - 1),
            (0, last),
            (1, last),
        ]
    if (row, column) == (side - 2, 0) and side % 8 == 4:
        return [
            (last - 2, 0),
            (last - 1, 0),
            (last, 0),
            (0, last - 1),
            (0, last),
            (1, last),
            (2, last),
            (3, last),
        ]
    if (row, column) == (side + 4, 2) and not side % 8:
        return [
            (last, 0),
            (last, last),
            (0, last - 2),
            (0, last - 1),
            (0, last),
            (1, last - 2),
            (1, last - 1),
            (1, last),
        ]
    return []


def _with_borders(bits: Modules, size: _Size) -> Modules:
    """Each region gets a solid line on its left and lower side and a dotted one on the others."""
    inner = len(bits) // size.regions
    region = inner + 2
    symbol = [[False] * size.side for _ in range(size.side)]
    for row in range(size.side):
        for column in range(size.side):
            down, right = row % region, column % region
            if right == 0 or down == region - 1:
                dark = True
            elif down == 0:
                dark = right % 2 == 0
            elif right == region - 1:
                dark = down % 2 == 1
            else:
                dark = bits[row // region * inner + down - 1][column // region * inner + right - 1]
            symbol[row][column] = dark
    return symbol
