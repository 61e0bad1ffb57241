"""Movements that could explain why shelf and book of a bin differ, read from the newest events of the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from bodega.codec import movement_from_wire, parse_node_event
from bodega.core.ledger import DOCK
from bodega.limits_floor import RECONCILE_EVENTS_MAX, RECONCILE_LINES_MAX
from bodega_agent.rules.floor.reconcile.explain import Trace, Waiting, explain

Key = tuple[str, str]
"""(SKU, lot)."""

_BOOK_ONLY = frozenset({"count_up", "count_down"})


class Asks(Protocol):
    """The writer's transaction, or a reader's connection."""

    def execute(self, sql: str, values: tuple[Any, ...] = ..., /) -> Iterable[Any]:
        """Rows of a statement."""


def explained(
    asks: Asks, bin_id: str, differing: Mapping[Key, int], now_ms: int
) -> dict[Key, tuple[str, ...]]:
    """(SKU, lot) -> sentences that could explain its difference, by `rules.floor.reconcile.explain`.

    The RECONCILE_LINES_MAX largest differences are explained, from the newest RECONCILE_EVENTS_MAX events.
    """
    largest = sorted(differing, key=lambda key: (-abs(differing[key]), key))[:RECONCILE_LINES_MAX]
    traces: dict[Key, list[Trace]] = {key: [] for key in largest}
    for key, trace in _traces(asks, set(largest), now_ms):
        traces[key].append(trace)
    return {
        key: explain(bin_id, differing[key], traces[key], list(_waiting(asks, key)))
        for key in sorted(largest)
    }


def _traces(asks: Asks, wanted: set[Key], now_ms: int) -> Iterator[tuple[Key, Trace]]:
    """Newest first; most events are about other goods, and are told by their bytes."""
    names = sorted({sku_id for sku_id, _lot in wanted})
    if not names:
        return
    found = " OR ".join(["instr(body, ?) > 0"] * len(names))
    rows = asks.execute(
        f"SELECT seq, body FROM journal WHERE fact = 'movement' AND ({found})"  # noqa: S608  # marks only
        " AND seq > (SELECT coalesce(max(seq), 0) FROM journal) - ? ORDER BY seq DESC",
        (*(name.encode() for name in names), RECONCILE_EVENTS_MAX),
    )
    for seq, body in list(rows):
        event = parse_node_event(body)
        movement = movement_from_wire(event.movement)
        if movement.command in _BOOK_ONLY:
            continue
        changes: dict[Key, list[tuple[str, int]]] = {}
        for account, quantity, _serials in movement.postings:
            if account.bin and (account.sku_id, account.lot) in wanted:
                changes.setdefault((account.sku_id, account.lot), []).append((account.bin, quantity))
        serves = movement.reference.fulfillment_order_id or movement.reference.transfer_id
        for key, changed in changes.items():
            ago_s = (now_ms - event.at_ms) // 1000
            yield key, Trace(seq, movement.command, event.actor, ago_s, _shelves(changed), serves)


def _shelves(changes: list[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Where a person could have taken or put goods by mistake: stages and parcels are no shelves."""
    return tuple(
        (place, change)
        for place, change in changes
        if not place.startswith(("STAGE-", "PARCEL-", "TRANSFER-")) and place != DOCK
    )


def _waiting(asks: Asks, key: Key) -> Iterator[Waiting]:
    """The same goods on the dock by the book, and bins where shelf and book are known to differ."""
    at_dock = asks.execute(
        "SELECT coalesce(sum(quantity), 0) FROM balance WHERE sku_id = ? AND lot = ? AND bin = ?",
        (*key, DOCK),
    )
    for (units,) in list(at_dock):
        if units:
            yield Waiting(DOCK, units, is_dock=True)
    rows = asks.execute(
        "SELECT bin, sum(difference) FROM discrepancy WHERE sku_id = ? AND lot = ? AND closed_seq = 0"
        " GROUP BY bin ORDER BY bin",
        key,
    )
    for bin_id, units in list(rows):
        if units:
            yield Waiting(bin_id, units)
