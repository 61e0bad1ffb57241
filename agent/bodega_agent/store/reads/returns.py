"""Returns: what is announced, what is under way, what was closed and refunded."""

from __future__ import annotations

import json
from typing import Any

from bodega.errors import NotFound
from bodega_agent.store.reader import Reader

Json = dict[str, Any]


def newest(reader: Reader, limit: int, *, unclosed: bool) -> list[Json]:
    """The newest returns with their units: announced, taken back, not graded yet, refunded."""
    return reader.rows(
        "SELECT return_id, order_id, fulfillment_order_id, state, opened_at_ms,"
        " (SELECT coalesce(sum(quantity), 0) FROM goods_return_announced a"
        "   WHERE a.return_id = r.return_id) AS announced,"
        " (SELECT coalesce(sum(quantity), 0) FROM goods_return_line l WHERE l.return_id = r.return_id) AS back,"
        " (SELECT coalesce(sum(quantity), 0) FROM goods_return_line l"
        "   WHERE l.return_id = r.return_id AND l.bin = '') AS unfinished,"
        " (SELECT coalesce(sum(refunded), 0) FROM goods_return_line l WHERE l.return_id = r.return_id) AS refunded"
        " FROM goods_return r WHERE state <> 'closed' OR ?1 = 0 ORDER BY opened_at_ms DESC, return_id DESC LIMIT ?2",
        unclosed,
        limit,
    )


def by_id(reader: Reader, return_id: str) -> Json:
    """One return with what was announced and each of its lines; NotFound."""
    rows = reader.rows(
        "SELECT return_id, order_id, fulfillment_order_id, state, opened_at_ms FROM goods_return"
        " WHERE return_id = ?",
        return_id,
    )
    if not rows:
        raise NotFound(f"there is no return '{return_id}' here", hint="bodega returns ls")
    announced = reader.rows(
        "SELECT sku_id, quantity FROM goods_return_announced WHERE return_id = ? ORDER BY sku_id", return_id
    )
    lines = reader.rows(
        "SELECT line, sku_id, lot, quantity, serials, grade, camera, camera_reasons, disposition, bin AS place,"
        " refunded FROM goods_return_line WHERE return_id = ? ORDER BY line",
        return_id,
    )
    for line in lines:
        line["serials"] = json.loads(line["serials"])
        line["camera_reasons"] = json.loads(line["camera_reasons"])
    return {**rows[0], "announced": announced, "lines": lines}
