"""What suppliers have announced and what came in: read from the ledger file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bodega.errors import NotFound
from bodega_agent.rules.floor.receive.against import Came, Line, SkuLot, compare

if TYPE_CHECKING:
    from bodega_agent.store.reader import Reader

Json = dict[str, Any]

_NOTICES = "SELECT notice_id, supplier, expected_at_ms, withdrawn FROM notice"
_RECEIPTS = """
SELECT r.receipt_id, r.notice_id, r.device, CASE r.closed_seq WHEN 0 THEN 'open' ELSE 'closed' END AS state,
  r.opened_at_ms, coalesce(sum(l.received), 0) AS received, coalesce(sum(l.damaged), 0) AS damaged,
  coalesce(sum(l.held), 0) AS held
FROM receipt r LEFT JOIN receipt_line l USING (receipt_id)
"""


def notices(reader: Reader, limit: int) -> list[Json]:
    """Notices, what should come last is first: notice_id, supplier, expected_at_ms, state, and in base units
    expected, received, open and over.
    """
    rows = reader.rows(f"{_NOTICES} ORDER BY expected_at_ms DESC, notice_id LIMIT ?", limit)
    return [_notice(row, _lines_of_notice(reader, row["notice_id"])) for row in rows]


def _notice(row: Json, lines: tuple[Line, ...]) -> Json:
    open_units, received = sum(line.open for line in lines), sum(line.received for line in lines)
    state = "received" if not open_units else "begun" if received else "expected"
    withdrawn = row.pop("withdrawn")
    return {
        **row,
        "state": "withdrawn" if withdrawn else state,
        "expected": sum(line.expected for line in lines),
        "received": received,
        "open": open_units,
        "over": sum(line.over for line in lines),
    }


def _lines_of_notice(reader: Reader, notice_id: str) -> tuple[Line, ...]:
    return compare(_announced(reader, notice_id), _came(reader, "r.notice_id = ?", notice_id))


def receipts(reader: Reader, limit: int) -> list[Json]:
    """The newest receipts: receipt_id, notice_id, device, state, opened_at_ms, received, damaged, held."""
    return reader.rows(
        f"{_RECEIPTS} GROUP BY r.receipt_id ORDER BY r.opened_seq DESC LIMIT ?",
        limit,
    )


def delivery(reader: Reader, name: str) -> Json:
    """A notice or a receipt by its name, with its lines; NotFound if there is neither.

    Of a notice: what came of it with all receipts; of a receipt: what came with it, against all that was announced.
    """
    found = reader.rows(f"{_RECEIPTS} WHERE r.receipt_id = ? GROUP BY r.receipt_id", name)
    if found:
        announced = _announced(reader, found[0]["notice_id"])
        lines = compare(announced, _came(reader, "r.receipt_id = ?", name))
    else:
        lines = _lines_of_notice(reader, name)
        found = [_notice(row, lines) for row in reader.rows(f"{_NOTICES} WHERE notice_id = ?", name)]
    if not found:
        raise NotFound(f"there is no notice and no receipt '{name}' here", hint="bodega receive ls")
    return {**found[0], "lines": [_line(reader, line) for line in lines]}


def _announced(reader: Reader, notice_id: str) -> list[tuple[str, str, int]]:
    rows = reader.rows(
        "SELECT sku_id, lot, quantity FROM notice_line WHERE notice_id = ? ORDER BY line", notice_id
    )
    return [(row["sku_id"], row["lot"], row["quantity"]) for row in rows]


def _came(reader: Reader, condition: str, name: str) -> dict[SkuLot, Came]:
    rows = reader.rows(
        "SELECT sku_id, lot, sum(l.received) AS received, sum(l.damaged) AS damaged, sum(l.held) AS held"  # noqa: S608  # constants of this file
        f" FROM receipt_line l JOIN receipt r USING (receipt_id) WHERE {condition} GROUP BY sku_id, lot",
        name,
    )
    return {(row["sku_id"], row["lot"]): Came(row["received"], row["damaged"], row["held"]) for row in rows}


def _line(reader: Reader, line: Line) -> Json:
    names = reader.rows("SELECT name FROM sku WHERE sku_id = ?", line.sku_id)
    return {
        "sku_id": line.sku_id,
        "name": names[0]["name"] if names else "",
        "lot": line.lot,
        "expected": line.expected,
        "received": line.received,
        "damaged": line.damaged,
        "held": line.held,
        "open": line.open,
        "over": line.over,
    }
