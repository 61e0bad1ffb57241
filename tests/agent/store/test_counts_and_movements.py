"""A count races movements, on a real ledger file: what moved at the place since the counter began decides."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bodega.codec import parse_node_event
from bodega.errors import InvalidInput
from bodega.v1 import decisions_pb2
from bodega_agent.store.reader import Reader
from support.small_ledger import SmallLedger, stock_catalogue

Json = dict[str, Any]


class Shelf:
    """A small ledger with ten of PLAIN in A-01; `do` gives each command an id."""

    def __init__(self, folder: Path) -> None:
        self.ledger = SmallLedger(folder)
        self.ledger.write(stock_catalogue)
        self._ids = itertools.count(1)
        self.do("receive", sku_id="PLAIN", quantity=30)
        self.put_away(10)

    def do(self, command: str, **fields: Any) -> Json:
        return self.ledger.do({"command": command, "cmd_id": f"c{next(self._ids)}", **fields})

    def put_away(self, units: int, to_bin_id: str = "A-01") -> int:
        seqs: list[int] = self.do("put_away", sku_id="PLAIN", quantity=units, to_bin_id=to_bin_id)["seqs"]
        return seqs[0]

    def begin(self, bin_id: str = "A-01") -> int:
        basis: int = self.do("count_begin", bin_id=bin_id)["basis_seq"]
        return basis

    def count(self, units: int, basis: int | None = None, **more: Any) -> Json:
        about = {} if basis is None else {"basis_seq": basis}
        return self.do("count", sku_id="PLAIN", bin_id="A-01", quantity=units, **about, **more)

    def held(self, bin_id: str = "A-01") -> int:
        rows = self.ledger.rows("SELECT quantity FROM balance WHERE bin = ? AND sku_id = 'PLAIN'", bin_id)
        return sum(row[0] for row in rows)

    def conflicts(self) -> list[decisions_pb2.Conflict]:
        rows = self.ledger.rows("SELECT body FROM conflict ORDER BY seq")
        return [decisions_pb2.Conflict.FromString(row[0]) for row in rows]

    def tasks(self) -> list[Json]:
        reader = Reader(self.ledger.path)
        try:
            return [task for task in reader.tasks() if task["kind"] == "count"]
        finally:
            reader.close()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    opened = Shelf(tmp_path)
    yield opened
    opened.ledger.close()


def test_a_count_that_nothing_raced_books_its_difference_and_stamps_its_basis(shelf: Shelf) -> None:
    basis = shelf.begin()
    done = shelf.count(8, basis)
    assert (done["difference"], shelf.held()) == (-2, 8)
    ((body,),) = shelf.ledger.rows("SELECT body FROM journal WHERE seq = ?", done["seqs"][0])
    assert parse_node_event(body).movement.basis_seq == basis
    assert shelf.conflicts() == []


def test_a_pick_while_the_shelf_is_counted_is_never_deducted_twice(shelf: Shelf) -> None:
    basis = shelf.begin()
    shelf.do("pick", sku_id="PLAIN", quantity=3, bin_id="A-01", to_bin_id="A-02")
    done = shelf.count(7, basis)
    assert shelf.held() == 7, "the pick's own movement, and nothing more"
    assert "difference" not in done
    (row,) = shelf.conflicts()
    assert (row.conflict_id, row.sku_id) == (done["recount"]["conflict_id"], "PLAIN")
    assert f"began at event {basis} and found 7; the book held 10 then and 7 now, after pick -3" in row.knew
    assert list(row.inputs) == [f"lisbon-01/1/{done['seqs'][0]}", f"lisbon-01/1/{basis + 1}"]


def test_a_receipt_that_is_typed_late_does_not_defeat_a_count(shelf: Shelf) -> None:
    """The goods lie there already when the counter comes; their receipt is typed while he counts."""
    basis = shelf.begin()
    shelf.put_away(5)
    assert "recount" in shelf.count(15, basis), "15 were found, and the book has learned of them meanwhile"
    assert shelf.held() == 15
    assert shelf.count(15, shelf.begin())["difference"] == 0


def test_goods_that_move_elsewhere_do_not_matter(shelf: Shelf) -> None:
    basis = shelf.begin()
    shelf.put_away(4, "A-02")
    shelf.do("receive", sku_id="OWNED", quantity=1, bin_id="A-01")
    assert shelf.count(9, basis)["difference"] == -1
    assert shelf.conflicts() == []


def test_two_people_may_count_one_place_and_the_last_word_is_the_books(shelf: Shelf) -> None:
    basis = shelf.begin()
    assert shelf.count(8, basis)["difference"] == -2
    assert shelf.count(9, basis)["difference"] == 1
    assert (shelf.held(), shelf.conflicts()) == (9, [])


def test_a_recount_is_a_task_until_a_count_has_settled_the_place(shelf: Shelf) -> None:
    basis = shelf.begin()
    shelf.put_away(1)
    done = shelf.count(10, basis)
    (task,) = shelf.tasks()
    assert (task["place"], task["sku_id"], task["task_id"]) == ("A-01", "PLAIN", done["recount"]["task_id"])
    shelf.count(11, shelf.begin())
    assert shelf.tasks() == []


def test_the_same_count_sent_again_is_asked_for_once(shelf: Shelf) -> None:
    basis = shelf.begin()
    shelf.put_away(1)
    body = {"command": "count", "cmd_id": "again", "sku_id": "PLAIN", "bin_id": "A-01", "quantity": 10}
    first, second = (shelf.ledger.do({**body, "basis_seq": basis}) for _ in range(2))
    assert first == second
    assert (len(shelf.conflicts()), len(shelf.tasks())) == (1, 1)


def test_a_basis_of_an_empty_journal_counts_too(tmp_path: Path) -> None:
    ledger = SmallLedger(tmp_path)
    ledger.write(stock_catalogue)
    ledger.do({"command": "receive", "cmd_id": "1", "sku_id": "PLAIN", "quantity": 3, "bin_id": "A-01"})
    count = {"command": "count", "cmd_id": "2", "sku_id": "PLAIN", "bin_id": "A-01", "quantity": 3}
    assert "recount" in ledger.do({**count, "disposition": "in_progress", "basis_seq": 0})
    ledger.close()


def test_a_basis_beyond_the_journal_is_refused(shelf: Shelf) -> None:
    with pytest.raises(InvalidInput) as refusal:
        shelf.count(8, 9_999)
    assert refusal.value.faults[0].where == "basis_seq"
    assert shelf.held() == 10


def test_a_count_that_began_too_many_events_ago_is_asked_for_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_agent.store.counting.COUNT_WINDOW_EVENTS_MAX", 2)
    basis = shelf.begin()
    shelf.put_away(1, "A-02")
    shelf.put_away(1, "A-02")
    assert shelf.count(9, basis)["difference"] == -1, "at the edge it is looked at"
    shelf.put_away(1, "A-02")
    assert "too long ago" in shelf.count(9, basis)["recount"]["why"]
    assert shelf.held() == 9
