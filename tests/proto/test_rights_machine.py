"""Rights under any order of deliveries: none is made, none is lost, and no unit is promised twice.

The machine is the rule alone: a hub and two nodes, with every message kept in flight until it likes to arrive
(in order of its stream, as sync guarantees). What arrives twice is dropped by its sequence there, so it is here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bodega.core.ledger import Account, Goods, Reference
from bodega.core.promise import Standing
from bodega.core.recipes import Book, Places, book
from bodega.core.rights import NodeRights, OwnRights, spent_by
from bodega.errors import InvalidInput, Refused

STOCK = 12
UNITS = st.integers(1, 6)
NODES = st.integers(0, 1)


@dataclass
class Side:
    """One node, and what the hub knows of it. Messages are (kind, units, held or asked)."""

    shelf: int = STOCK
    own: OwnRights = field(default_factory=OwnRights)
    hub_shelf: int = STOCK
    known: NodeRights = field(default_factory=NodeRights)
    hub_reserved: int = 0
    lost: int = 0
    down: deque[tuple[str, int]] = field(default_factory=deque)
    up: deque[tuple[str, int, int, int]] = field(default_factory=deque)

    @property
    def standing(self) -> Standing:
        """As the hub sees it."""
        return Standing(self.hub_shelf, self.known.not_the_hubs, self.hub_reserved)


class Rights(RuleBasedStateMachine):
    """Everything that may happen to rights, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.sides = [Side(), Side()]

    @rule(node=NODES, units=UNITS)
    def hub_grants(self, node: int, units: int) -> None:
        """Only what it may promise."""
        side = self.sides[node]
        if units <= side.standing.available:
            side.known = side.known.grant(units)
            side.down.append(("granted", units))

    @rule(node=NODES, units=UNITS)
    def hub_recalls(self, node: int, units: int) -> None:
        """Also more than the node can give."""
        side = self.sides[node]
        side.known = side.known.want(units)
        side.down.append(("wanted", units))

    @rule(node=NODES, units=UNITS)
    def hub_promises(self, node: int, units: int) -> None:
        """An order."""
        side = self.sides[node]
        if units <= side.standing.available:
            side.hub_reserved += units

    @rule(node=NODES)
    def a_hub_event_arrives(self, node: int) -> None:
        """The node applies it and answers."""
        side = self.sides[node]
        if not side.down:
            return
        kind, units = side.down.popleft()
        if kind == "granted":
            side.own = side.own.take(units)
            side.up.append(("taken", units, units, side.own.held))
        else:
            side.own, given = side.own.give_up(units)
            side.up.append(("returned", given, units, side.own.held))

    @rule(node=NODES)
    def a_node_event_arrives(self, node: int) -> None:
        """The hub applies it."""
        side = self.sides[node]
        if not side.up:
            return
        kind, units, asked, held = side.up.popleft()
        if kind == "taken":
            side.known = side.known.taken(asked, held)
        elif kind == "returned":
            side.known = side.known.returned(asked, held)
        elif kind == "posted":
            side.hub_shelf -= units
            side.known = side.known.spent(units)
        else:
            side.hub_shelf -= units

    @rule(node=NODES, units=UNITS)
    def node_promises(self, node: int, units: int) -> None:
        """A walk-in, refused beyond the rights that are free."""
        side = self.sides[node]
        if units <= side.own.free:
            side.own = side.own.promise(units)
        else:
            with pytest.raises(Refused):
                side.own.promise(units)

    @rule(node=NODES, units=UNITS)
    def node_posts(self, node: int, units: int) -> None:
        """Goods go over the counter."""
        side = self.sides[node]
        units = min(units, side.own.promised, side.shelf)
        if units:
            side.own, side.shelf = side.own.spend(units), side.shelf - units
            side.up.append(("posted", units, 0, 0))

    @rule(node=NODES, units=UNITS)
    def node_releases(self, node: int, units: int) -> None:
        """A promise is given back; the right stays."""
        side = self.sides[node]
        side.own = side.own.release(min(units, side.own.promised))

    @precondition(lambda self: not any(side.lost for side in self.sides))
    @rule(node=NODES, units=st.integers(1, 2))
    def stock_shrinks(self, node: int, units: int) -> None:
        """A count found less than the book."""
        side = self.sides[node]
        units = min(units, side.shelf)
        side.shelf, side.lost = side.shelf - units, side.lost + units
        side.up.append(("lost", units, 0, 0))

    @invariant()
    def no_right_is_made_or_lost(self) -> None:
        """What the hub must not promise is what the node holds, plus what is on its way, either way."""
        for side in self.sides:
            coming = sum(units for kind, units in side.down if kind == "granted")
            unread = sum(units for kind, units, _, _ in side.up if kind in ("returned", "posted"))
            taken_unread = sum(units for kind, units, _, _ in side.up if kind == "taken")
            assert side.known.not_the_hubs == side.own.held + coming + unread
            assert side.known.in_flight == coming + taken_unread

    @invariant()
    def nobody_promises_without_a_right(self) -> None:
        """A node's promises are within its rights."""
        assert all(0 <= side.own.promised <= side.own.held for side in self.sides)

    @invariant()
    def promises_are_on_the_shelf_but_for_what_was_lost(self) -> None:
        """Of all promises and rights together; what shrank is the most that can be missing."""
        for side in self.sides:
            assert side.hub_reserved + side.own.promised <= side.shelf + side.lost
            assert side.standing.shortfall <= side.lost

    def teardown(self) -> None:
        """Once everything has arrived, both books say the same and nothing is under way."""
        for node, side in enumerate(self.sides):
            while side.down or side.up:
                self.a_hub_event_arrives(node)
                self.a_node_event_arrives(node)
            assert side.known == NodeRights(held=side.own.held)
            assert side.hub_shelf == side.shelf


TestRights = Rights.TestCase


def test_rights_that_can_not_move_are_refused() -> None:
    for wrong in (0, -1, 1_000_001):
        with pytest.raises(InvalidInput):
            OwnRights(5).take(wrong)
        with pytest.raises(InvalidInput):
            NodeRights().grant(wrong)
        with pytest.raises(InvalidInput):
            NodeRights(5).want(wrong)


def test_only_what_a_post_brought_to_a_customer_uses_rights_up() -> None:
    shelf = Account("SKU-1", bin="A-1", disposition="sellable_accessible")
    about = Reference(reservation_id="R-1")

    def spent(command: str, held: int) -> dict[str, int]:
        goods = [Goods("SKU-1", 3)]
        booking = book(command, goods, Book({shelf: held}), Places("A-1", "STAGE-1"), reference=about)
        return dict(spent_by(booking.movement))

    assert spent("post", held=9) == {"SKU-1": 3}
    # Two of these were not in the book; they were handed over all the same.
    assert spent("post", held=1) == {"SKU-1": 3}
    assert spent("pick", held=9) == {}
