"""A kit that no node holds as such is served by its components: the lines that makes, and what they say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bodega.errors import FieldFault, InvalidInput
from bodega.limits_hub import KIT_LEVELS_MAX

# SKU -> (component, base units of it in one kit).
Components = Mapping[str, Sequence[tuple[str, int]]]


class KitLine(NamedTuple):
    """A line to be served: `kit_line` is the line of the kit that it belongs to, 0: it was asked for as it is."""

    line: int
    sku_id: str
    quantity: int
    kit_line: int = 0


def explode(asked: Sequence[tuple[int, str, int]], components: Components) -> tuple[KitLine, ...]:
    """The lines that nodes are asked for where (line, SKU, quantity) is wanted, kits by their components.

    Lines of kits are left out and those of their components follow all others; a SKU comes once for each kit, however
    deep it lies in it. Raises InvalidInput where kits lie in each other more than KIT_LEVELS_MAX deep.
    """
    plain = [KitLine(line, sku_id, units) for line, sku_id, units in asked if not components.get(sku_id)]
    following = max((line for line, _, _ in asked), default=0) + 1
    parts: list[KitLine] = []
    for kit_line, sku_id, units in asked:
        if not components.get(sku_id):
            continue
        total: dict[str, int] = {}
        _add(total, sku_id, units, components, KIT_LEVELS_MAX)
        for component, wanted in total.items():
            parts.append(KitLine(following + len(parts), component, wanted, kit_line))
    return (*plain, *parts)


def _add(total: dict[str, int], sku_id: str, units: int, components: Components, depth: int) -> None:
    inside = components.get(sku_id, ())
    if not inside:
        total[sku_id] = total.get(sku_id, 0) + units
        return
    if not depth:
        fault = FieldFault("components", f"lie more than {KIT_LEVELS_MAX} deep: {sku_id}")
        raise InvalidInput("a kit can not be taken apart", hint="mend the catalogue", faults=(fault,))
    for component, each in inside:
        _add(total, component, units * each, components, depth - 1)


def of_kit(quantity: int, parts: Iterable[tuple[int, int, int]]) -> tuple[int, int]:
    """(whole kits shipped, kits that lack something), from the (quantity, shipped, short) of their components."""
    rows = list(parts)
    shipped = min(shipped * quantity // asked for asked, shipped, _ in rows)
    short = max(-(-short * quantity // asked) for asked, _, short in rows)
    return shipped, short
