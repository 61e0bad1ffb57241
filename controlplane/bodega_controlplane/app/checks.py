"""Checks of input that name every fault at once, with where it is and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Collection, Sized

from bodega.errors import FieldFault, InvalidInput
from bodega.limits import IDENTIFIER_CHARS_MAX, TEXT_CHARS_MAX
from bodega_controlplane.app.views import GeoPoint


class Faults:
    """Gathers faults; `raise_if_any` ends the gathering."""

    def __init__(self) -> None:
        self.found: list[FieldFault] = []

    def add(self, where: str, problem: str) -> None:
        """One more fault."""
        self.found.append(FieldFault(where, problem))

    def raise_if_any(self, what: str) -> None:
        """Raise InvalidInput with everything found so far."""
        if self.found:
            many = "1 fault" if len(self.found) == 1 else f"{len(self.found)} faults"
            raise InvalidInput(
                f"{what} has {many}", hint="mend each one named and send it again", faults=tuple(self.found)
            )

    def identifier(self, where: str, value: str) -> None:
        """1 to IDENTIFIER_CHARS_MAX visible ASCII characters without spaces."""
        if not 0 < len(value) <= IDENTIFIER_CHARS_MAX:
            self.add(where, f"must be 1 to {IDENTIFIER_CHARS_MAX} characters")
        elif not (value.isascii() and value.isprintable() and " " not in value):
            self.add(where, "must be visible ASCII characters without spaces")

    def subject_token(self, where: str, value: str) -> None:
        """An identifier that can stand in a broker's subject: letters, digits, "-" and "_"."""
        if not 0 < len(value) <= IDENTIFIER_CHARS_MAX:
            self.add(where, f"must be 1 to {IDENTIFIER_CHARS_MAX} characters")
        elif not (value.isascii() and value.replace("-", "").replace("_", "").isalnum()):
            self.add(where, 'must be ASCII letters, digits, "-" and "_" only')

    def text(self, where: str, value: str, *, empty: bool = False) -> None:
        """At most TEXT_CHARS_MAX printable characters, and no markup: names go on labels and pages."""
        if not value.strip() and not empty:
            self.add(where, "must not be empty")
        elif len(value) > TEXT_CHARS_MAX:
            self.add(where, f"must be at most {TEXT_CHARS_MAX} characters")
        elif not value.isprintable():
            self.add(where, "must not hold control characters")
        elif "<" in value or ">" in value:
            self.add(where, "must not hold < or >")

    def number(self, where: str, value: int, low: int, high: int) -> None:
        """A whole number, both ends included."""
        if not low <= value <= high:
            self.add(where, f"must be {low} to {high}, is {value}")

    def one_of(self, where: str, value: str, words: Collection[str]) -> None:
        """One of these words."""
        if value not in words:
            known = ", ".join(filter(None, words))
            self.add(where, f"must be one of {known}, is {value[:IDENTIFIER_CHARS_MAX]!r}")

    def count(self, where: str, items: Sized, low: int, high: int) -> None:
        """That many items, both ends included."""
        if not low <= len(items) <= high:
            self.add(where, f"must have {low} to {high} items, has {len(items)}")

    def place(self, where: str, point: GeoPoint) -> None:
        """A point on the earth."""
        for name, value, bound in (("latitude", point.latitude, 90), ("longitude", point.longitude, 180)):
            if not (math.isfinite(value) and -bound <= value <= bound):
                self.add(f"{where}.{name}", f"must be -{bound} to {bound} degrees, is {value}")
