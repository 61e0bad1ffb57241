"""What a batch of one node's events says of its floor: the newest word of each thing, written together."""

from __future__ import annotations

from typing import Any

from bodega_controlplane.app.applying.arrived import Arrived
from bodega_controlplane.app.applying.floor_rows import FLOOR
from bodega_controlplane.store import floor
from bodega_controlplane.store.transaction import Transaction

Values = dict[str, Any]


class FloorBook:
    """Rows of the facts that stand for themselves (`floor_rows.FLOOR`)."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        # Fact -> key of its table -> the row; what a later event says of the same thing takes its place.
        self._rows: dict[str, dict[tuple[Any, ...], Values]] = {}

    def note(self, at: Values, arrived: Arrived) -> None:
        """A fact of FLOOR; `at` is its node_id, epoch and seq."""
        kind = FLOOR[arrived.fact]
        row = kind.row(at, arrived.message)
        key = tuple(row[column.name] for column in kind.table.primary_key)
        self._rows.setdefault(arrived.fact, {})[key] = row

    def substituted(self, fulfillment_order_id: str, line: int) -> int:
        """Units of a line that are served by other SKUs, as far as the node has said by now."""
        here = self._rows.get("line_substituted", {}).values()
        more: int = sum(
            row["quantity"]
            for row in here
            if (row["fulfillment_order_id"], row["line"]) == (fulfillment_order_id, line)
        )
        return floor.substituted(self._tx, fulfillment_order_id, line) + more

    def write(self) -> None:
        """Save what was noted, each table in the order of its key."""
        for fact, rows in self._rows.items():
            kind = FLOOR[fact]
            self._tx.upsert(kind.table, [rows[key] for key in sorted(rows)], keep=kind.keep)
        self._rows.clear()
