"""Checks of North American coupon codes: AI (8110) and AI (8112), digits that say their own lengths.

Both are read field by field from the tables below. Sources: GS1 US, North American Coupon Application Guideline Using
GS1 DataBar Expanded Symbols (8110); GS1 AI (8112) Coupon Data Specification.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from bodega_adapters.framing.gs1.dates import yymmdd
from bodega_adapters.framing.gs1.message import FaultKind, Wrong


class _Sized(NamedTuple):
    """A field behind a digit that says its length: that digit, one of `sizes`, and `more`; `none`: it is absent."""

    name: str
    sizes: str
    more: int = 0
    none: str = ""


class _Fixed(NamedTuple):
    """A field of so many digits."""

    name: str
    digits: int


class _Choice(NamedTuple):
    """One digit of the given ones."""

    name: str
    choices: str


class _Date(NamedTuple):
    """A date YYMMDD."""

    name: str


_Field: TypeAlias = _Sized | _Fixed | _Choice | _Date
_REQUIREMENT_CODES = "012349"


def _purchase(ordinal: str) -> tuple[_Field, ...]:
    return (
        _Sized(f"{ordinal} purchase requirement", "12345"),
        _Choice(f"{ordinal} purchase requirement code", _REQUIREMENT_CODES),
        _Fixed(f"{ordinal} purchase family code", 3),
    )


_COUPON: tuple[_Field, ...] = (
    _Sized("company prefix", "0123456", more=6),
    _Fixed("offer code", 6),
    _Sized("save value", "12345"),
    *_purchase("first"),
)
# In this order, each behind its own digit, each may be left out.
_COUPON_OPTIONS: dict[str, tuple[_Field, ...]] = {
    "1": (
        _Choice("additional purchase rules code", "0123"),
        *_purchase("second"),
        _Sized("second purchase company prefix", "01234569", more=6, none="9"),
    ),
    "2": (*_purchase("third"), _Sized("third purchase company prefix", "01234569", more=6, none="9")),
    "3": (_Date("expiration date"),),
    "4": (_Date("start date"),),
    "5": (_Sized("serial number", "0123456789", more=6),),
    "6": (_Sized("retailer", "1234567", more=6),),
    "9": (
        _Choice("save value code", "01256"),
        _Choice("save value applies to item", "012"),
        _Fixed("store coupon flag", 1),
        _Choice("don't multiply flag", "01"),
    ),
}
_POSITIVE_OFFER: tuple[_Field, ...] = (
    _Choice("format code", "01"),
    _Sized("funder", "0123456", more=6),
    _Fixed("offer code", 6),
    _Sized("serial number", "0123456789", more=6),
)


class _Reader:
    """Walks over the digits; `wrong` is the first thing that does not fit."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0
        self.wrong: Wrong | None = None
        self.dates: dict[str, str] = {}

    @property
    def rest(self) -> str:
        return self._text[self.at :]

    def read(self, fields: tuple[_Field, ...]) -> bool:
        """Whether all fields were there and right."""
        for field in fields:
            match field:
                case _Fixed(name, digits):
                    self._take(name, digits)
                case _Choice(name, choices):
                    choice = self._take(name, 1)
                    self._demand(choice in choices, name, choice)
                case _Sized(name, sizes, more, none):
                    size = self._take(f"length of the {name}", 1)
                    self._demand(size in sizes, f"length of the {name}", size)
                    if self.wrong is None and size != none:
                        self._take(name, int(size) + more)
                case _Date(name):
                    self.dates[name] = self._take(name, 6)
                    self._demand(
                        self.wrong is not None or yymmdd(self.dates[name]) is None, name, self.dates[name]
                    )
            if self.wrong is not None:
                return False
        return True

    def _take(self, name: str, digits: int) -> str:
        taken = self._text[self.at : self.at + digits]
        if len(taken) < digits:
            self.wrong = Wrong(FaultKind.FORMAT, self.at, f"the coupon's {name} is cut off")
        else:
            self.at += digits
        return taken

    def _demand(self, is_right: bool, name: str, taken: str) -> None:
        if self.wrong is None and not is_right:
            self.wrong = Wrong(
                FaultKind.FORMAT, self.at - len(taken), f"the coupon's {name} can not be {taken}"
            )


def couponcode(text: str) -> Wrong | None:
    """AI (8110)."""
    reader = _Reader(text)
    if (not_digit := _not_digit(text)) or not reader.read(_COUPON):
        return not_digit or reader.wrong
    for digit, fields in _COUPON_OPTIONS.items():
        if reader.rest[:1] == digit:
            reader.at += 1
            if not reader.read(fields):
                return reader.wrong
    if reader.rest:
        return _excess(reader)
    start, end = reader.dates.get("start date", ""), reader.dates.get("expiration date", "")
    if start and end and start > end:
        return Wrong(FaultKind.FORMAT, 0, f"the coupon expires on {end}, before it starts on {start}")
    return None


def couponposoffer(text: str) -> Wrong | None:
    """AI (8112)."""
    reader = _Reader(text)
    if (not_digit := _not_digit(text)) or not reader.read(_POSITIVE_OFFER):
        return not_digit or reader.wrong
    return _excess(reader) if reader.rest else None


def _excess(reader: _Reader) -> Wrong:
    return Wrong(FaultKind.FORMAT, reader.at, f"{reader.rest} is left over behind the coupon's fields")


def _not_digit(text: str) -> Wrong | None:
    for place, character in enumerate(text):
        if character not in "0123456789":
            return Wrong(FaultKind.CHARACTER, place, f"a coupon code has digits only, not {character!r}")
    return None
