"""QR Code model 2: text in, a square of modules out, with the error correction that is asked for.

Rules (ISO/IEC 18004): one segment in the densest of the modes numeric, alphanumeric and byte (UTF-8); the smallest
version that holds it, up to 20 (97 x 97 modules: more is no label); Reed-Solomon over 0x11D in interleaved blocks; of
the eight masks the one with the least penalty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal, TypeAlias

from bodega.errors import InvalidInput
from bodega_adapters.framing.reed_solomon import Field

Correction: TypeAlias = Literal["L", "M", "Q", "H"]
Modules = list[list[bool]]

VERSION_MAX = 20
_FIELD = Field(0x11D, 0)
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_LEVEL_BITS: dict[Correction, int] = {"L": 1, "M": 0, "Q": 3, "H": 2}

# Check words of a block and number of blocks for versions 1 to 20 (ISO/IEC 18004, table 9).
_CHECK_WORDS: dict[Correction, tuple[int, ...]] = {
    "L": (7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28),
    "M": (10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26),
    "Q": (13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30),
    "H": (17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28),
}
_BLOCKS: dict[Correction, tuple[int, ...]] = {
    "L": (1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8),
    "M": (1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16),
    "Q": (1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20),
    "H": (1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25),
}

_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, _column: row % 2 == 0,
    lambda _row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: row * column % 2 + row * column % 3 == 0,
    lambda row, column: (row * column % 2 + row * column % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2 == 0,
)


@dataclass(frozen=True, slots=True)
class _Segment:
    """One mode for the whole text: its indicator, characters to count, and the bits of its data."""

    mode: int
    count: int
    bits: str

    def count_bits(self, version: int) -> int:
        """Width of the character count (table 3)."""
        small, large = {1: (10, 12), 2: (9, 11), 4: (8, 16)}[self.mode]
        return small if version < 10 else large


def modules_of(text: str, correction: Correction = "M") -> Modules:
    """Rows of modules, True for dark, without the quiet zone (four modules on all sides).

    Raises `InvalidInput` for an empty text and for one that needs more than version 20.
    """
    segment = _segment(text)
    for version in range(1, VERSION_MAX + 1):
        room = _data_words(version, correction) * 8
        if text and 4 + segment.count_bits(version) + len(segment.bits) <= room:
            break
    else:
        raise InvalidInput(f"QR code: {len(text)} characters do not fit", hint="encode less, or a link to it")
    words = _with_check(_words(segment, version, room), version, correction)
    side = 17 + 4 * version
    patterns = _Patterns(side, version)
    _draw_words(patterns.grid, patterns.fixed, words)
    return min((_masked(patterns.grid, patterns.fixed, mask, correction) for mask in range(8)), key=_penalty)


def _segment(text: str) -> _Segment:
    if text.isascii() and text.isdigit():
        groups = [text[at : at + 3] for at in range(0, len(text), 3)]
        bits = "".join(f"{int(group):0{(4, 7, 10)[len(group) - 1]}b}" for group in groups)
        return _Segment(1, len(text), bits)
    if all(character in _ALPHANUMERIC for character in text):
        values = [_ALPHANUMERIC.index(character) for character in text]
        pairs = [values[at : at + 2] for at in range(0, len(values), 2)]
        bits = "".join(f"{p[0] * 45 + p[1]:011b}" if len(p) == 2 else f"{p[0]:06b}" for p in pairs)
        return _Segment(2, len(text), bits)
    data = text.encode()
    return _Segment(4, len(data), "".join(f"{byte:08b}" for byte in data))


def _raw_words(version: int) -> int:
    """Codewords that a symbol of this version holds, of data and check together."""
    modules = (16 * version + 128) * version + 64
    if version >= 2:
        alignments = version // 7 + 2
        modules -= (25 * alignments - 10) * alignments - 55
        if version >= 7:
            modules -= 36
    return modules // 8


def _data_words(version: int, correction: Correction) -> int:
    check = _CHECK_WORDS[correction][version - 1] * _BLOCKS[correction][version - 1]
    return _raw_words(version) - check


def _words(segment: _Segment, version: int, room: int) -> list[int]:
    bits = f"{segment.mode:04b}{segment.count:0{segment.count_bits(version)}b}{segment.bits}"
    bits += "0" * min(4, room - len(bits))
    bits += "0" * (-len(bits) % 8)
    words = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    return words + [(0xEC, 0x11)[place % 2] for place in range(room // 8 - len(words))]


def _with_check(words: list[int], version: int, correction: Correction) -> list[int]:
    """Data and check words, interleaved over the blocks; the last blocks are one word longer."""
    count, check = _BLOCKS[correction][version - 1], _CHECK_WORDS[correction][version - 1]
    short, longer = divmod(len(words), count)
    blocks: list[list[int]] = []
    at = 0
    for number in range(count):
        size = short + (number >= count - longer)
        blocks.append(words[at : at + size])
        at += size
    checks = [_FIELD.check_words(block, check) for block in blocks]
    data = [block[place] for place in range(short + 1) for block in blocks if place < len(block)]
    return data + [block[place] for place in range(check) for block in checks]


class _Patterns:
    """What is fixed in a symbol: finders, timing, alignment, version, and room for the format."""

    def __init__(self, side: int, version: int) -> None:
        self.grid = [[False] * side for _ in range(side)]
        self.fixed = [[False] * side for _ in range(side)]
        self._side = side
        for place in range(side):
            self._put(6, place, dark=place % 2 == 0)
            self._put(place, 6, dark=place % 2 == 0)
        for top, left in ((3, 3), (3, side - 4), (side - 4, 3)):
            self._put_squares(top, left, 4, light=(2, 4))
        for top, left in product(_alignments(version, side), repeat=2):
            if (top, left) not in ((6, 6), (6, side - 7), (side - 7, 6)):
                self._put_squares(top, left, 2, light=(1,))
        self._put_version(version)
        for place in range(9):
            for row, column in ((8, place), (place, 8), (8, side - 1 - place), (side - 1 - place, 8)):
                if not self.fixed[row][column] and (place < 8 or row == column):
                    self._put(row, column, dark=False)
        self._put(side - 8, 8, dark=True)

    def _put(self, row: int, column: int, *, dark: bool) -> None:
        if 0 <= row < self._side and 0 <= column < self._side:
            self.grid[row][column], self.fixed[row][column] = dark, True

    def _put_squares(self, top: int, left: int, radius: int, light: tuple[int, ...]) -> None:
        """Squares around a centre, dark but for those of these radii."""
        for down, right in product(range(-radius, radius + 1), repeat=2):
            self._put(top + down, left + right, dark=max(abs(down), abs(right)) not in light)

    def _put_version(self, version: int) -> None:
        if version < 7:
            return
        rest = version
        for _ in range(12):
            rest = rest << 1 ^ (rest >> 11) * 0x1F25
        bits = version << 12 | rest
        for place in range(18):
            dark = bool(bits >> place & 1)
            self._put(place // 3, self._side - 11 + place % 3, dark=dark)
            self._put(self._side - 11 + place % 3, place // 3, dark=dark)


def _alignments(version: int, side: int) -> list[int]:
    if version == 1:
        return []
    count = version // 7 + 2
    step = (version * 8 + count * 3 + 5) // (count * 4 - 4) * 2
    return [6, *sorted(side - 7 - place * step for place in range(count - 1))]


def _draw_words(grid: Modules, fixed: Modules, words: list[int]) -> None:
    """In columns of two from the right, up and down in turn, around what is fixed."""
    side, place = len(grid), 0
    for right in range(side - 1, 0, -2):
        pair = right if right > 6 else right - 1
        upward = (pair + 1) & 2 == 0
        for step in range(side):
            row = side - 1 - step if upward else step
            for column in (pair, pair - 1):
                if not fixed[row][column] and place < len(words) * 8:
                    grid[row][column] = bool(words[place >> 3] >> (7 - (place & 7)) & 1)
                    place += 1


def _masked(grid: Modules, fixed: Modules, mask: int, correction: Correction) -> Modules:
    flips, side = _MASKS[mask], len(grid)
    masked = [
        [grid[row][column] ^ (not fixed[row][column] and flips(row, column)) for column in range(side)]
        for row in range(side)
    ]
    data = _LEVEL_BITS[correction] << 3 | mask
    rest = data
    for _ in range(10):
        rest = rest << 1 ^ (rest >> 9) * 0x537
    bits = (data << 10 | rest) ^ 0x5412
    for place in range(15):
        dark = bool(bits >> place & 1)
        upper = (place + (place > 5), 8) if place < 8 else (8, 15 - place - (place > 8))
        masked[upper[0]][upper[1]] = dark
        lower = (8, side - 1 - place) if place < 8 else (side - 15 + place, 8)
        masked[lower[0]][lower[1]] = dark
    return masked


def _penalty(grid: Modules) -> int:
    """How badly a symbol may read (7.8.3): runs, blocks, finder look-alikes, imbalance."""
    side, points = len(grid), 0
    lines = ["".join("01"[dark] for dark in row) for row in (*grid, *map(list, zip(*grid, strict=True)))]
    for line in lines:
        run = 1
        for before, here in zip(line, line[1:] + "x", strict=True):
            if here == before:
                run += 1
                continue
            points += run - 2 if run >= 5 else 0
            run = 1
        for look_alike in ("10111010000", "00001011101"):
            points += 40 * sum(line.startswith(look_alike, at) for at in range(side - 10))
    for upper, lower in pairwise(grid):
        for at in range(side - 1):
            points += 3 * (upper[at] == upper[at + 1] == lower[at] == lower[at + 1])
    dark = sum(map(sum, grid))
    return points + 10 * (abs(dark * 20 - side * side * 10) // (side * side))
