"""Counts for those who only read: where to count next, what was counted, what waits for a lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bodega.errors import NotFound
from bodega_agent.rules.floor.count.judge import Cause
from bodega_agent.store import count_places
from bodega_agent.store.settings import settings_in

if TYPE_CHECKING:
    from bodega_agent.store.reader import Reader

Json = dict[str, Any]


def places(reader: Reader, now_ms: int) -> list[Json]:
    """Where to count next, the most urgent first: place, cause."""
    with reader.snapshot():
        doubted = count_places.urgent(reader.connection)
        planned = count_places.by_plan(reader.connection, settings_in(reader.meta("settings")), now_ms)
    names = {place for place, _cause in doubted}
    found = [*doubted, *((place, Cause.PLAN) for place in planned if place not in names)]
    return [{"place": place, "cause": cause.value} for place, cause in found]


def newest(reader: Reader, limit: int, state: str = "") -> list[Json]:
    """Counts, newest first: count_id, place, cause, state, round, device, actor, begun_at_ms, lines, differing."""
    return reader.rows(
        "SELECT count_id, c.bin AS place, cause, c.state, c.round, device, actor, begun_at_ms,"
        " (SELECT count(*) FROM stock_count_line l WHERE l.count_id = c.count_id AND l.round = c.round) AS lines,"
        " (SELECT count(*) FROM stock_count_line l WHERE l.count_id = c.count_id AND verdict <> '' AND counted <> book"
        "   AND l.round = c.round) AS differing"
        " FROM stock_count c WHERE ?1 IN ('', c.state) ORDER BY begun_at_ms DESC, count_id DESC LIMIT ?2",
        state,
        limit,
    )


def one(reader: Reader, count_id: str) -> Json:
    """A count with every line of every round: round, sku_id, lot, counted, book, difference, verdict.

    `book` is what the line was held against, None while it is counted: a count is blind. Raises NotFound.
    """
    with reader.snapshot():
        found = [row for row in newest(reader, -1) if row["count_id"] == count_id]
        lines = reader.rows(
            "SELECT round, sku_id, lot, counted, CASE verdict WHEN '' THEN NULL ELSE book END AS book,"
            " CASE verdict WHEN '' THEN NULL ELSE counted - book END AS difference, verdict FROM stock_count_line"
            " WHERE count_id = ? ORDER BY round, sku_id, lot",
            count_id,
        )
    if not found:
        raise NotFound(f"there is no count '{count_id}' here", hint="bodega count ls")
    return {**found[0], "rounds": lines}


def book_at(reader: Reader, place: str) -> dict[tuple[str, str], int]:
    """(SKU, lot) -> what the book has at a place, in all dispositions."""
    rows = reader.rows(
        "SELECT sku_id, lot, sum(quantity) AS units FROM balance WHERE bin = ? AND bin <> '' GROUP BY sku_id, lot",
        place,
    )
    return {(row["sku_id"], row["lot"]): row["units"] for row in rows}
