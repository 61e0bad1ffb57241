"""PURE text for labels: cleaned, wrapped at words, made smaller where that helps, cut where nothing does.

- Control characters become spaces, invisible format characters go, letters and their accents become one (NFC).
- Lines break at spaces. A word that is longer than a line breaks inside, and so does a script that has no spaces.
- Letters shrink in steps until the text fits without a broken word, but never below the smallest that the layout
  allows. Then words break, in the largest letters that this needs, and at last the text is cut, with an ellipsis, and
  how many characters were lost is told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

LINE_PITCH = 1.15
_SHRINK = 0.96
ELLIPSIS = "…"
_TO_SPACE = {"Cc", "Zl", "Zp", "Zs"}
_TO_NOTHING = {"Cf", "Cs", "Co", "Cn"}
_VARIATION = re.compile("[\ufe00-\ufe0f]")
# East Asian scripts: a line may break after any character.
_IDEOGRAPHS = r"\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_PIECE = re.compile(rf"\s+|[{_IDEOGRAPHS}]|[^\s{_IDEOGRAPHS}]+")


class Width(Protocol):
    """Dots that one line takes in letters of that height."""

    def __call__(self, text: str, letter: int) -> int:
        """See the class."""
        ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """Lines as they will stand, the height of their letters in dots, and how many characters did not fit."""

    lines: tuple[str, ...]
    letter: int
    cut: int


def clean(text: str) -> str:
    """`text` as one printable line."""
    kinds = ((character, unicodedata.category(character)) for character in unicodedata.normalize("NFC", text))
    kept = (
        "" if kind in _TO_NOTHING else " " if kind in _TO_SPACE else character for character, kind in kinds
    )
    return " ".join(_VARIATION.sub("", "".join(kept)).split())


def pitch(letter: int) -> int:
    """Dots from one line to the next."""
    return round(letter * LINE_PITCH)


def rows_in(height: int, letter: int) -> int:
    """How many lines of such letters a place holds: the last one needs no gap below it."""
    return max(0, (height - letter) // max(1, pitch(letter)) + 1)


def fit(lines: Iterable[str], room: tuple[int, int], letters: tuple[int, int], width: Width) -> Fitted:
    """Put text into `room` (width, height) with letters of at most and at least these heights, all in dots."""
    cleaned = [line for line in map(clean, lines) if line]
    largest, least = letters
    broken: Fitted | None = None
    letter = largest
    while True:
        wrapped, is_broken = wrap(cleaned, room[0], partial(width, letter=letter))
        rows = rows_in(room[1], letter)
        if len(wrapped) <= rows:
            fitted = Fitted(tuple(wrapped), letter, 0)
            if not is_broken:
                return fitted
            broken = broken or fitted
        if letter <= least:
            return broken or _cut(wrapped, rows, room[0], partial(width, letter=letter), letter)
        letter = max(least, min(letter - 1, int(letter * _SHRINK)))


def wrap(lines: Iterable[str], room: int, width: Callable[[str], int]) -> tuple[list[str], bool]:
    """Clean lines, broken so that each is at most `room` wide, and whether a word was broken inside.

    A single character may be wider.
    """
    wrapped: list[str] = []
    is_broken = False
    for line in lines:
        here = ""
        for piece in _PIECE.findall(line):
            if width((here + piece).rstrip()) <= room:
                here += piece
                continue
            if here.strip():
                wrapped.append(here.strip())
            here = piece.lstrip()
            while width(here) > room and len(here) > 1:
                head = _longest(here, room, width)
                wrapped.append(here[:head])
                here = here[head:]
                is_broken = True
        if here.strip():
            wrapped.append(here.strip())
    return wrapped, is_broken


def _longest(text: str, room: int, width: Callable[[str], int]) -> int:
    """How many characters of `text` fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(text[:middle]) <= room else (low, middle - 1)
    return low


def _cut(wrapped: list[str], rows: int, room: int, width: Callable[[str], int], letter: int) -> Fitted:
    kept, lost = wrapped[:rows], sum(map(len, wrapped[rows:]))
    if kept:
        last = kept[-1]
        while last and width(last + ELLIPSIS) > room:
            last = last[:-1]
        lost += len(kept[-1]) - len(last)
        kept[-1] = last.rstrip() + ELLIPSIS
    return Fitted(tuple(kept), letter, lost)
