"""Rounds of the hub: rights follow what nodes sell by themselves, only by grants and recalls, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bodega.core.rights import NodeRights
from bodega.limits import REBALANCE_REST_S, REBALANCE_WINDOW_S
from bodega.v1 import journal_pb2, stock_pb2
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.goods import rebalancing, rights
from bodega_controlplane.app.goods.rebalancing import Moved
from bodega_controlplane.app.goods.rights_views import RightsDraft
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import Caller
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.store import meta
from bodega_controlplane.store import rights as rows
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY, NodeByHand, deliver, settle

NODE = "lisbon-01"
NOW_MS = 1_700_000_000_000
WINDOW_MS, REST_MS = REBALANCE_WINDOW_S * 1000, REBALANCE_REST_S * 1000


class Centre:
    """A hub with one node of 40 TEA; time goes on when the test says so."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.now_ms = store, NOW_MS
        self.hub = Hub(store, load_hub_key(folder), POLICY)
        settle(store, "TEA", node_ids=(NODE, "porto-01"))
        self.node = NodeByHand()
        self.node.shelve("TEA", 40)
        self._sent = 0
        self.sync()

    @property
    def caller(self) -> Caller:
        return Caller("hub", "hub", self.now_ms)

    def sync(self) -> None:
        """Bring what the node has recorded to the hub."""
        if len(self.node.journal) > self._sent:
            deliver(self.store, self.node.delivery(self._sent), now_ms=self.now_ms)
            self._sent = len(self.node.journal)

    def known(self) -> NodeRights:
        return self.store.read(lambda tx: rows.of(tx, NODE, "TEA"))

    def hold(self, units: int) -> None:
        """The node is granted rights and takes them."""
        draft = RightsDraft(f"q-{len(self.node.journal)}", NODE, "TEA", units)
        moved = self.store.write(lambda tx: rights.grant(tx, self.caller, draft, POLICY))[0]
        self.take(moved.transfer_id, units)

    def take(self, transfer_id: str, units: int) -> None:
        said = stock_pb2.RightsTaken(
            transfer_id=transfer_id, sku_id="TEA", quantity=units, held=self.known().held + units
        )
        self.node.record(rights_taken=said)
        self.sync()

    def sell(self, units: int, name: str = "PU-1") -> None:
        """The node hands units over by itself."""
        self.node.move("post", "TEA", units, source="A-01-01", reservation_id=name)
        said = stock_pb2.ReservationChanged(
            reservation_id=name, sku_id="TEA", quantity=units, posted=units, state="posted", event="post"
        )
        self.node.record(reservation_changed=said)
        self.sync()

    def round(self, *, dry_run: bool = False) -> tuple[Moved, ...]:
        return asyncio.run(rebalancing.rebalance(self.hub, self.caller, dry_run=dry_run))

    def told(self) -> list[journal_pb2.HubEvent]:
        envelope = self.store.read(lambda tx: outbox.envelope_from(tx, NODE, 1, 1))
        assert envelope is not None
        events = [journal_pb2.HubEvent.FromString(body) for body in envelope.events]
        return [one for one in events if str(one.WhichOneof("fact")).startswith("rights")]


@pytest.fixture
def centre(store: Store, tmp_path: Path) -> Centre:
    return Centre(store, tmp_path)


def test_a_node_that_sells_gets_its_rights_again(centre: Centre) -> None:
    centre.hold(8)
    centre.sell(8)
    centre.now_ms += REST_MS + 1
    (moved,) = centre.round()
    assert (moved.move.kind, moved.move.quantity, moved.move.used) == ("grant", 8, 8)
    assert centre.known() == NodeRights(held=0, in_flight=8)
    granted = centre.told()[-1].rights_granted
    assert (granted.transfer_id, granted.quantity) == (moved.transfer_id, 8)


def test_idle_rights_are_asked_and_are_the_nodes_until_it_answers(centre: Centre) -> None:
    centre.hold(8)
    centre.now_ms += WINDOW_MS + 1
    (moved,) = centre.round()
    assert (moved.move.kind, moved.move.quantity) == ("recall", 4)
    assert centre.told()[-1].rights_wanted.quantity == 4
    assert centre.known() == NodeRights(held=8, wanted=4), "time alone moves nothing"
    centre.now_ms += WINDOW_MS
    assert centre.round() == (), "the node has not answered yet"
    said = stock_pb2.RightsReturned(
        transfer_id=moved.transfer_id, sku_id="TEA", quantity=4, held=4, reason="asked"
    )
    centre.node.record(rights_returned=said)
    centre.sync()
    assert centre.known() == NodeRights(held=4)


def test_rights_that_were_granted_lately_are_not_idle_yet(centre: Centre) -> None:
    centre.hold(8)
    centre.now_ms += WINDOW_MS - 1
    assert centre.round() == ()


def test_a_node_is_left_alone_for_a_while_after_a_move(centre: Centre) -> None:
    centre.hold(8)
    centre.sell(8)
    assert centre.round() == (), "its last move has just ended"
    centre.now_ms += REST_MS + 1
    (moved,) = centre.round()
    assert centre.round() == (), "a move is under way"
    centre.take(moved.transfer_id, 8)
    assert centre.round() == ()


def test_a_dry_run_says_the_same_and_moves_nothing(centre: Centre) -> None:
    centre.hold(8)
    centre.now_ms += WINDOW_MS + 1
    before = centre.store.read(outbox.heads)
    (only_said,) = centre.round(dry_run=True)
    assert (only_said.transfer_id, centre.store.read(outbox.heads)) == ("", before)
    (moved,) = centre.round()
    assert moved.move == only_said.move


def test_what_was_given_back_is_no_use_and_old_sales_are_none_either(centre: Centre) -> None:
    centre.hold(8)
    said = stock_pb2.ReservationChanged(
        reservation_id="PU-2", sku_id="TEA", quantity=8, voided=8, state="voided", event="void"
    )
    centre.node.record(reservation_changed=said)
    centre.sync()
    centre.now_ms += WINDOW_MS + 1
    (moved,) = centre.round()
    assert (moved.move.kind, moved.move.used) == ("recall", 0)


def test_of_several_hubs_one_does_a_round(store: Store) -> None:
    def claim(now_ms: int) -> bool:
        return store.write(lambda tx: meta.claim(tx, "round", now_ms, 1_000))[0]

    assert [claim(NOW_MS), claim(NOW_MS), claim(NOW_MS + 999), claim(NOW_MS + 1_000)] == [
        True,
        False,
        False,
        True,
    ]
    assert claim(NOW_MS - 50_000), "a clock that went back must not stop the rounds"
