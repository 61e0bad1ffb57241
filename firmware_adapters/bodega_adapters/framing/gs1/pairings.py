"""Which AIs may and must stand together: GS1 General Specifications 4.14, as the table has it.

Only the AIs count, not their values, and a node sees few combinations; so what is found is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from bodega.limits import GS1_PAIRINGS_KEPT_MAX
from bodega_adapters.framing.gs1.message import Element, FaultKind, Need
from bodega_adapters.framing.gs1.specs import spec_of

# With a digital signature (8030), these keys must carry their serial component; its length without one, in characters.
SIGNED_SERIAL_KEYS = {"253": 13, "255": 13, "8003": 14}
SIGNATURE = "8030"


class Pairing(NamedTuple):
    """What is to be said of AIs that stand together; `repeated` and `signed` ask for a look at the values."""

    excluded: tuple[str, str] | None
    unmet: tuple[Need, ...]
    repeated: bool
    signed: bool


class Clash(NamedTuple):
    """The element (by its place in the sequence) that can not stand beside the others, and why."""

    kind: FaultKind
    place: int
    problem: str


def judge(elements: Sequence[Element]) -> tuple[Need, ...] | Clash:
    """What the elements leave unmet, or that they contradict each other."""
    pairing = pairing_of(tuple([element[0] for element in elements]))
    if pairing.excluded is not None:
        ai, other = pairing.excluded
        place = max(_place_of(elements, ai), _place_of(elements, other))
        return Clash(FaultKind.EXCLUDED, place, f"AI ({ai}) and AI ({other}) exclude each other")
    if pairing.repeated and (clash := _differing_repeat(elements)) is not None:
        return clash
    if pairing.signed and (clash := _signed_without_serial(elements)) is not None:
        return clash
    return pairing.unmet


@lru_cache(maxsize=GS1_PAIRINGS_KEPT_MAX)
def pairing_of(ais: tuple[str, ...]) -> Pairing:
    """Judge AIs, all of which are in the table, in any order."""
    there = frozenset(ais)
    excluded: tuple[str, str] | None = None
    unmet: list[Need] = []
    for ai in dict.fromkeys(ais):
        spec = spec_of(ai)
        assert spec is not None
        for pattern in spec.excludes:
            for other in sorted(there - {ai}):
                if excluded is None and matches(pattern, other):
                    excluded = (ai, other)
        unmet += [Need(ai, need) for need in spec.needs if not any(_is_met(group, there) for group in need)]
    return Pairing(excluded, tuple(unmet), len(there) < len(ais), SIGNATURE in there)


def matches(pattern: str, ai: str) -> bool:
    """Whether an AI is of a pattern such as "31nn": n stands for any digit."""
    return len(pattern) == len(ai) and ai.startswith(pattern.rstrip("n"))


def _is_met(group: str, there: frozenset[str]) -> bool:
    return all(any(matches(pattern, other) for other in there) for pattern in group.split("+"))


def _place_of(elements: Sequence[Element], ai: str) -> int:
    return next(place for place, element in enumerate(elements) if element.ai == ai)


def _differing_repeat(elements: Sequence[Element]) -> Clash | None:
    seen: dict[str, str] = {}
    for place, (ai, value) in enumerate(elements):
        if seen.setdefault(ai, value) != value:
            return Clash(
                FaultKind.REPEATED, place, f"AI ({ai}) is there twice, with {seen[ai]} and with {value}"
            )
    return None


def _signed_without_serial(elements: Sequence[Element]) -> Clash | None:
    for place, (ai, value) in enumerate(elements):
        if len(value) == SIGNED_SERIAL_KEYS.get(ai):
            return Clash(
                FaultKind.FORMAT, place, f"AI ({ai}) beside a signature (8030) must have its serial part"
            )
    return None
