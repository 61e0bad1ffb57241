"""Reads JSON from the other end of the pipe with suspicion: every field is checked for type and size."""

from __future__ import annotations

from typing import Any

from bodega.errors import PeerFault
from bodega.limits import IDENTIFIER_CHARS_MAX

NAMES_MAX = 64


class Fields:
    """Reads the fields of one JSON object; each raises PeerFault for what is missing or does not fit, by name."""

    __slots__ = ("_data", "_what")

    def __init__(self, data: object, what: str) -> None:
        if not isinstance(data, dict):
            raise PeerFault(f"{what}: expected a JSON object, got {type(data).__name__}")
        self._data = data
        self._what = what

    def text(self, name: str, chars_max: int = IDENTIFIER_CHARS_MAX) -> str:
        """Text of at most so many characters."""
        return self._text(self._data.get(name), name, chars_max)

    def text_or_none(self, name: str, chars_max: int) -> str | None:
        """The same, or nothing."""
        return None if self._data.get(name) is None else self.text(name, chars_max)

    def texts(self, name: str, items_max: int, chars_max: int = IDENTIFIER_CHARS_MAX) -> tuple[str, ...]:
        """A list of texts."""
        value = self._data.get(name)
        if not isinstance(value, list) or len(value) > items_max:
            raise self._fault(name, f"a list of at most {items_max}", value)
        return tuple(self._text(item, name, chars_max) for item in value)

    def choice(self, name: str, allowed: tuple[Any, ...]) -> Any:
        """One of those allowed."""
        value = self._data.get(name)
        if value not in allowed:
            raise self._fault(name, f"one of {', '.join(map(str, allowed))}", value)
        return value

    def count(self, name: str) -> int:
        """A whole number that is not negative."""
        value = self._data.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._fault(name, "a whole number, not negative", value)
        return value

    def table(self, name: str) -> dict[str, Any]:
        """An object."""
        value = self._data.get(name)
        if not isinstance(value, dict) or len(value) > NAMES_MAX:
            # A camera's options may hold a password: what was got is not repeated.
            raise self._fault(name, f"an object of at most {NAMES_MAX} entries", type(value).__name__)
        return value

    def numbers(self, name: str) -> dict[str, float]:
        """An object of numbers."""
        table = self.table(name)
        if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in table.values()):
            raise self._fault(name, "an object of numbers", table)
        return table

    def _text(self, value: object, name: str, chars_max: int) -> str:
        if not isinstance(value, str) or len(value) > chars_max:
            raise self._fault(name, f"text of at most {chars_max} characters", value)
        return value

    def _fault(self, name: str, expected: str, value: object) -> PeerFault:
        return PeerFault(f"{self._what}: {name} must be {expected}, got {value!r:.80}")
