"""GS1 codes as tests write them: "(01)...(10)..." and "^" instead of AIs in a row and FNC1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bodega_adapters.framing.gs1 import GS, Element
from bodega_adapters.framing.gs1.specs import spec_of

DATA = Path(__file__).resolve().parents[1] / "data" / "gs1"
_BRACKETED = re.compile(r"\(([0-9]{2,4})\)([^(]*)")


class Vector(NamedTuple):
    """What somebody else accepts, refuses, or takes for no GS1 code ("plain")."""

    suite: str
    verdict: str
    reason: str
    text: str
    expected: str


def vectors(name: str, suite: str = "") -> Iterator[Vector]:
    """The rows of a file of vectors, all or of one suite."""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            vector = Vector(
                *line.replace("<SP>", " ").replace("<GS>", GS).split("\t"), *([""] * (4 - line.count("\t")))
            )
            if not suite or vector.suite == suite:
                yield vector


def bracketed(text: str) -> list[Element]:
    """The elements of "(01)...(10)...", right or not."""
    return [Element(ai, value) for ai, value in _BRACKETED.findall(text)]


def element_string(elements: Iterable[Element]) -> str:
    """The element string as a scanner sends it, without FNC1 in front."""
    text = ""
    ended = True
    for ai, value in elements:
        spec = spec_of(ai)
        text += ("" if ended else GS) + ai + value
        ended = spec is not None and spec.predefined_length
    return text
