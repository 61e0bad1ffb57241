"""The hub closes a transfer: the node writes off what never came, on a real ledger, and says so once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.codec import parse_node_event
from bodega.v1 import journal_pb2, stock_pb2
from bodega_agent.store import transfers
from bodega_agent.store.transaction import Context
from support.small_ledger import SmallLedger, stock_catalogue

HUB = Context("hub-1", actor="hub")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SmallLedger]:
    opened = SmallLedger(tmp_path)
    opened.write(stock_catalogue)
    yield opened
    opened.close()


def receive(ledger: SmallLedger, sku_id: str, units: int, cmd_id: str, serials: tuple[str, ...] = ()) -> None:
    body = {
        "command": "transfer_in",
        "cmd_id": cmd_id,
        "sku_id": sku_id,
        "quantity": units,
        "transfer_id": "T-1",
    }
    ledger.do({**body, **({"serials": list(serials)} if serials else {})})


def close(ledger: SmallLedger, sku_id: str, sent: int, serials: tuple[str, ...] = ()) -> None:
    line = stock_pb2.TransferLine(sku_id=sku_id, in_transit=sent, serials=serials)
    closed = stock_pb2.TransferClosed(transfer_id="T-1", lines=[line], reason="both final")
    ledger.write(lambda tx: transfers.close(tx, HUB, closed))


def under_way(ledger: SmallLedger) -> dict[str, int]:
    rows = ledger.rows("SELECT external, sum(quantity) FROM balance WHERE external <> '' GROUP BY external")
    return {row[0]: row[1] for row in rows}


def last(ledger: SmallLedger) -> journal_pb2.NodeEvent:
    return parse_node_event(ledger.rows("SELECT body FROM journal ORDER BY seq DESC LIMIT 1")[0][0])


def test_what_never_came_is_written_off_and_the_dock_stays_as_it_was_scanned(ledger: SmallLedger) -> None:
    receive(ledger, "PLAIN", 8, "c1")
    close(ledger, "PLAIN", 10)
    assert under_way(ledger) == {"in_transit:T-1": -10, "adjustment:count": 2}
    assert ledger.rows("SELECT quantity FROM balance WHERE bin = 'DOCK'") == [(8,)]
    said = last(ledger).transfer_settled
    assert (said.transfer_id, said.missing, said.surplus) == ("T-1", 2, 0)


def test_told_again_it_writes_nothing_off_twice(ledger: SmallLedger) -> None:
    receive(ledger, "PLAIN", 8, "c1")
    for _ in range(2):
        close(ledger, "PLAIN", 10)
    assert under_way(ledger) == {"in_transit:T-1": -10, "adjustment:count": 2}
    assert last(ledger).transfer_settled.missing == 0


def test_what_arrived_before_the_word_of_the_hub_is_not_missing(ledger: SmallLedger) -> None:
    receive(ledger, "PLAIN", 8, "c1")
    receive(ledger, "PLAIN", 2, "c2")
    close(ledger, "PLAIN", 10)
    assert under_way(ledger) == {"in_transit:T-1": -10}
    said = last(ledger).transfer_settled
    assert (said.missing, said.surplus) == (0, 0)


def test_what_came_from_nobody_is_written_up(ledger: SmallLedger) -> None:
    receive(ledger, "PLAIN", 8, "c1")
    close(ledger, "PLAIN", 5)
    assert under_way(ledger) == {"in_transit:T-1": -5, "adjustment:count": -3}
    assert last(ledger).transfer_settled.surplus == 3


def test_a_lost_unit_is_written_off_by_its_serial_and_may_turn_up(ledger: SmallLedger) -> None:
    receive(ledger, "SERIAL", 1, "c1", ("S1",))
    close(ledger, "SERIAL", 2, ("S1", "S2"))
    places = dict(ledger.rows("SELECT serial, external FROM serial"))
    assert places == {"S1": "", "S2": "adjustment:count"}
    receive(ledger, "SERIAL", 1, "c2", ("S2",))
    close(ledger, "SERIAL", 2)
    assert under_way(ledger) == {"in_transit:T-1": -2}, "the write-off is taken back"
