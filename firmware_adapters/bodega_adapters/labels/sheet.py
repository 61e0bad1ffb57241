"""A label in dots: what stands where, for one resolution, in no printer's language.

`placing` makes a sheet of a layout and values; every renderer draws the same sheet. All lengths are dots, from the
upper left corner. A sheet also carries what was found on the way: a fatal finding must not be printed, any other is a
loss that a person should know of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from bodega.errors import FieldFault

Align: TypeAlias = Literal["left", "center", "right"]
Symbology: TypeAlias = Literal["code-128", "gs1-128", "datamatrix", "gs1-datamatrix", "qr"]


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of dots."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column behind it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.y + self.height

    def meets(self, other: Place) -> bool:
        """Whether they share a dot."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )

    def widened(self, sides: int, ends: int) -> Place:
        """With so many dots more on the left and right, and on top and bottom."""
        return Place(self.x - sides, self.y - ends, self.width + 2 * sides, self.height + 2 * ends)


@dataclass(frozen=True, slots=True)
class Bitmap:
    """Dots of black (1) and white (0): rows of whole bytes, the leftmost dot in the most significant bit."""

    width: int
    height: int
    rows: bytes

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return (self.width + 7) // 8

    @classmethod
    def of(cls, modules: Iterable[Iterable[bool]], scale: int = 1) -> Bitmap:
        """Squares of `scale` dots."""
        lines = []
        for row in modules:
            bits = "".join(("1" if dark else "0") * scale for dark in row)
            width = len(bits)
            line = int(bits.ljust((width + 7) // 8 * 8, "0"), 2).to_bytes((width + 7) // 8, "big")
            lines += [line] * scale
        return cls(width, len(lines), b"".join(lines))


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text. `letter` is the height of its font (`^A0`'s); capitals are three quarters of it, from the top.

    `inverse`: white, on a filled place.
    """

    place: Place
    text: str
    letter: int
    align: Align = "left"
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Symbol:
    """A barcode without its quiet zone. `modules` has one row for a linear one, which is as high as its place.

    `data` is its content, with GS where FNC1 separates; `values` are the symbol characters of a linear one.
    """

    place: Place
    symbology: Symbology
    data: str
    module: int
    modules: tuple[tuple[bool, ...], ...]
    values: tuple[int, ...] = ()
    correction: Literal["L", "M", "Q", "H"] = "M"

    @property
    def is_linear(self) -> bool:
        """Whether it is read along one line."""
        return len(self.modules) == 1

    def bitmap(self, scale: int = 1) -> Bitmap:
        """Its dots, each drawn `scale` times as large."""
        drawn = Bitmap.of(self.modules, self.module * scale)
        if not self.is_linear:
            return drawn
        return Bitmap(
            drawn.width,
            self.place.height * scale,
            drawn.rows[: drawn.row_bytes] * (self.place.height * scale),
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """Four lines of `thick` dots, inside the place; filled if they are as thick as it."""

    place: Place
    thick: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Ready dots."""

    place: Place
    bitmap: Bitmap


Mark: TypeAlias = Words | Symbol | Frame | Drawing


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a label on this printer; `fatal`: it must not be printed so."""

    fault: FieldFault
    fatal: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """One label. `endless`: as long as its content, as a receipt is; otherwise as high as its medium."""

    width: int
    height: int
    dots_per_mm: int
    marks: tuple[Mark, ...]
    findings: tuple[Finding, ...] = ()
    endless: bool = False


class Typeface(Protocol):
    """How wide text gets, and which characters there are, in a renderer's letters."""

    def width(self, text: str, letter: int) -> int:
        """Dots that one line takes."""
        ...

    def missing(self, text: str) -> list[str]:
        """Characters that would not be printed as what they are."""
        ...
