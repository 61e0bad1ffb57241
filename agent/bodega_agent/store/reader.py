"""Every question to the ledger, on a read-only connection of its own: reads never block the writer.

The daemon uses one in a thread; `bodega stock` and the other file readers open one in their own process,
so they answer while the daemon is down.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bodega.codec import movement_from_wire, parse_node_event
from bodega.core.chain import GENESIS, link
from bodega.core.ledger import Account, check
from bodega.core.sync import Head, Recorded
from bodega.errors import IntegrityBroken, NotFound
from bodega_agent.store.schema import open_for_reading

Json = dict[str, Any]


class Reader:
    """Questions, each answered from one consistent snapshot."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise NotFound(f"there is no ledger at {path}", hint="start the agent once: bodega run")
        self._path = path
        self._connection = open_for_reading(path)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _rows(self, sql: str, *values: Any) -> list[Json]:
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

    def acked(self) -> Head:
        """How far the hub has acknowledged the journal."""
        return Head(self.meta("epoch", 1), self.meta("acked_seq", 0), self.meta("acked_hash", GENESIS))

    def hash_at(self, seq: int) -> bytes | None:
        """The chain hash after `seq`; None beyond the head."""
        if seq == 0:
            return GENESIS
        row = next(iter(self._connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,))), None)
        return row[0] if row else None

    def events(self, after_seq: int, limit: int) -> list[Recorded]:
        """Consecutive events that follow `after_seq`."""
        rows = self._connection.execute(
            "SELECT seq, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, limit)
        )
        return [Recorded(*row) for row in rows]

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

    def journal(self, after_seq: int = 0, limit: int = 50, *, newest_first: bool = False) -> list[Json]:
        """Rows of the journal: seq, cmd_id, fact, at_ms, body, hash."""
        if newest_first:
            return self._rows(
                "SELECT seq, cmd_id, fact, at_ms, body, hash FROM journal ORDER BY seq DESC LIMIT ?", limit
            )
        return self._rows(
            "SELECT seq, cmd_id, fact, at_ms, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
            after_seq,
            limit,
        )

    def stock(self, *, sku_id: str = "", bin_id: str = "") -> list[Json]:
        """Stock on hand by place, with names: bin, sku_id, name, lot, owner, disposition, quantity."""
        return self._rows(
            "SELECT b.bin, b.sku_id, coalesce(s.name, '') AS name, b.lot, b.owner, b.disposition, b.quantity"
            " FROM balance b LEFT JOIN sku s USING (sku_id) WHERE b.external = ''"
            " AND (?1 = '' OR b.sku_id = ?1) AND (?2 = '' OR b.bin = ?2) ORDER BY b.bin, b.sku_id, b.lot",
            sku_id,
            bin_id,
        )

    def orders(self) -> list[Json]:
        """All fulfillment orders with their lines, oldest first."""
        orders = self._rows(
            "SELECT fulfillment_order_id, order_id, state, device, sscc FROM fulfillment_order"
            " ORDER BY arrived_seq"
        )
        lines: dict[str, list[Json]] = {}
        for line in self._rows(
            "SELECT fulfillment_order_id, line, sku_id, quantity, picked, short, camera FROM fulfillment_line"
            " ORDER BY fulfillment_order_id, line"
        ):
            lines.setdefault(line.pop("fulfillment_order_id"), []).append(line)
        return [{**order, "lines": lines.get(order["fulfillment_order_id"], [])} for order in orders]

    def tasks(self) -> list[Json]:
        """Open work: fulfillment orders that are not final, and goods to put back."""
        work = self._rows(
            "SELECT 'fulfil' AS kind, f.fulfillment_order_id, f.order_id, f.state, f.device, f.sscc,"
            " (SELECT sum(quantity) FROM fulfillment_line l"
            "   WHERE l.fulfillment_order_id = f.fulfillment_order_id) AS units,"
            " (SELECT state FROM print_job p WHERE p.sscc = f.sscc ORDER BY copy DESC LIMIT 1) AS print_state"
            " FROM fulfillment_order f WHERE f.state NOT IN ('shipped', 'cancelled', 'short')"
            " ORDER BY f.arrived_seq"
        )
        put_back = self._rows(
            "SELECT 'put_back' AS kind, b.bin AS place, b.sku_id, b.quantity, f.fulfillment_order_id"
            " FROM fulfillment_order f JOIN balance b ON b.bin = 'STAGE-' || f.fulfillment_order_id"
            " WHERE f.state = 'cancelled' ORDER BY f.arrived_seq, b.sku_id"
        )
        return work + put_back

    def labels(self) -> list[Json]:
        """All print jobs, newest last."""
        return self._rows(
            "SELECT print_job_id, sscc, fulfillment_order_id, state, copy, detail, updated_at_ms"
            " FROM print_job ORDER BY queued_seq"
        )

    def counts(self) -> Json:
        """Figures for the status page: work by state, labels in doubt."""
        by_state = self._rows("SELECT state, count(*) AS many FROM fulfillment_order GROUP BY state")
        unknown = self._rows("SELECT count(*) AS many FROM print_job WHERE state = 'unknown'")
        return {
            "tasks": {row["state"]: row["many"] for row in by_state},
            "labels_unknown": unknown[0]["many"],
        }

    def verify_chain(self, after: Head, limit: int) -> Head | None:
        """Check up to `limit` links after a verified head; the new verified head, None if one is broken."""
        seq, previous = after.seq, after.hash
        for event in self.events(after.seq, limit):
            seq, previous = seq + 1, link(previous, event.body)
            if event.seq != seq or event.hash != previous:
                return None
        return Head(after.epoch, seq, previous)

    def verify(self) -> Json:
        """Walk the whole journal: chain, postings, and balances against the balance table.

        Returns {ok, events, first_bad_seq, balances_ok, problem}.
        """
        with self._connection:
            events, first_bad, problem, folded = self._walk()
            balances = {Account(*row[:6]): row[6] for row in self._balance_rows()}
        balances_ok = balances == folded
        if not balances_ok and not problem:
            problem = "the balance table is not the sum of the journal"
        return {
            "ok": first_bad is None and balances_ok,
            "events": events,
            "first_bad_seq": first_bad,
            "balances_ok": balances_ok,
            "problem": problem,
        }

    def _walk(self) -> tuple[int, int | None, str, dict[Account, int]]:
        folded: dict[Account, int] = {}
        previous, events = GENESIS, 0
        for seq, body, chain_hash in self._connection.execute(
            "SELECT seq, CAST(body AS BLOB), hash FROM journal ORDER BY seq"
        ):
            events += 1
            previous = link(previous, body)
            problem = "" if seq == events else f"event {events} is missing"
            if not problem and previous != chain_hash:
                problem = f"event {seq} does not hash to what was recorded"
            problem = problem or _fold_one(folded, body)
            if problem:
                return events, seq, problem, folded
        return events, None, "", {account: quantity for account, quantity in folded.items() if quantity}

    def _balance_rows(self) -> Iterator[tuple[Any, ...]]:
        return iter(
            self._connection.execute(
                "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance"
            )
        )


def _fold_one(folded: dict[Account, int], body: bytes) -> str:
    event = parse_node_event(body)
    if event.WhichOneof("fact") != "movement":
        return ""
    movement = movement_from_wire(event.movement)
    try:
        check(movement)
    except IntegrityBroken as error:
        return error.message
    for account, quantity, _serials in movement.postings:
        folded[account] = folded.get(account, 0) + quantity
    below = [a for a, _, _ in movement.postings if a.is_physical and folded[a] < 0]
    return f"{below[0].sku_id} in {below[0].bin} falls below zero" if below else ""
