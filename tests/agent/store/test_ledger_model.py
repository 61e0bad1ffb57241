"""Every ledger command against a model of plain counting, on a real file, all invariants after every step."""

from __future__ import annotations

import copy
import hashlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bodega.errors import BodegaError, IdempotencyMismatch
from bodega.v1 import journal_pb2, stock_pb2
from bodega_agent.store import rights
from bodega_agent.store.standing import standing
from bodega_agent.store.transaction import Context
from support.command_bodies import PHYSICAL, PROMISED, PROMISES, reserving, settling, taking
from support.ledger_model import Impossible, balances_of
from support.long_run import by_length
from support.promise_model import LedgerModel
from support.small_ledger import SmallLedger, stocked

TEMPLATE = tempfile.TemporaryDirectory(prefix="bodega-template-")
BALANCES = "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance"


def _is_possible(model: LedgerModel, body: dict[str, Any]) -> bool:
    try:
        model.apply(body, list(range(-9, 0)))
    except Impossible:
        return False
    return True


class LedgerMachine(RuleBasedStateMachine):
    """Commands in any order, some of them sent again, some of them wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="bodega-model-")
        self.ledger: SmallLedger = stocked(Path(self.folder.name), Path(TEMPLATE.name))
        self.model = LedgerModel()
        self.done: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.sent = 0
        self.folded: Counter[tuple[str, ...]] = Counter()
        self.hash, self.seq = bytes(32), 0

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    def _send(self, body: dict[str, Any]) -> None:
        self.sent += 1
        body = {**body, "cmd_id": f"c{self.sent}"}
        head = self.ledger.tx.head
        expected = copy.deepcopy(self.model)
        result, refusal = self._answer(body)
        if result is None:
            assert self.ledger.tx.head == head, "a refused command has written nothing"
            assert not self.ledger.rows("SELECT 1 FROM command WHERE cmd_id = ?", body["cmd_id"])
            assert not _is_possible(expected, body), refusal
            return
        expected.apply(body, result["seqs"])
        self.model = expected
        self.done.append((body, result))

    def _answer(self, body: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
        try:
            return self.ledger.do(body), ""
        except BodegaError as error:
            return None, f"refused: {error.message} {error.faults}"

    @rule(data=st.data(), name=st.sampled_from(sorted(PHYSICAL)))
    def anything_is_scanned(self, data: st.DataObject, name: str) -> None:
        self._send(data.draw(PHYSICAL[name]))

    @rule(data=st.data(), name=st.sampled_from(["receive", "return", "transfer_in", "put_away", "count"]))
    def goods_come(self, data: st.DataObject, name: str) -> None:
        self._send(data.draw(PHYSICAL[name]))

    @precondition(lambda self: self.seq)
    @rule(data=st.data(), back=st.integers(0, 12))
    def a_count_that_began_earlier_is_told(self, data: st.DataObject, back: int) -> None:
        basis = max(0, self.ledger.tx.head.seq - back)
        body = {**data.draw(PHYSICAL["count"]), "basis_seq": basis}
        at = (body["bin_id"], body["sku_id"], body.get("lot", ""))
        races = self.model.moved_since(basis, at)
        before, done = self.model.stock.copy(), len(self.done)
        self._send(body)
        if len(self.done) > done:
            assert ("recount" in self.done[-1][1]) == races
            assert not races or self.model.stock == before, "a count that goods raced books nothing"

    @precondition(lambda self: self.model.on_shelves())
    @rule(data=st.data())
    def goods_are_taken_from_where_they_are(self, data: st.DataObject) -> None:
        self._send(data.draw(taking(self.model.on_shelves())))

    @rule(data=st.data(), name=st.sampled_from(sorted(PROMISES)))
    def anything_is_promised(self, data: st.DataObject, name: str) -> None:
        self._send(data.draw(PROMISES[name]))

    @precondition(lambda self: any(self.model.available(sku_id) for sku_id in PROMISED))
    @rule(data=st.data())
    def what_is_free_is_promised(self, data: st.DataObject) -> None:
        free = {sku_id: units for sku_id in PROMISED if (units := self.model.available(sku_id))}
        self._send(data.draw(reserving(free, f"R{self.sent}")))

    @precondition(lambda self: self.model.pending())
    @rule(data=st.data())
    def a_promise_is_settled(self, data: st.DataObject) -> None:
        self._send(data.draw(settling(self.model.pending())))

    @rule(sku_id=st.sampled_from(PROMISED), units=st.integers(1, 5))
    def rights_come(self, sku_id: str, units: int) -> None:
        granted = stock_pb2.RightsGranted(transfer_id="G", sku_id=sku_id, quantity=units)
        self.ledger.write(lambda tx: rights.take(tx, Context("hub"), granted))
        self.model.rights[sku_id] += units

    @rule(seconds=st.integers(1, 4))
    def time_goes_by(self, seconds: int) -> None:
        self.ledger.clock_ms += seconds * 1_000
        self.model.clock_ms = self.ledger.clock_ms

    @precondition(lambda self: self.seq)
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        movements = st.sampled_from(sorted(self.model.movements) or [1])
        seq = data.draw(st.one_of(movements, movements, st.integers(1, self.ledger.tx.head.seq)))
        self._send({"command": "correct", "event": f"1/{seq}", "reason": "typed wrong"})

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def an_old_command_comes_again(self, data: st.DataObject) -> None:
        body, result = data.draw(st.sampled_from(self.done))
        head = self.ledger.tx.head
        assert self.ledger.do(body) == result
        with pytest.raises(IdempotencyMismatch):
            self.ledger.do({"command": "release", "reservation_id": "R99", "cmd_id": body["cmd_id"]})
        assert self.ledger.tx.head == head, "a repeated command has one effect"

    @invariant()
    def the_balances_are_what_was_counted(self) -> None:
        table = {row[:6]: row[6] for row in self.ledger.rows(BALANCES)}
        assert table == balances_of(self.model)
        assert all(units > 0 for row, units in table.items() if not row[5]), (
            "no place holds less than nothing"
        )

    @invariant()
    def the_journal_adds_up_to_the_balances_and_its_chain_holds(self) -> None:
        for seq, body, chain_hash in self.ledger.rows(
            "SELECT seq, body, hash FROM journal WHERE seq > ? ORDER BY seq", self.seq
        ):
            self.seq += 1
            self.hash = hashlib.sha256(self.hash + body).digest()
            assert (seq, chain_hash) == (self.seq, self.hash)
            movement = journal_pb2.NodeEvent.FromString(body).movement
            sums: Counter[tuple[str, ...]] = Counter()
            for posting in movement.postings:
                account = posting.account
                sums[account.owner, account.sku_id, account.lot] += posting.quantity
                row = (
                    account.sku_id,
                    account.bin,
                    account.disposition,
                    account.lot,
                    account.owner,
                    account.external,
                )
                self.folded[row] += posting.quantity
            assert not any(sums.values()), "a movement sums to zero per owner, SKU and lot"
        table = {row[:6]: row[6] for row in self.ledger.rows(BALANCES)}
        assert table == {row: units for row, units in self.folded.items() if units}

    @invariant()
    def a_serial_is_in_one_place_and_counted_there(self) -> None:
        rows = self.ledger.rows("SELECT sku_id, serial, lot, bin, disposition, external FROM serial")
        assert {
            (sku, serial): (lot, (bin_id, disposition) if bin_id else external)
            for sku, serial, lot, bin_id, disposition, external in rows
        } == self.model.serial_at
        there = Counter((row[0], *row[2:5]) for row in rows if row[3])
        for (sku, lot, bin_id, disposition), units in there.items():
            assert units == self.model.stock[sku, lot, (bin_id, disposition)]

    @invariant()
    def open_discrepancies_are_what_was_found_and_not_yet_counted(self) -> None:
        table: Counter[tuple[str, str, str]] = Counter()
        for bin_id, sku, lot, difference in self.ledger.rows(
            "SELECT bin, sku_id, lot, difference FROM discrepancy WHERE closed_seq = 0"
        ):
            table[bin_id, sku, lot] += difference
        open_now = {key: units for key, units in self.model.open_differences.items() if units}
        assert {key: units for key, units in table.items() if units} == open_now

    @invariant()
    def no_more_is_promised_than_the_node_has_rights_for(self) -> None:
        for sku_id in PROMISED:
            now = standing(self.ledger.tx, sku_id, "1970-01-01")
            assert now.available == self.model.available(sku_id)
            assert now.local_reserved <= now.rights_held == self.model.rights[sku_id]
            assert sum(part.units for part in now.breakdown()) == now.available


LedgerMachine.TestCase.settings = settings(
    max_examples=by_length(60, 1_000),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class TestLedgerAgainstItsModel(LedgerMachine.TestCase):
    """Run by pytest; what fails is printed as the shortest day that fails."""
