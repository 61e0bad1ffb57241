"""Tables of a bundle (rates, distances, capacities, customs unions), which expressions read as functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import cast

from bodega.core.routing.document import Table
from bodega.core.routing.facts import Known
from bodega.core.routing.shapes import WHOLE_MAX
from bodega.errors import FieldFault
from bodega.limits_hub import ROUTING_NAME_CHARS_MAX, ROUTING_TABLE_CELLS_MAX

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_PLAIN = (bool, int, float, str)


@dataclass(frozen=True, slots=True)
class Lookup:
    """`customs_days(node.country, order.country)`. Never raises, for the engine would print it.

    A key that is a whole number stands for its digits. `keys`: how many there are.
    """

    rows: Mapping[str, object]
    default: Known
    keys: int

    @classmethod
    def of(cls, table: Table) -> Lookup:
        """The function of a table."""
        nested = any(isinstance(row, dict) for row in table.rows.values())
        return cls(table.rows, cast("Known", table.default), keys=2 if nested else 1)

    def __call__(self, *given: Known) -> Known:
        """The value in the row of these keys, or the default."""
        held: object = self.rows
        for key in given[: self.keys]:
            held = held.get(str(key), self.default) if isinstance(held, Mapping) else self.default
        return self.default if isinstance(held, Mapping) else cast("Known", held)


def faults_of(name: str, table: Table, taken: frozenset[str]) -> Iterator[FieldFault]:
    """What is wrong with a table. `taken`: names that mean something else."""
    where = f"tables.{ascii(name)[1:-1][:ROUTING_NAME_CHARS_MAX]}"
    if not _NAME.fullmatch(name) or len(name) > ROUTING_NAME_CHARS_MAX or name in taken:
        yield FieldFault(where, "must be named in small letters with '_', unlike functions and facts")
    nested = {isinstance(row, dict) for row in table.rows.values()}
    cells = [
        cell for row in table.rows.values() for cell in (row.values() if isinstance(row, dict) else (row,))
    ]
    if len(nested) > 1:
        yield FieldFault(f"{where}.rows", "must have one key in all rows, or two in all")
    if len(cells) > ROUTING_TABLE_CELLS_MAX:
        yield FieldFault(
            f"{where}.rows", f"must have {ROUTING_TABLE_CELLS_MAX} values at most, has {len(cells)}"
        )
    if any(not _is_sayable(cell) for cell in (*cells, table.default)):
        yield FieldFault(where, "has a number that is too large")
    kinds = {type(cell) for cell in (*cells, table.default)}
    if len(kinds) > 1 or not kinds <= set(_PLAIN):
        words = ", ".join(sorted(kind.__name__ for kind in kinds))
        yield FieldFault(where, f"values and default must be of one plain type, are {words}")


def _is_sayable(cell: object) -> bool:
    """Whether it is the same number in JSON and in CEL, if it is one."""
    if isinstance(cell, float):
        return isfinite(cell)
    return not isinstance(cell, int) or abs(cell) <= WHOLE_MAX
