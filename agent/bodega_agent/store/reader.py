"""Every question to the ledger, on a read-only connection of its own: reads never block the writer.

The daemon uses one in a thread; `bodega stock` and the other file readers open one in their own process,
so they answer while the daemon is down.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import apsw

from bodega.core.chain import GENESIS
from bodega.core.sync import Head, Recorded
from bodega.errors import NotFound
from bodega_agent.store.archive import FOLDER, Shelf
from bodega_agent.store.reads.stage import LEFT_ON_STAGE, OPEN_STATES
from bodega_agent.store.reads.stock import EVERYTHING, StockFilter, by_place
from bodega_agent.store.schema import open_for_reading
from bodega_agent.store.verify import verify

Json = dict[str, Any]

_ORDER = "SELECT fulfillment_order_id, order_id, state, device, sscc FROM fulfillment_order"
_ORDER_LINE = (
    "SELECT fulfillment_order_id, line, sku_id, quantity, picked, short, camera FROM fulfillment_line"
)


class Reader:
    """Questions, each answered from one consistent snapshot."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise NotFound(f"there is no ledger at {path}", hint="start the agent once: bodega run")
        self._path = path
        self._connection = open_for_reading(path)
        self._archived = Shelf(self._connection, path.parent / FOLDER)

    @property
    def connection(self) -> apsw.Connection:
        """For the other rooms of the store that ask more than this one; read-only."""
        return self._connection

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def snapshot(self) -> AbstractContextManager[object]:
        """Questions inside it see one and the same state. Keep it short: a WAL can not shrink under it."""
        return self._connection

    def rows(self, sql: str, *values: Any) -> list[Json]:
        """The rows of one statement, each as {column: value}."""
        cursor = self._connection.cursor()
        found: list[Json] = []
        names: list[str] = []
        for row in cursor.execute(sql, values):
            names = names or [column[0] for column in cursor.get_description()]
            found.append(dict(zip(names, row, strict=True)))
        return found

    def meta(self, key: str, default: Any = None) -> Any:
        """A value of the meta table."""
        row = next(iter(self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,))), None)
        return row[0] if row else default

    def head(self) -> Head:
        """The head of the journal."""
        row = next(
            iter(self._connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")), None
        )
        seq, chain_hash = row or (0, GENESIS)
        return Head(self.meta("epoch", 1), seq, chain_hash)

    def first_seq(self) -> int:
        """The oldest event that is here and not only in an archive; 1 for an empty journal."""
        row = next(iter(self._connection.execute("SELECT min(seq) FROM journal")), None)
        return (row and row[0]) or 1

    def acked(self) -> Head:
        """How far the hub has acknowledged the journal."""
        return Head(self.meta("epoch", 1), self.meta("acked_seq", 0), self.meta("acked_hash", GENESIS))

    def hash_at(self, seq: int) -> bytes | None:
        """The chain hash after `seq`; None beyond the head, and where an archive is gone."""
        if seq == 0:
            return GENESIS
        row = next(iter(self._connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,))), None)
        return row[0] if row else self._archived.hash_at(seq)

    def events(self, after_seq: int, limit: int) -> list[Recorded]:
        """Consecutive events that follow `after_seq`, from the archives if they are not in the journal any more."""
        rows = self._connection.execute(
            "SELECT seq, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, limit)
        )
        found = [Recorded(*row) for row in rows]
        if found and found[0].seq == after_seq + 1:
            return found
        return self._archived.events(after_seq, limit)

    def oldest_unacked_at_ms(self) -> int | None:
        """Wall clock of the oldest event without the hub's ack."""
        row = next(
            iter(
                self._connection.execute(
                    "SELECT at_ms FROM journal WHERE seq = ?", (self.meta("acked_seq", 0) + 1,)
                )
            ),
            None,
        )
        return row[0] if row else None

    def journal(self, after_seq: int = 0, limit: int = 50) -> list[Json]:
        """Rows of the journal, oldest first: seq, cmd_id, fact, at_ms, body, hash."""
        return self.rows(
            "SELECT seq, cmd_id, fact, at_ms, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
            after_seq,
            limit,
        )

    def stock(self, wanted: StockFilter = EVERYTHING) -> list[Json]:
        """Stock on hand by place; see `reads.stock.by_place`."""
        return by_place(self, wanted)

    def orders(self, *, newest: int = -1) -> list[Json]:
        """The `newest` fulfillment orders, or all, with their lines, oldest first."""
        orders = self.rows(f"{_ORDER} ORDER BY arrived_seq DESC LIMIT ?", newest)
        orders.reverse()
        if newest < 0:
            return _with_lines(orders, self.rows(f"{_ORDER_LINE} ORDER BY fulfillment_order_id, line"))
        return [order for each in orders for order in self._with_its_lines(each)]

    def order(self, fulfillment_order_id: str) -> list[Json]:
        """One fulfillment order with its lines, or none."""
        found = self.rows(f"{_ORDER} WHERE fulfillment_order_id = ?", fulfillment_order_id)
        return [order for each in found for order in self._with_its_lines(each)]

    def _with_its_lines(self, order: Json) -> list[Json]:
        sql = f"{_ORDER_LINE} WHERE fulfillment_order_id = ? ORDER BY line"
        return _with_lines([order], self.rows(sql, order["fulfillment_order_id"]))

    def tasks(self) -> list[Json]:
        """Open work: fulfillment orders as they are released, goods to put back, and places to count."""
        work = self.rows(
            "SELECT 'fulfil' AS kind, f.fulfillment_order_id, f.order_id, f.state, f.device, f.sscc, f.due_ms, f.batch,"  # noqa: S608  # a constant
            " (SELECT sum(quantity) FROM fulfillment_line l"
            "   WHERE l.fulfillment_order_id = f.fulfillment_order_id) AS units,"
            " (SELECT state FROM print_job p WHERE p.sscc = f.sscc AND print_job_id = p.sscc || '-' || copy"
            "   ORDER BY copy DESC LIMIT 1) AS print_state"
            f" FROM fulfillment_order f WHERE f.state IN {OPEN_STATES}"
            " ORDER BY f.due_ms, f.tier, f.placed_at_ms, f.arrived_seq"
        )
        put_back = self.rows(
            "SELECT 'put_back' AS kind, bin AS place, sku_id, quantity, substr(bin, 7)"  # noqa: S608  # a constant
            " AS fulfillment_order_id FROM balance"
            f" WHERE {LEFT_ON_STAGE} ORDER BY bin, sku_id"
        )
        count = self.rows(
            "SELECT 'count' AS kind, bin AS place, sku_id, lot, task_id FROM count_task WHERE closed_seq = 0"
            " ORDER BY seq"
        )
        return work + put_back + count

    def labels(self) -> list[Json]:
        """All print jobs, newest last."""
        return self.rows(
            "SELECT print_job_id, sscc, fulfillment_order_id, state, copy, detail, updated_at_ms"
            " FROM print_job ORDER BY queued_seq"
        )

    def counts(self) -> Json:
        """Figures for the status page: work by state, labels in doubt, events of the hub without effect."""
        by_state = self.rows("SELECT state, count(*) AS many FROM fulfillment_order GROUP BY state")
        labels = {
            row["state"]: row["many"]
            for row in self.rows(
                # A packing slip in doubt keeps no parcel here.
                "SELECT state, count(*) AS many FROM print_job WHERE state IN ('unknown', 'failed')"
                " AND print_job_id NOT LIKE '%-slip-%' GROUP BY state"
            )
        }
        parked = self.rows("SELECT count(*) AS many FROM parked")
        return {
            "tasks": {row["state"]: row["many"] for row in by_state},
            "labels_unknown": labels.get("unknown", 0),
            "labels_failed": labels.get("failed", 0),
            "hub_events_parked": parked[0]["many"],
        }

    def verify(self, *, since_checkpoint: bool = False) -> Json:
        """Check the whole ledger and its archives; see `store.verify`."""
        return verify(self._connection, self._path.parent / FOLDER, since_checkpoint=since_checkpoint)


def _with_lines(orders: list[Json], rows: list[Json]) -> list[Json]:
    lines: dict[str, list[Json]] = {}
    for line in rows:
        lines.setdefault(line.pop("fulfillment_order_id"), []).append(line)
    return [{**order, "lines": lines.get(order["fulfillment_order_id"], [])} for order in orders]
