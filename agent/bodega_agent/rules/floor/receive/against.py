"""What came in, held against what was announced: line by line, nothing announced twice, nothing lost.

A supplier that names no lot means any: what comes of a lot that nobody named counts on the line without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

SkuLot = tuple[str, str]


class Came(NamedTuple):
    """Base units of one SKU and lot that came in; the damaged ones and those set on hold are counted in `received`."""

    received: int
    damaged: int = 0
    held: int = 0


NOTHING = Came(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One SKU and lot of a delivery, in base units."""

    sku_id: str
    lot: str
    expected: int
    received: int = 0
    damaged: int = 0
    held: int = 0
    name: str = ""

    @property
    def open(self) -> int:
        """Units that were announced and have not come."""
        return max(0, self.expected - self.received)

    @property
    def over(self) -> int:
        """Units that came beyond what was announced."""
        return max(0, self.received - self.expected)


def compare(announced: Iterable[tuple[str, str, int]], came: Mapping[SkuLot, Came]) -> tuple[Line, ...]:
    """`announced` are (SKU, lot or "", units); a line for each SKU and lot that was announced or came.

    The units of all lines are those announced, and those that came.
    """
    wanted: dict[SkuLot, int] = {}
    for sku_id, lot, quantity in announced:
        wanted[sku_id, lot] = wanted.get((sku_id, lot), 0) + quantity
    for (sku_id, lot), units in came.items():
        beyond = units.received - wanted.get((sku_id, lot), 0)
        taken = min(beyond, wanted.get((sku_id, ""), 0))
        if lot and taken > 0:
            wanted[sku_id, ""] -= taken
            wanted[sku_id, lot] = wanted.get((sku_id, lot), 0) + taken
    keys = {**dict.fromkeys(wanted), **dict.fromkeys(came)}
    lines = (Line(*key, wanted.get(key, 0), *came.get(key, NOTHING)) for key in keys)
    return tuple(line for line in lines if line.expected or line.received)


def with_more(lines: Iterable[Line], sku_id: str, lot: str, more: Came, name: str) -> tuple[Line, ...]:
    """The lines once `more` of a SKU and lot has come in."""
    before = tuple(lines)
    came = {(line.sku_id, line.lot): Came(line.received, line.damaged, line.held) for line in before}
    known = came.get((sku_id, lot), NOTHING)
    came[sku_id, lot] = Came(*(a + b for a, b in zip(known, more, strict=True)))
    names = {line.sku_id: line.name for line in before} | {sku_id: name}
    after = compare([(line.sku_id, line.lot, line.expected) for line in before], came)
    return tuple(replace(line, name=names[line.sku_id]) for line in after)


def open_for(lines: Iterable[Line], sku_id: str, lot: str) -> int:
    """Units of a SKU and lot that are still to come."""
    return sum(line.open for line in lines if line.sku_id == sku_id and line.lot in {"", lot})


def is_announced(lines: Iterable[Line], sku_id: str) -> bool:
    """Whether the SKU should come at all, in whatever lot."""
    return any(line.sku_id == sku_id and line.expected for line in lines)
