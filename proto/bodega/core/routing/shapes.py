"""Values <-> JSON, by the annotations of dataclasses: a reader that names every fault at once, and one canonical form.

What is as it is by default is left out, so that a record keeps its bytes when a field is added later. Canonical: keys
sorted, no white space, ASCII only; numbers as Python prints them (the shortest digits that read back the same).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from math import isfinite
from typing import TypeVar, cast, get_args, get_origin, get_type_hints

from bodega.errors import FieldFault, InvalidInput

# Beyond this JSON's numbers are no longer whole everywhere (RFC 8259, section 6).
_WHOLE_MAX = 2**53 - 1
_NOTHING = object()
_AS_IT_IS = frozenset({str, int, float, bool, type(None)})
Shape = TypeVar("Shape")


def canonical(plain: object) -> bytes:
    """The one spelling of a JSON value; ValueError if it holds a number that JSON cannot say."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def loads(body: bytes, what: str) -> object:
    """JSON as it stands. Raises InvalidInput: no JSON, a key twice, NaN, nested beyond sense."""
    try:
        return json.loads(body, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{what} is not JSON: {error}", hint="check it with any JSON tool") from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"said twice: {', '.join(sorted({key for key in keys if keys.count(key) > 1}))}")
    return found


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a number in JSON")


def plain(value: object) -> object:
    """A value as JSON has it; keys that are numbers become text."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    said = _fields_of(kind)  # type: ignore[arg-type]  # every type is hashable
    if said is not None:
        found = {}
        for name, default in said:
            held = getattr(value, name)
            if held != default:
                found[name] = held if type(held) in _AS_IT_IS else plain(held)
        return found
    if isinstance(value, Mapping):
        return {str(key): held if type(held) in _AS_IT_IS else plain(held) for key, held in value.items()}
    if isinstance(value, tuple | list):
        return list(map(plain, value))
    return value


@cache
def _fields_of(kind: type[object]) -> tuple[tuple[str, object], ...] | None:
    """Names and defaults of a dataclass; None for every other type. One decision asks it thousands of times."""
    return tuple((one.name, _default(one)) for one in fields(kind)) if is_dataclass(kind) else None


def _default(one: Field[object]) -> object:
    if one.default_factory is not MISSING:
        return one.default_factory()
    return _NOTHING if one.default is MISSING else one.default


class Reader:
    """Reads values by type; `faults` gathers what is wrong, each with its dotted place and the value seen."""

    def __init__(self) -> None:
        self.faults: list[FieldFault] = []

    def read(self, kind: type[Shape], value: object, where: str) -> Shape | None:
        """The value as that type, or None with at least one fault more."""
        before = len(self.faults)
        found = self._of(kind, value, where)
        return cast("Shape", found) if len(self.faults) == before else None

    def _of(self, kind: object, value: object, where: str) -> object:
        outer = get_origin(kind)
        if kind is object:
            return value
        if is_dataclass(kind):
            return self._dataclass(cast("Callable[..., object]", kind), value, where)
        if outer is tuple:
            return self._tuple(get_args(kind)[0], value, where)
        if outer is Mapping:
            key, held = get_args(kind)
            return self._mapping(key, held, value, where)
        return self._plain(kind, value, where)

    def _dataclass(self, kind: Callable[..., object], value: object, where: str) -> object:
        if not isinstance(value, dict):
            return self._fault(where, "must be an object", value)
        known = _fields(kind)
        for name in sorted(value.keys() - known.keys()):
            self._fault(_inside(where, name), f"unknown field; there are {', '.join(known)}", value[name])
        given: dict[str, object] = {}
        for name, (hint, required) in known.items():
            if name in value:
                given[name] = self._of(hint, value[name], _inside(where, name))
            elif required:
                self._fault(_inside(where, name), "is missing")
        complete = all(name in given for name, (_, required) in known.items() if required)
        return kind(**given) if complete else None

    def _tuple(self, kind: object, value: object, where: str) -> object:
        if not isinstance(value, list):
            return self._fault(where, "must be a list", value)
        return tuple(self._of(kind, one, f"{where}[{number}]") for number, one in enumerate(value))

    def _mapping(self, key: object, kind: object, value: object, where: str) -> object:
        if not isinstance(value, dict):
            return self._fault(where, "must be an object", value)
        return {
            self._key(key, name, where): self._of(kind, held, _inside(where, name))
            for name, held in value.items()
        }

    def _key(self, kind: object, name: str, where: str) -> object:
        if kind is not int:
            return self._of(kind, name, where)
        return int(name) if _is_whole(name) else self._fault(_inside(where, name), "must be a whole number")

    def _plain(self, kind: object, value: object, where: str) -> object:
        match kind, value:
            case (_, bool()) if kind is bool:
                return value
            case (_, int()) if kind is int and not isinstance(value, bool):
                return value if abs(value) <= _WHOLE_MAX else self._fault(where, "is too large", value)
            case (_, int() | float()) if kind is float and not isinstance(value, bool):
                sensible = isfinite(value) if isinstance(value, float) else abs(value) <= _WHOLE_MAX
                return float(value) if sensible else self._fault(where, "is too large", value)
            case (_, str()) if kind is str:
                return value if value.isprintable() else self._fault(where, "must be printable text", value)
        return self._fault(where, f"must be {_WORDS[cast('type[object]', kind)]}", value)

    def _fault(self, where: str, problem: str, seen: object = _NOTHING) -> object:
        """None, in place of the value."""
        shown = "" if seen is _NOTHING else f", is {ascii(seen)[:60]}"
        self.faults.append(FieldFault(where, f"{problem}{shown}"))
        return None


_WORDS: dict[type[object], str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}


def _is_whole(name: str) -> bool:
    return name.isascii() and name.removeprefix("-").isdecimal() and len(name) <= len(str(_WHOLE_MAX))


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


@cache
def _fields(kind: Hashable) -> dict[str, tuple[object, bool]]:
    """By name: the annotation, and whether it must be said."""
    assert isinstance(kind, type)
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    return {one.name: (hints[one.name], _default(one) is _NOTHING) for one in fields(kind)}
