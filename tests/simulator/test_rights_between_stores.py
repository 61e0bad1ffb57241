"""Rights and promises between a real hub and two real nodes: no unit is promised twice, whatever arrives when.

Envelopes come late and again; nodes, boxes and the hub restart; the shelf shrinks. The stores are the ones that
run in the field; only the wire is the test's.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bodega.core.rights import NodeRights
from bodega.errors import Refused
from bodega_controlplane.app.goods.rights import GRANT, RECALL
from support.rights_world import NODES, RightsNode, RightsWorld, spent_in

STOCK = 9
NODE = st.integers(0, len(NODES) - 1)
UNITS = st.integers(1, 5)
AGAIN = st.integers(0, 3)
FEW = st.integers(1, 5)
PENDING = "pending"


class RightsBetweenStores(RuleBasedStateMachine):
    """A day of a hub and two nodes, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.world = RightsWorld(Path(self._folder.name), STOCK)
        self.number = 0
        for node in self.world.nodes:
            self.world.move(GRANT, node, self._next("q"), 4)
            self.world.bring_down(node, 0, 9)
            node.reserve(self._next("PU"), 2, 500)

    def _next(self, word: str) -> str:
        self.number += 1
        return f"{word}-{self.number}"

    @rule(node=NODE, units=UNITS)
    def the_hub_grants(self, node: int, units: int) -> None:
        """Or refuses to."""
        with suppress(Refused):
            self.world.move(GRANT, self.world.nodes[node], self._next("q"), units)

    @rule(node=NODE, units=UNITS, at_once=st.booleans())
    def the_hub_recalls(self, node: int, units: int, at_once: bool) -> None:
        """Or refuses to; the node may be in touch just then."""
        one = self.world.nodes[node]
        with suppress(Refused):
            self.world.move(RECALL, one, self._next("q"), units)
        if at_once:
            self.world.bring_down(one, 0, 9)

    @rule(units=UNITS)
    def a_customer_orders(self, units: int) -> None:
        """The hub promises."""
        with suppress(Refused):
            self.world.order(units)

    @rule(node=NODE, units=UNITS, lasts_ms=st.sampled_from([0, 50, 500]))
    def somebody_walks_in(self, node: int, units: int, lasts_ms: int) -> None:
        """The node promises, exactly when its standing says that it may."""
        one = self.world.nodes[node]
        may = units <= one.standing().available
        try:
            one.reserve(self._next("PU"), units, lasts_ms)
        except Refused:
            assert not may
        else:
            assert may

    @rule(node=NODE, units=UNITS, final=st.booleans())
    def goods_are_handed_over(self, node: int, units: int, final: bool) -> None:
        """For the oldest promise; more than it is for is refused."""
        one = self.world.nodes[node]
        for reservation_id in one.pending()[:1]:
            with suppress(Refused):
                one.post(reservation_id, min(units, one.standing().sellable) or 1, final=final)

    @rule(node=NODE, passed_ms=st.sampled_from([10, 100, 1_000]))
    def time_passes(self, node: int, passed_ms: int) -> None:
        """And the expiry service looks."""
        one = self.world.nodes[node]
        one.clocks.advance(passed_ms)
        one.expire()

    @rule(node=NODE)
    def the_floor_picks(self, node: int) -> None:
        """The oldest order of the hub, if the shelf holds it."""
        one = self.world.nodes[node]
        if one.standing().sellable >= one.standing().hub_reserved:
            one.pick_oldest()

    @rule(node=NODE)
    def a_unit_is_lost(self, node: int) -> None:
        """Twice at most."""
        one = self.world.nodes[node]
        if one.lost < 2 and one.standing().sellable:
            one.lose()

    @rule(node=NODE, back=AGAIN, count=FEW)
    def hub_events_arrive(self, node: int, back: int, count: int) -> None:
        """Some again, some for the first time."""
        self.world.bring_down(self.world.nodes[node], back, count)

    @rule(node=NODE, back=AGAIN, count=FEW)
    def node_events_arrive(self, node: int, back: int, count: int) -> None:
        """Cut anywhere."""
        self.world.bring_up(self.world.nodes[node], back, count)

    @rule(node=NODE, reboots=st.booleans())
    def a_node_restarts(self, node: int, reboots: bool) -> None:
        """The agent, or the whole box."""
        one = self.world.nodes[node]
        if reboots:
            one.clocks.reboot()
        one.restart()

    @rule()
    def the_hub_restarts(self) -> None:
        """Its database is closed and opened."""
        self.world.restart_hub()

    @invariant()
    def the_books_agree(self) -> None:
        """Between any two steps, whatever is under way."""
        assert self.world.refused_or_parked() == 0, "every event has found its effect"
        for node in self.world.nodes:
            own, known, there = node.own(), self.world.known(node), node.standing()
            coming, (taken, gone) = self.world.coming_down(node), self.world.unread(node)
            # No right is made or lost: held by the node, on its way to it, or on its way back.
            assert known.not_the_hubs == own.held + coming + gone
            assert known.in_flight == coming + taken
            assert 0 <= own.promised <= own.held
            # All promises together are on the shelf, but for what was lost: by the hub's book, and in truth.
            book = self.world.hub_stock(node)
            assert book.reserved + known.not_the_hubs <= book.sellable + node.lost
            unpicked = book.reserved - self._picked_unread(node)
            assert unpicked + own.promised <= there.sellable + node.lost
            assert sum(part.units for part in there.breakdown()) == there.available

    def _picked_unread(self, node: RightsNode) -> int:
        facts = node.facts(self.world.applied(node))
        return sum(
            posting.quantity
            for one in facts
            for posting in one.movement.postings
            if one.movement.command == "pick" and posting.quantity > 0 and "STAGE" in posting.account.bin
        )

    def teardown(self) -> None:
        """Once everything has arrived both books are one; each promise has ended once or is still pending."""
        for node in self.world.nodes:
            self.world.drain(node)
            self.world.drain(node)
            assert self.world.known(node) == NodeRights(held=node.own().held)
            assert self.world.hub_stock(node).sellable == node.standing().sellable
            self._check_endings(node)
        self.world.close()
        self._folder.cleanup()

    def _check_endings(self, node: RightsNode) -> None:
        """By the journal alone: one opening, at most one end, and the units of each add up."""
        told = defaultdict(list)
        facts = node.facts(0)
        moved = sum(one.rights_taken.quantity - one.rights_returned.quantity for one in facts)
        assert node.own().held == moved - sum(map(spent_in, facts)), "the journal alone tells the rights"
        for one in facts:
            if one.HasField("reservation_changed"):
                told[one.reservation_changed.reservation_id].append(one.reservation_changed)
        for changes in told.values():
            assert [change.event for change in changes].count("reserve") == 1
            assert all(change.state == PENDING for change in changes[:-1])
            last = changes[-1]
            assert (last.posted + last.voided == last.quantity) == (last.state != PENDING)
        pending = {name for name, changes in told.items() if changes[-1].state == PENDING}
        assert pending == set(node.pending())


RightsBetweenStores.TestCase.settings = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRightsBetweenStores = RightsBetweenStores.TestCase
