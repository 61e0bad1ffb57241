"""Transfers at the hub: whichever journal comes first, on both databases; a difference is told to one node once."""

from __future__ import annotations

import pytest

from bodega.codec import movement_to_wire
from bodega.core.ledger import Goods, Reference
from bodega.core.recipes import Book, Places, book
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.v1 import floor_pb2, journal_pb2, stock_pb2
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.goods import transfers
from bodega_controlplane.app.goods.transfers import TransferView
from bodega_controlplane.app.ordering import decisions
from bodega_controlplane.app.views import ConflictView
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, NodeByHand, deliver, settle

LISBON, PORTO = "lisbon-01", "porto-01"


class Ends:
    """Two nodes by hand; `sync` brings what each has recorded since to the hub."""

    def __init__(self, store: Store) -> None:
        self.store = store
        settle(store, "TEA", node_ids=(LISBON, PORTO))
        self.nodes = {name: NodeByHand(name) for name in (LISBON, PORTO)}
        self._sent = dict.fromkeys(self.nodes, 0)

    def move(
        self, name: str, command: str, units: int, *, final: bool = False, **goods: tuple[str, ...]
    ) -> None:
        node = self.nodes[name]
        booked = book(
            command,
            [Goods("TEA", units, **goods)],
            Book(node.balances),
            Places("A-01-01", "DOCK"),
            reference=Reference(transfer_id="T-1", final=final),
        )
        node.record(movement=movement_to_wire(booked.movement))

    def settled(self, name: str, missing: int = 0, surplus: int = 0) -> None:
        said = stock_pb2.TransferSettled(transfer_id="T-1", missing=missing, surplus=surplus)
        self.nodes[name].record(transfer_settled=said)

    def advanced(self, name: str, state: str) -> None:
        said = floor_pb2.TransferAdvanced(transfer_id="T-1", state=state)
        self.nodes[name].record(transfer_advanced=said)

    def sync(self, *names: str) -> None:
        for name in names or self.nodes:
            node = self.nodes[name]
            if len(node.journal) > self._sent[name]:
                deliver(self.store, node.delivery(self._sent[name]))
                self._sent[name] = len(node.journal)

    def view(self) -> TransferView:
        return self.store.read(lambda tx: transfers.get_transfer(tx, "T-1"))

    def told(self, name: str) -> list[stock_pb2.TransferClosed]:
        envelope = self.store.read(lambda tx: outbox.envelope_from(tx, name, 1, 1))
        assert envelope is not None
        events = [journal_pb2.HubEvent.FromString(body) for body in envelope.events]
        return [one.transfer_closed for one in events if one.HasField("transfer_closed")]

    def conflicts(self) -> tuple[ConflictView, ...]:
        return self.store.read(decisions.list_conflicts)


@pytest.fixture
def ends(store: Store) -> Ends:
    return Ends(store)


def test_a_transfer_that_adds_up_closes_itself_whoever_is_heard_first(ends: Ends) -> None:
    ends.move(LISBON, "transfer_out", 10)
    ends.move(PORTO, "transfer_in", 10)
    ends.sync(PORTO)
    early = ends.view()
    assert (early.state, early.in_transit) == ("open", -10)
    ends.sync(LISBON)
    assert (ends.view().state, ends.view().in_transit) == ("closed", 0)
    assert ends.conflicts() == ()
    assert ends.told(PORTO) == []


@pytest.mark.parametrize("first", [LISBON, PORTO])
def test_a_difference_is_told_to_the_receiving_node_when_both_are_final(ends: Ends, first: str) -> None:
    ends.move(LISBON, "transfer_out", 10, final=True)
    ends.move(PORTO, "transfer_in", 8, final=True)
    ends.sync(first)
    assert ends.conflicts() == (), "one side alone says nothing of a difference"
    ends.sync()
    (closed,) = ends.told(PORTO)
    assert [(line.sku_id, line.in_transit) for line in closed.lines] == [("TEA", 10)]
    assert ends.told(LISBON) == []
    (row,) = ends.conflicts()
    assert (row.kind, row.node_id, row.state) == ("transfer_differs", PORTO, "settled")
    assert row.inputs == (f"{LISBON}/1/1", f"{PORTO}/1/1")
    assert "2 TEA missing" in row.effect
    assert ends.view().state == "closing"
    ends.move(PORTO, "transfer_missing", 2, final=True)
    ends.settled(PORTO, missing=2)
    ends.sync()
    after = ends.view()
    assert (after.state, after.in_transit) == ("closed", 0)
    assert [tuple(amounts) for _node, _kind, amounts in after.goods] == [(10, 0, 0), (0, 8, 2)]


def test_a_floor_that_is_done_receiving_says_that_nothing_follows(ends: Ends) -> None:
    """Each scan was a receipt of its own, and none of them knew that it was the last."""
    ends.move(LISBON, "transfer_out", 10, final=True)
    ends.advanced(LISBON, "shipped")
    ends.advanced(PORTO, "receiving")
    ends.move(PORTO, "transfer_in", 8)
    ends.sync()
    assert ends.told(PORTO) == [], "more may come"
    ends.advanced(PORTO, "received")
    ends.sync()
    assert len(ends.told(PORTO)) == 1


def test_nothing_is_told_twice_while_the_answer_is_awaited(ends: Ends) -> None:
    ends.move(LISBON, "transfer_out", 10, final=True)
    ends.move(PORTO, "transfer_in", 8, final=True)
    ends.sync()
    ends.move(PORTO, "transfer_in", 1, final=True)
    ends.sync()
    assert len(ends.told(PORTO)) == 1
    ends.move(PORTO, "transfer_missing", 1, final=True)
    ends.settled(PORTO, missing=1)
    ends.sync()
    assert (ends.view().state, len(ends.conflicts())) == ("closed", 1)


def test_goods_that_turn_up_later_open_it_again_and_the_write_off_is_taken_back(ends: Ends) -> None:
    ends.move(LISBON, "transfer_out", 10, final=True)
    ends.move(PORTO, "transfer_in", 8, final=True)
    ends.sync()
    ends.move(PORTO, "transfer_missing", 2, final=True)
    ends.settled(PORTO, missing=2)
    ends.move(PORTO, "transfer_in", 2)
    ends.sync()
    assert (ends.view().state, ends.view().in_transit) == ("open", -2)
    ends.store.write(lambda tx: transfers.close_transfer(tx, OPERATOR, "T-1", "the lost box"))
    assert ends.told(PORTO)[-1].lines[0].in_transit == 10
    assert len(ends.conflicts()) == 2


def test_a_person_closes_a_transfer_that_never_arrived_at_the_node_that_sent_it(ends: Ends) -> None:
    ends.move(LISBON, "transfer_out", 3)
    ends.sync()
    view, conflict_id = ends.store.write(
        lambda tx: transfers.close_transfer(tx, OPERATOR, "T-1", "the van burnt")
    )[0]
    assert view.state == "closing"
    (closed,) = ends.told(LISBON)
    assert (closed.reason, [line.in_transit for line in closed.lines]) == ("the van burnt", [0])
    (row,) = ends.conflicts()
    assert (row.conflict_id, "it is over: the van burnt" in row.knew) == (conflict_id, True)


def test_serial_numbers_that_never_arrived_are_named_to_the_node(ends: Ends) -> None:
    ends.move(LISBON, "transfer_out", 2, final=True, serials=("S1", "S2"))
    ends.move(PORTO, "transfer_in", 1, final=True, serials=("S1",))
    ends.sync()
    assert list(ends.told(PORTO)[0].lines[0].serials) == ["S2"]


def test_a_transfer_that_adds_up_can_not_be_closed_and_one_that_is_not_there_is_not_found(ends: Ends) -> None:
    ends.move(LISBON, "transfer_out", 1)
    ends.move(PORTO, "transfer_in", 1)
    ends.sync()
    with pytest.raises(Refused, match="adds up"):
        ends.store.write(lambda tx: transfers.close_transfer(tx, OPERATOR, "T-1", "tidy"))
    with pytest.raises(NotFound, match="no transfer 'T-9'"):
        ends.store.write(lambda tx: transfers.close_transfer(tx, OPERATOR, "T-9", "tidy"))
    with pytest.raises(InvalidInput) as invalid:
        ends.store.write(lambda tx: transfers.close_transfer(tx, OPERATOR, "", ""))
    assert [fault.where for fault in invalid.value.faults] == ["transfer_id", "reason"]


def test_transfers_are_listed_newest_first_and_open_ones_alone(ends: Ends) -> None:
    ends.move(LISBON, "transfer_out", 1)
    ends.sync()
    assert [one.transfer_id for one in ends.store.read(transfers.list_transfers)] == ["T-1"]
    ends.move(PORTO, "transfer_in", 1)
    ends.sync()
    assert ends.store.read(lambda tx: transfers.list_transfers(tx, open_only=True)) == ()
    assert len(ends.store.read(transfers.list_transfers)) == 1
