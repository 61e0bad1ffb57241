"""Where to count, and why: what somebody doubts, and what the plan asks for by velocity class.

Nothing is written: a place leaves the list when it is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from bodega_agent.rules import settings
from bodega_agent.rules.floor.count.judge import Cause, Due, planned
from bodega_agent.store import counts, goods
from bodega_agent.store.settings import settings_of
from bodega_agent.store.transaction import Transaction

Key = tuple[str, str]

# The places of a transfer that is being picked: they are counted when it is shipped.
_UNDER_WAY = "TRANSFER-"
_LAST = 1 << 30


class Asks(Protocol):
    """The writer's transaction, or a reader's connection."""

    def execute(self, sql: str, values: tuple[Any, ...] = ..., /) -> Iterable[Any]:
        """Rows of a statement."""


def doubted_at(tx: Transaction, bin_id: str) -> dict[Key, Cause]:
    """(SKU, lot) -> why somebody wants it counted at this place; an empty SKU stands for all that lies there."""
    found: dict[Key, Cause] = {}
    for sku_id, lot in tx.execute(
        "SELECT DISTINCT sku_id, lot FROM discrepancy WHERE bin = ? AND closed_seq = 0", (bin_id,)
    ):
        found[sku_id, lot] = Cause.DISCREPANCY
    for sku_id, lot, divergence_id in tx.execute(
        "SELECT sku_id, lot, divergence_id FROM count_task WHERE bin = ? AND closed_seq = 0", (bin_id,)
    ):
        found[sku_id, lot] = Cause.DIGEST if divergence_id else Cause.RECOUNT
    return found


def reason_at(tx: Transaction, bin_id: str) -> tuple[Cause, tuple[Key, ...]]:
    """Why this bin is to be counted, and the lines that it is about; no lines mean all that lies there."""
    doubts = doubted_at(tx, bin_id)
    order = list(Cause)
    cause = min(doubts.values(), key=order.index, default=Cause.PLAN)
    due = bin_id in planned(_bins(tx, bin_id), plan_days(settings_of(tx)), tx.now_ms())
    whole = due or not doubts or any(not sku_id for sku_id, _lot in doubts)
    return cause, () if whole else tuple(sorted(doubts))


def wanted(tx: Transaction) -> list[tuple[str, Cause]]:
    """Every place that is to be counted, the most urgent first; what waits for a lead is not counted meanwhile."""
    order = list(Cause)
    urgent: dict[str, Cause] = {}
    for bin_id, cause in _doubts(tx):
        urgent[bin_id] = min(urgent.get(bin_id, cause), cause, key=order.index)
    walk = dict(tx.execute("SELECT bin_id, walk_order FROM bin"))
    held = counts.bins_held(tx)
    first = sorted(urgent, key=lambda bin_id: (order.index(urgent[bin_id]), walk.get(bin_id, _LAST), bin_id))
    by_plan = planned(_bins(tx), plan_days(settings_of(tx)), tx.now_ms())
    found = [(bin_id, urgent[bin_id]) for bin_id in first if _can_be_counted(tx, bin_id, walk)]
    found += [(bin_id, Cause.PLAN) for bin_id in by_plan if bin_id not in urgent]
    return [(bin_id, cause) for bin_id, cause in found if bin_id not in held]


def _doubts(tx: Transaction) -> list[tuple[str, Cause]]:
    found = [(row.bin_id, Cause.RECOUNT) for row in counts.all_open(tx)]
    for bin_id, divergence_id in tx.execute("SELECT bin, divergence_id FROM count_task WHERE closed_seq = 0"):
        found.append((bin_id, Cause.DIGEST if divergence_id else Cause.RECOUNT))
    rows = tx.execute("SELECT DISTINCT bin FROM discrepancy WHERE closed_seq = 0")
    return [*found, *((row[0], Cause.DISCREPANCY) for row in rows)]


def _can_be_counted(tx: Transaction, bin_id: str, bins: Mapping[str, int]) -> bool:
    """A bin; else a place that is no order's and no parcel's while these are open."""
    if bin_id in bins:
        return True
    if bin_id.startswith(_UNDER_WAY):
        return False
    return goods.is_place(tx, bin_id) and not goods.open_work_at(tx, bin_id)


def _bins(asks: Asks, bin_id: str = "") -> list[Due]:
    rows = asks.execute(
        "SELECT b.bin_id, b.walk_order, b.velocity_class, coalesce(c.at_ms, 0) FROM bin b"
        " LEFT JOIN bin_counted c ON c.bin = b.bin_id WHERE ?1 IN ('', b.bin_id)",
        (bin_id,),
    )
    return [Due(*row) for row in rows]


def plan_days(said: Mapping[str, str]) -> dict[str, int]:
    """Velocity class -> days between two counts of a bin."""
    return {name: settings.number_of(said, setting) for name, setting in settings.PLAN_DAYS.items()}


def due_by_plan(asks: Asks, said: Mapping[str, str], now_ms: int) -> list[str]:
    """The bins that the plan asks for, for those who only read."""
    return planned(_bins(asks), plan_days(said), now_ms)
