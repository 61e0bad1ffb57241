"""The bins that might take goods, a few of each sort, with what lies in them; `rules.floor.putaway.suggest` chooses.

A node may have 20,000 bins: only whether one is empty is asked of many, and what lies in it of few.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bodega.core.floor_words import BinKind, TemperatureClass, VelocityClass
from bodega.core.sku import Sku
from bodega.limits_floor import PUTAWAY_BINS_LOOKED_AT_MAX, PUTAWAY_BINS_WEIGHED_MAX
from bodega_agent.rules.floor.putaway.suggest import BinFacts, Load
from bodega_agent.store import catalogue
from bodega_agent.store.transaction import Transaction

if TYPE_CHECKING:
    from bodega_agent.rules.floor.putaway.facts import Waiting

_MIXED = "mixed"


def load_of(tx: Transaction, sku_id: str) -> Load:
    """One base unit of a SKU."""
    sku = catalogue.sku_by_id(tx, sku_id) or Sku(sku_id)
    return Load(1, sku_id, sku.volume_ml, sku.weight_g, str(sku.temperature_class), str(sku.velocity_class))


def load_of_all(tx: Transaction, waiting: Iterable[Waiting]) -> Load:
    """A whole pallet. Goods of several temperature classes suit no bin together, those of several speeds any."""
    loads = [(load_of(tx, there.sku_id), there.quantity) for there in waiting]
    temperatures = {load.temperature_class for load, _ in loads}
    speeds = {load.velocity_class for load, _ in loads}
    skus = {load.sku_id for load, _ in loads}
    return Load(
        sum(quantity for _, quantity in loads),
        skus.pop() if len(skus) == 1 else "",
        sum(load.volume_ml * quantity for load, quantity in loads),
        sum(load.weight_g * quantity for load, quantity in loads),
        temperatures.pop() if len(temperatures) == 1 else _MIXED,
        speeds.pop() if len(speeds) == 1 else "",
    )


def candidates(tx: Transaction, load: Load, named: Iterable[str], *, set_apart: bool) -> tuple[BinFacts, ...]:
    """Bins that may suit a load, and those that are `named`, whatever they are."""
    home = _home_of(tx, load.sku_id)
    found = dict.fromkeys(bin_id for bin_id in named if bin_id)
    found |= dict.fromkeys(home)
    if set_apart:
        found |= dict.fromkeys(_quality(tx))
    found |= dict.fromkeys(_own(tx, load.sku_id))
    found |= dict.fromkeys(_with_room(tx, load))
    facts = (_facts_of(tx, bin_id, load.sku_id, named=bin_id in home) for bin_id in found)
    return tuple(one for one in facts if one is not None)


def _home_of(tx: Transaction, sku_id: str) -> set[str]:
    """The bin that people at this node have named for a SKU."""
    rows = tx.execute(
        "SELECT value FROM local_field WHERE kind = 'sku' AND subject = ? AND field = 'home_bin'", (sku_id,)
    )
    return {row[0] for row in rows}


def _quality(tx: Transaction) -> list[str]:
    return _ids(
        tx,
        "SELECT bin_id FROM bin WHERE kind = ? ORDER BY walk_order LIMIT ?",
        BinKind.QUALITY,
        PUTAWAY_BINS_LOOKED_AT_MAX,
    )


def _own(tx: Transaction, sku_id: str) -> list[str]:
    """Bins that are the SKU's own, and bins that hold most of it."""
    if not sku_id:
        return []
    fixed = _ids(
        tx,
        "SELECT bin_id FROM bin WHERE fixed_sku_id = ? AND fixed_sku_id <> '' ORDER BY walk_order LIMIT ?",
        sku_id,
        PUTAWAY_BINS_LOOKED_AT_MAX,
    )
    return fixed + _ids(
        tx,
        "SELECT bin FROM balance WHERE sku_id = ? AND disposition = 'sellable_accessible'"
        " GROUP BY bin ORDER BY sum(quantity) DESC, bin LIMIT ?",
        sku_id,
        PUTAWAY_BINS_LOOKED_AT_MAX,
    )


def _with_room(tx: Transaction, load: Load) -> list[str]:
    """Empty bins of the goods' temperature class, by how well their velocity class fits; else the least filled."""
    return _of_each_class(tx, load, _EMPTY, ()) or _of_each_class(
        tx, load, _LEAST_FILLED, (PUTAWAY_BINS_WEIGHED_MAX,)
    )


def _of_each_class(tx: Transaction, load: Load, sql: str, values: tuple[int, ...]) -> list[str]:
    """Of the velocity class that fits best as many as are looked at, then of the next; a bin may leave them unsaid."""
    ambient = load.temperature_class == TemperatureClass.AMBIENT
    found: list[str] = []
    for velocity_class in dict.fromkeys((load.velocity_class, "", *VelocityClass)):
        for temperature_class in (load.temperature_class, "") if ambient else (load.temperature_class,):
            if left := max(0, PUTAWAY_BINS_LOOKED_AT_MAX - len(found)):
                found += _ids(tx, sql, temperature_class, velocity_class, *values, left)
    return found


_FOR_ANY_GOODS = (
    "FROM bin WHERE temperature_class = ? AND velocity_class = ? AND fixed_sku_id = ''"
    " AND kind IN ('', 'pick_face', 'reserve')"
)
_EMPTY = (
    f"SELECT bin_id {_FOR_ANY_GOODS} AND NOT EXISTS"  # noqa: S608  # a constant
    " (SELECT 1 FROM balance WHERE balance.bin = bin_id AND balance.bin <> '') ORDER BY walk_order LIMIT ?"
)
_LEAST_FILLED = (
    "SELECT bin_id FROM (SELECT bin_id, walk_order,"  # noqa: S608  # a constant
    " (SELECT sum(quantity) FROM balance WHERE balance.bin = bin_id AND balance.bin <> '') AS held"
    f" {_FOR_ANY_GOODS} ORDER BY walk_order LIMIT ?) ORDER BY held, walk_order LIMIT ?"
)


def _ids(tx: Transaction, sql: str, *values: object) -> list[str]:
    return [row[0] for row in list(tx.execute(sql, values))]


def _facts_of(tx: Transaction, bin_id: str, sku_id: str, *, named: bool) -> BinFacts | None:
    row = tx.one(
        "SELECT walk_order, kind, temperature_class, velocity_class, capacity_ml, capacity_g, fixed_sku_id, refill_to"
        " FROM bin WHERE bin_id = ?",
        (bin_id,),
    )
    if row is None:
        return None
    walk_order, kind, temperature_class, velocity_class, capacity_ml, capacity_g, fixed_sku_id, refill_to = (
        row
    )
    same = total = used_ml = used_g = 0
    lying = tx.execute(
        "SELECT sku_id, sum(quantity) FROM balance WHERE bin = ? AND bin <> '' GROUP BY sku_id", (bin_id,)
    )
    for of_sku, quantity in list(lying):
        total += quantity
        same += quantity if of_sku == sku_id else 0
        if capacity_ml or capacity_g:
            one = load_of(tx, of_sku)
            used_ml += one.volume_ml * quantity
            used_g += one.weight_g * quantity
    return BinFacts(
        bin_id,
        walk_order,
        kind,
        temperature_class or TemperatureClass.AMBIENT,
        velocity_class,
        capacity_ml,
        capacity_g,
        fixed_sku_id,
        refill_to,
        named,
        same,
        total,
        used_ml,
        used_g,
    )
