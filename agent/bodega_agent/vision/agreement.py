"""Which readings of a frame are believed. PURE: readings in, symbols out.

One scan line through dirt, print or a hand can pass for a code, check digit and all; one in a hundred frames of real
goods holds such a line. So a reading has a weight, and a code is believed when its readings weigh enough:

| reading | weight |
|---|---|
| a symbol with error correction or a strong check (2D, Code 128, DataBar) | enough by itself |
| EAN, UPC or ITF, by zxing-cpp | its height over a fifth of its width: many lines agreed |
| EAN or UPC, by zbar | the scan lines that agreed, over `FIRM_LINES` |
| UPC-E (short, and its check digit in the parity only) | half of that |

Readings of different pictures of a frame, and of different readers, add up; where two readers agree, half a weight is
enough. Of two codes that are believed in one place, the weaker one is a misreading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Reader = Literal["zxing", "zbar"]

_EAN_UPC = frozenset({"]E0", "]E4"})
FIRM_HEIGHT_OF_WIDTH = 0.2
FIRM_LINES = 32
_FIRM = 1.0
_FIRM_OF_TWO_READERS = 0.5
# No picture alone says more than this: a long smear is one opinion.
_WEIGHT_MAX = 1.5


@dataclass(frozen=True, slots=True)
class Symbol:
    """What one code says. `symbology` is its AIM identifier, `gtin14` the trade item if it names one, else ""."""

    content: bytes
    text: str
    symbology: str
    gtin14: str

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for symbols that say the same: a UPC-A and the EAN-13 of its GTIN do."""
        is_retail = self.gtin14 and self.symbology in _EAN_UPC
        return ("]E0", self.gtin14) if is_retail else (self.symbology, self.text)


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's opinion of one place. `x`, `y` and `reach` (half the longer side) in pixels of the frame."""

    symbol: Symbol
    reader: Reader
    weight: float
    x: float
    y: float
    reach: float


class Ballot:
    """Collects the readings of one frame."""

    def __init__(self) -> None:
        self._candidates: dict[tuple[str, str], _Candidate] = {}

    def add(self, readings: Iterable[Reading]) -> None:
        """The readings of one picture of the frame by one reader."""
        best: dict[tuple[str, str], Reading] = {}
        for reading in readings:
            known = best.get(reading.symbol.identity)
            if known is None or known.weight < reading.weight:
                best[reading.symbol.identity] = reading
        for identity, reading in best.items():
            self._candidates.setdefault(identity, _Candidate(reading)).add(reading)

    def believed(self) -> list[Symbol]:
        """The codes that are believed now, in no order."""
        return [candidate.first.symbol for candidate in self._believed()]

    def settled(self) -> bool:
        """Whether a code is believed, and every other candidate lies where a believed one does."""
        believed = self._believed()
        return bool(believed) and all(
            any(candidate.overlaps(other) for other in believed) for candidate in self._candidates.values()
        )

    def _believed(self) -> list[_Candidate]:
        chosen: list[_Candidate] = []
        for candidate in sorted(self._candidates.values(), key=lambda c: c.weight, reverse=True):
            if candidate.is_firm and not any(candidate.overlaps(stronger) for stronger in chosen):
                chosen.append(candidate)
        return chosen


class _Candidate:
    __slots__ = ("first", "readers", "weight")

    def __init__(self, first: Reading) -> None:
        self.first = first
        self.weight = 0.0
        self.readers: set[Reader] = set()

    def add(self, reading: Reading) -> None:
        self.weight += min(reading.weight, _WEIGHT_MAX)
        self.readers.add(reading.reader)

    @property
    def is_firm(self) -> bool:
        return self.weight >= (_FIRM_OF_TWO_READERS if len(self.readers) > 1 else _FIRM)

    def overlaps(self, other: _Candidate) -> bool:
        one, two = self.first, other.first
        near = max(one.reach, two.reach)
        return abs(one.x - two.x) < near and abs(one.y - two.y) < near
