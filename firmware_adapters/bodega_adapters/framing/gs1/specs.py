"""The rows of `ai_table.py`, made ready for reading: what each AI's value looks like, needs and excludes.

A spec is built when its AI is first seen: a node meets a dozen of the five hundred.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from bodega_adapters.framing.gs1.ai_table import ROWS
from bodega_adapters.framing.gs1.checks import CHECKS, Check
from bodega_adapters.framing.gs1.message import GS

# What a character of each set is in a regular expression; Z may end in padding.
CHARACTER_SETS = {"N": "[0-9]", "X": '[!"%-?A-Z_a-z]', "Y": "[#/0-9A-Z-]", "Z": "[0-9A-Z_a-z-]"}
CHARACTER_SET_NAMES = {
    "N": "digits",
    "X": "GS1's character set 82",
    "Y": "GS1's character set 39",
    "Z": "base64url",
}
# GS1 General Specifications 7.8.5: AIs of predefined length, which no FNC1 has to end, by their first two digits.
PREDEFINED_LENGTH_PREFIXES = frozenset(
    f"{prefix:02}" for prefix in (*range(5), *range(11, 21), *range(31, 37), 41)
)
_COMPONENT = re.compile(r"(\[?)([NXYZ])(\.\.)?([0-9]+)((?:,[a-z0-9]+)*)\]?")
_UNIT = re.compile(r"\(([^)]+)\)")


class Component(NamedTuple):
    """A part of a value; `chars_min` is below `chars_max` in the last part only."""

    charset: str
    chars_min: int
    chars_max: int
    optional: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """One AI.

    `pattern` matches the value in a message from where it begins, with the GS behind it if there is one; group 1 is the
    value. `checks` are (start, end, check) of each component that has one, `end` None where it runs to the end.
    `needs` must all be met, each by one of its alternatives ("01+21": both, "31nn": any such AI); `excludes` are such
    patterns.
    `is_key`: it may stand first in the path of a Digital Link; `qualifiers`: the sequences that may follow it there.
    """

    ai: str
    title: str
    unit: str
    components: tuple[Component, ...]
    pattern: re.Pattern[str]
    checks: tuple[tuple[int, int | None, Check], ...]
    needs: tuple[tuple[str, ...], ...]
    excludes: tuple[str, ...]
    is_key: bool
    qualifiers: tuple[tuple[str, ...], ...]
    is_attribute: bool

    @property
    def chars_min(self) -> int:
        """The shortest value."""
        return sum(part.chars_min for part in self.components if not part.optional)

    @property
    def chars_max(self) -> int:
        """The longest value."""
        return sum(part.chars_max for part in self.components)

    @property
    def predefined_length(self) -> bool:
        """Whether no FNC1 has to end the value."""
        return self.ai[:2] in PREDEFINED_LENGTH_PREFIXES


def _rows() -> dict[str, str]:
    """Every AI and its row."""
    rows: dict[str, str] = {}
    for line in ROWS.splitlines():
        ais, _, rest = line.partition("|")
        first, _, last = ais.strip().partition("-")
        for number in range(int(first), int(last or first) + 1):
            rows[f"{number:0{len(first)}}"] = rest
    return rows


_ROWS = _rows()
AIS = tuple(sorted(_ROWS))
# All AIs that share their first two digits have the same length.
AI_CHARS = {ai[:2]: len(ai) for ai in AIS}


class _Specs(dict[str, Spec]):
    """Specs by AI, each built when it is first asked for."""

    def __missing__(self, ai: str) -> Spec:
        built = self[ai] = _build(ai)
        return built


# Fails with KeyError for what is no AI; `spec_of` is kinder. This is for the loop that every scan goes through.
SPECS = _Specs()


def spec_of(ai: str) -> Spec | None:
    """What the table says of an AI; None if GS1 has no such AI."""
    return SPECS[ai] if ai in _ROWS else None


def _build(ai: str) -> Spec:
    form, needs, excludes, link, title = (column.strip() for column in _ROWS[ai].split("|"))
    components = _components(form)
    unit = _UNIT.search(title)
    return Spec(
        ai=ai,
        title=title,
        unit=unit.group(1) if unit else "",
        components=components,
        pattern=_pattern(components, ai[:2] in PREDEFINED_LENGTH_PREFIXES),
        checks=_placed_checks(components),
        needs=tuple(tuple(need.strip().split(",")) for need in needs.split("&") if need.strip()),
        excludes=tuple(excludes.split(",")) if excludes else (),
        is_key=link.startswith("key"),
        qualifiers=tuple(tuple(way.split(",")) for way in link.removeprefix("key").strip().split("/"))
        if link.startswith("key ")
        else (),
        is_attribute=link != "no",
    )


def _components(form: str) -> tuple[Component, ...]:
    parts = []
    for bracket, charset, ranged, chars, names in _COMPONENT.findall(form):
        checks = tuple(CHECKS[name] for name in names.split(",")[1:])
        parts.append(Component(charset, 1 if ranged else int(chars), int(chars), bool(bracket), checks))
    return tuple(parts)


def _pattern(components: tuple[Component, ...], predefined_length: bool) -> re.Pattern[str]:
    value = closing = ""
    for part in components:
        # Padding counts as base64url; how much of it may be there is checked apart.
        characters = CHARACTER_SETS[part.charset].replace("]", "=]" if part.charset == "Z" else "]")
        opening = "(?:" if part.optional else ""
        value += f"{opening}{characters}{{{part.chars_min},{part.chars_max}}}"
        closing += ")?" if part.optional else ""
    return re.compile(f"({value}{closing}){GS}?" if predefined_length else f"({value}{closing})(?:{GS}|\\Z)")


def _placed_checks(components: tuple[Component, ...]) -> tuple[tuple[int, int | None, Check], ...]:
    placed: list[tuple[int, int | None, Check]] = []
    start = 0
    for part in components:
        end = start + part.chars_max if part.chars_min == part.chars_max else None
        placed += [(start, end, check) for check in part.checks]
        start += part.chars_max
    return tuple(placed)
