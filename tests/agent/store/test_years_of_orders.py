"""What every scan, every label and every look at the tasks asks must not read through years of what is done.

SQLite is asked how it would answer: no plan may scan a table that grows with ended orders.
"""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from bodega.core.lifecycles import FULFILLMENT, FulfillmentState
from bodega_agent.store import labels, work
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads.stage import LEFT_ON_STAGE, OPEN_STATES
from bodega_agent.store.schema import open_for_writing
from bodega_agent.store.transaction import Transaction

GROWS = ("journal", "command", "fulfillment_order", "fulfillment_line", "print_job")


class Plans:
    """Every statement that a connection runs, with its plan."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.scans: list[str] = []
        connection.exec_trace = self._look
        self._connection = connection

    def _look(self, _cursor: apsw.Cursor, sql: str, values: object) -> bool:
        if sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            self._connection.exec_trace = None
            plan = [row[3] for row in self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            self._connection.exec_trace = self._look
            self.scans += [f"{step}: {sql}" for step in plan if _reads_all(step)]
        return True


def _reads_all(step: str) -> bool:
    """A scan of a growing table that no partial index makes short."""
    words = step.split()
    return words[0] == "SCAN" and words[1] in {*GROWS, "f", "l", "p"} and "print_job_open" not in step


@pytest.fixture
def ledger(tmp_path: Path) -> apsw.Connection:
    return open_for_writing(tmp_path / "ledger.db")


def test_states_of_open_work_and_of_ended_work_are_all_states() -> None:
    named = {state for state in FulfillmentState if f"'{state}'" in OPEN_STATES}
    assert named | FULFILLMENT.terminal == set(FulfillmentState)
    assert not named & FULFILLMENT.terminal


def test_the_next_label_to_print_is_found_without_reading_the_printed_ones(ledger: apsw.Connection) -> None:
    tx = Transaction(ledger, node_id="lisbon-01", now_ms=lambda: 1)
    plans = Plans(ledger)
    labels.next_queued(tx)
    labels.lose_track_of_sent(tx, None)  # type: ignore[arg-type]  # nothing was sent, nobody is named
    assert plans.scans == []


def test_the_work_of_a_device_is_found_without_reading_ended_orders(ledger: apsw.Connection) -> None:
    tx = Transaction(ledger, node_id="lisbon-01", now_ms=lambda: 1)
    plans = Plans(ledger)
    work.claimed_by(tx, "scanner-1")
    work.most_urgent(tx)
    work.in_walk(tx, "cart-FO-1", "scanner-1")
    work.picked_by(tx, "scanner-1")
    work.left_behind(tx, ["scanner-1"])
    work.open_but_for(tx, 2)
    list(tx.execute(f"SELECT bin FROM balance WHERE sku_id = 'A' AND {LEFT_ON_STAGE}"))
    assert plans.scans == []


def test_tasks_and_labels_in_doubt_are_found_without_reading_what_is_done(
    tmp_path: Path, ledger: apsw.Connection
) -> None:
    ledger.close()
    reader = Reader(tmp_path / "ledger.db")
    plans = Plans(reader.connection)
    reader.tasks()
    reader.counts()
    reader.close()
    # How many orders are in which state is counted over all of them, on an index alone.
    assert [scan for scan in plans.scans if "GROUP BY state" not in scan or "print_job" in scan] == []


def test_one_order_and_the_newest_ones_are_told_with_their_lines(
    tmp_path: Path, ledger: apsw.Connection
) -> None:
    for number in (1, 2, 3):
        ledger.execute(
            "INSERT INTO fulfillment_order(fulfillment_order_id, order_id, state, fencing_token, carrier_service,"
            " recipient, arrived_seq) VALUES (?, 'O', 'shipped', 1, '', x'', ?)",
            (f"FO-{number}", number),
        )
        ledger.execute(
            "INSERT INTO fulfillment_line(fulfillment_order_id, line, sku_id, quantity, picked)"
            " VALUES (?, 1, 'A', 2, 2)",
            (f"FO-{number}",),
        )
    ledger.close()
    reader = Reader(tmp_path / "ledger.db")
    every = reader.orders()
    assert [order["fulfillment_order_id"] for order in every] == ["FO-1", "FO-2", "FO-3"]
    assert [line["picked"] for order in every for line in order["lines"]] == [2, 2, 2]
    assert reader.orders(newest=2) == every[1:]
    plans = Plans(reader.connection)
    assert reader.order("FO-1") == every[:1]
    assert reader.order("FO-4") == []
    assert plans.scans == []
    reader.close()


def test_a_scan_of_everything_would_be_seen(ledger: apsw.Connection) -> None:
    plans = Plans(ledger)
    list(ledger.execute("SELECT 1 FROM print_job WHERE state = 'queued' ORDER BY queued_seq"))
    assert len(plans.scans) == 1
