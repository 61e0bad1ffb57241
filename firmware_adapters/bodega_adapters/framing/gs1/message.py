"""What comes out of reading a GS1 code: elements, or the one thing that is wrong with it.

Nothing here raises: a barcode is whatever was printed on a box, and a wrong one is an answer, not an accident.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias

GS = "\x1d"


class Element(NamedTuple):
    """An application identifier such as "01" or "3103", and its value as the barcode has it."""

    ai: str
    value: str


class Need(NamedTuple):
    """An AI that must not stand alone: at least one of `any_of` must be there, "01+21" being both.

    A need that one barcode leaves unmet is no fault of that barcode: GS1 judges it over all barcodes on the same item.
    """

    ai: str
    any_of: tuple[str, ...]

    def __str__(self) -> str:
        return f"AI ({self.ai}) needs {' or '.join(f'({name})' for name in self.any_of)}"


class FaultKind(StrEnum):
    """What sort of mistake it is; for programs and tests."""

    EMPTY = "empty"
    UNKNOWN_AI = "unknown-ai"
    LENGTH = "length"
    CHARACTER = "character"
    CHECK_DIGIT = "check-digit"
    DATE = "date"
    TIME = "time"
    CODE_LIST = "code-list"
    FORMAT = "format"
    EXCLUDED = "excluded"
    REPEATED = "repeated"
    URI = "uri"


class Wrong(NamedTuple):
    """What a check of one component found: `offset` counts characters of the component from 0."""

    kind: FaultKind
    offset: int
    problem: str


class Fault(NamedTuple):
    """The first thing wrong: `position` counts characters of the text from 0; `ai` is empty if none is to blame."""

    kind: FaultKind
    ai: str
    position: int
    problem: str
    hint: str

    def __str__(self) -> str:
        where = f"AI ({self.ai}), " if self.ai else ""
        return f"{where}character {self.position + 1}: {self.problem}"


class Message(NamedTuple):
    """The elements in the order of the barcode, and the needs that it leaves to other barcodes on the item."""

    elements: tuple[Element, ...]
    unmet: tuple[Need, ...] = ()

    def get(self, ai: str) -> str | None:
        """The value of an AI; None if it is not there."""
        for name, value in self.elements:
            if name == ai:
                return value
        return None


Parsed: TypeAlias = Message | Fault

_SCAN_AGAIN = "scan again; if it stays, the label is damaged or was printed wrong"
_SET_ASIDE = "the label was made wrong: set the goods aside and tell the shift lead"
HINTS: dict[FaultKind, str] = {
    FaultKind.EMPTY: _SCAN_AGAIN,
    FaultKind.UNKNOWN_AI: "scan again; if it stays, the scanner may drop the GS character (set it to send FNC1 as GS), "
    "or the label was made wrong",
    FaultKind.LENGTH: "scan again; if it stays, the scanner may drop the GS character: set it to send FNC1 as GS",
    FaultKind.CHARACTER: _SCAN_AGAIN,
    FaultKind.CHECK_DIGIT: _SCAN_AGAIN,
    FaultKind.DATE: _SET_ASIDE,
    FaultKind.TIME: _SET_ASIDE,
    FaultKind.CODE_LIST: _SET_ASIDE,
    FaultKind.FORMAT: _SET_ASIDE,
    FaultKind.EXCLUDED: _SET_ASIDE,
    FaultKind.REPEATED: _SET_ASIDE,
    FaultKind.URI: "scan another barcode of the item; this one is a link that GS1's rules do not know",
}


def fault(kind: FaultKind, ai: str, position: int, problem: str) -> Fault:
    """A fault with the hint that goes with its kind."""
    return Fault(kind, ai, position, problem, HINTS[kind])
