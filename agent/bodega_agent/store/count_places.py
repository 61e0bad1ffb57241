"""Where to count, and why: what somebody doubts, and what the plan asks for by velocity class.

Nothing is written: a place leaves the list when it is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from bodega_agent.rules import settings
from bodega_agent.rules.floor.count.judge import Cause, Due, planned
from bodega_agent.store import goods
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


def urgent(asks: Asks) -> list[tuple[str, Cause]]:
    """Every place that somebody doubts, the most urgent first, then in walking order; none that waits for a lead."""
    order = list(Cause)
    found: dict[str, Cause] = {}
    for bin_id, cause in asks.execute(_DOUBTED):
        found[bin_id] = min(found.get(bin_id, Cause(cause)), Cause(cause), key=order.index)
    walk = dict(asks.execute("SELECT bin_id, walk_order FROM bin"))
    return sorted(found.items(), key=lambda one: (order.index(one[1]), walk.get(one[0], _LAST), one[0]))


def by_plan(asks: Asks, said: Mapping[str, str], now_ms: int) -> list[str]:
    """The bins that the plan asks for by the settings `said`, the most overdue first."""
    held = {row[0] for row in asks.execute(_HELD)}
    return [bin_id for bin_id in planned(_bins(asks), plan_days(said), now_ms) if bin_id not in held]


def wanted(tx: Transaction) -> list[tuple[str, Cause]]:
    """Every place that a person can go to and count now, the most urgent first."""
    doubted = urgent(tx)
    names = {bin_id for bin_id, _cause in doubted}
    planned_now = by_plan(tx, settings_of(tx), tx.now_ms())
    return [
        *(one for one in doubted if _can_be_counted(tx, one[0])),
        *((bin_id, Cause.PLAN) for bin_id in planned_now if bin_id not in names),
    ]


_HELD = "SELECT DISTINCT bin FROM stock_count_line JOIN stock_count USING (count_id) WHERE verdict = 'held'"
_DOUBTED = f"""
SELECT bin, cause FROM (
  SELECT bin, 'recount' AS cause FROM stock_count WHERE state = 'open'
  UNION ALL SELECT bin, CASE divergence_id WHEN '' THEN 'recount' ELSE 'digest' END FROM count_task WHERE closed_seq = 0
  UNION ALL SELECT bin, 'discrepancy' FROM discrepancy WHERE closed_seq = 0)
WHERE bin NOT IN ({_HELD})
"""  # noqa: S608  # constants


def _can_be_counted(tx: Transaction, bin_id: str) -> bool:
    """A bin; else a place that is no order's and no parcel's while these are open."""
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
