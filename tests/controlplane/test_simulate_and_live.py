"""What `simulate` says of an order is what happens to it live, and a past that is made again comes out as it was.

Every example is a short history on a real database: orders to several places by several classes, goods that come in,
orders that are cancelled and moved, bundles that are put in force. All of it is one transaction that is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega.core.routing.bundle import DEFAULT, Bundle, parse
from bodega.core.routing.choice import Share
from bodega.errors import Refused
from bodega_controlplane.app.applying.journal import apply
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.ordering.reassigning import Move, reassign
from bodega_controlplane.app.routing import activating, past
from bodega_controlplane.app.shipping import cards, telling
from bodega_controlplane.app.views import Caller, DraftLine, GeoPoint, OrderDraft, PageRequest, Recipient
from bodega_controlplane.keys import HubKey, load_hub_key
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import LISBON, OPERATOR, POLICY, PORTO, SHOP, NodeByHand, node_draft, sku
from support.rate_cards import MONDAY_MORNING_MS, card
from support.routing import document

PLACES = {"lisbon-01": LISBON, "porto-01": PORTO, "faro-01": GeoPoint(37.0170, -7.9350)}
SKUS = ("TEA", "SALT")
PAGE = PageRequest(100)
STORIES = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

SCORES = (
    "node.distance_km",
    "0.0 - node.distance_km",
    "double(node.price_minor)",
    "500.0 * node.stock_used",
    "100.0 * double(node.open_orders)",
)
FILTERS = (
    "node.distance_km < 200.0",
    "offer.carrier != 'southpost'",
    "offer.keeps_class",
    "item.quantity < 4 || node.node_id != 'lisbon-01'",
    "order.channel == 'storefront' && node.open_orders < 2",
)


@cache
def rules(score: str, filters: tuple[str, ...], floor: str, split_cost: float) -> Bundle:
    """A bundle of one score and some filters, named by what it says."""
    said = {
        "scores": [{"name": "score", "value": score}],
        "filters": [{"name": f"filter-{n}", "keep": keep, "why": "no"} for n, keep in enumerate(filters)],
        "floor": floor,
        "stages": [
            {"name": "whole"},
            {"name": "split", "shares_max": 3, "split_cost": split_cost, "when": "order.shares_max > 1"},
        ],
    }
    return parse(document(f"r{sha256(repr(said).encode()).hexdigest()[:8]}", 1, **said))


@dataclass
class History:
    """What has happened so far in one transaction; `at_ms` is a second later with each step."""

    tx: Transaction
    key: HubKey
    hands: dict[str, NodeByHand]
    bundle: Bundle = DEFAULT
    at_ms: int = MONDAY_MORNING_MS

    def __post_init__(self) -> None:
        self.order_ids: list[str] = []

    def caller(self, who: Caller = SHOP) -> Caller:
        return replace(who, now_ms=self.at_ms)

    def place(self, draft: OrderDraft) -> str:
        """The order's id, "" where it is refused."""
        policy = replace(POLICY, bundle=self.bundle)
        try:
            with self.tx.connection.begin_nested():
                return orders.place_order(self.tx, self.caller(), draft, policy).order_id
        except Refused:
            return ""

    def order(self, draft: OrderDraft) -> None:
        self.order_ids += filter(None, [self.place(draft)])

    def cancel(self, number: int) -> None:
        self._perhaps(number, lambda one: orders.cancel_order(self.tx, self.caller(), one))

    def move(self, number: int) -> None:
        policy = replace(POLICY, bundle=self.bundle)
        who = self.caller(OPERATOR)
        self._perhaps(number, lambda one: reassign(self.tx, who, Move(one, "a trial", part=1), policy))

    def receive(self, node_id: str, sku_id: str, units: int) -> None:
        hand = self.hands[node_id]
        before = len(hand.journal)
        hand.shelve(sku_id, units)
        apply(self.tx, self.at_ms, [hand.delivery(before)])

    def activate(self, bundle: Bundle) -> None:
        with suppress(Refused):  # it is in force already
            activating.activate(self.tx, self.caller(OPERATOR), bundle, "a trial", self.key.sign)
            self.bundle = bundle

    def _perhaps(self, number: int, act: Callable[[str], object]) -> None:
        if self.order_ids:
            with suppress(Refused), self.tx.connection.begin_nested():
                act(self.order_ids[number % len(self.order_ids)])

    def went_to(self, order_id: str) -> set[tuple[object, ...]]:
        """Who was really asked for what: (node, carrier service, {(line, units)})."""
        work, line = schema.fulfillment_order, schema.fulfillment_line
        found: set[tuple[object, ...]] = set()
        for one in self.tx.connection.execute(sa.select(work).where(work.c.order_id == order_id)).all():
            asked = sa.select(line.c.line, line.c.quantity).where(
                line.c.fulfillment_order_id == one.fulfillment_order_id
            )
            units = frozenset(map(tuple, self.tx.connection.execute(asked)))
            found.add((one.node_id, one.carrier_service, units))
        return found


Step = Callable[[History], None]


def step(name: str, *values: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    """Call a method of the history with values."""
    return st.tuples(*values).map(lambda given: lambda history: getattr(history, name)(*given))


def draft_of(
    lines: Sequence[tuple[str, int]], to: tuple[str, GeoPoint], service_class: str, parts_max: int
) -> OrderDraft:
    """An order of these lines to a postal code and place in Portugal."""
    recipient = Recipient("Ana", ("Rua do Ouro 2",), to[0], "PT", to[1])
    asked = tuple(DraftLine(*line) for line in lines)
    return OrderDraft("R-1", asked, recipient, service_class, parts_max=parts_max)


BUNDLES = st.just(DEFAULT) | st.builds(
    rules,
    st.sampled_from(SCORES),
    st.lists(st.sampled_from(FILTERS), unique=True, max_size=2).map(tuple),
    st.sampled_from(["0", "1", "node.node_id == 'porto-01' ? 5 : 2"]),
    st.sampled_from([0.0, 50.0, 20_000.0]),
)
DRAFTS = st.builds(
    draft_of,
    st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 9)), min_size=1, max_size=3),
    st.sampled_from([("1100-060", LISBON), ("4300-254", PORTO), ("9000-017", GeoPoint(32.65, -16.91))]),
    st.sampled_from(["standard", "next_day"]),
    st.integers(1, 3),
)
NUMBERS = st.integers(0, 9)
STEPS = st.lists(
    step("order", DRAFTS)
    | step("order", DRAFTS)
    | step("cancel", NUMBERS)
    | step("move", NUMBERS)
    | step("receive", st.sampled_from(list(PLACES)), st.sampled_from(SKUS), st.integers(1, 9))
    | step("activate", BUNDLES),
    max_size=10,
)


@pytest.fixture
def network(store: Store) -> tuple[Store, dict[str, NodeByHand]]:
    """Three nodes far apart, each with some goods and the card of two carriers."""
    hands = {node_id: NodeByHand(node_id) for node_id in PLACES}

    def fill(tx: Transaction) -> None:
        for number, (node_id, place) in enumerate(PLACES.items()):
            nodes.register_node(tx, OPERATOR, node_draft(node_id, place, number=number))
        catalogue.upsert_skus(
            tx, OPERATOR, [replace(sku(one), weight_g=900, volume_ml=1_800) for one in SKUS]
        )
        morning = replace(OPERATOR, now_ms=MONDAY_MORNING_MS)
        cards.import_card(tx, morning, card())
        for node_id, units in zip(PLACES, (12, 9, 6), strict=True):
            telling.tell(tx, morning, node_id)
            for sku_id in SKUS:
                hands[node_id].shelve(sku_id, units)
            apply(tx, MONDAY_MORNING_MS, [hands[node_id].delivery()])

    store.write(fill)
    return store, hands


class _UndoneError(Exception):
    """Ends a transaction whose end nobody wants."""


@contextmanager
def undone(tx: Transaction) -> Iterator[None]:
    """What is done inside is undone at the end."""
    point = tx.connection.begin_nested()
    try:
        yield
    finally:
        point.rollback()


def lived(
    network: tuple[Store, dict[str, NodeByHand]],
    folder: Path,
    steps: Sequence[Step],
    then: Callable[[History], None],
) -> None:
    """A history of these steps, what is looked at then, and nothing of it is left."""
    store, hands = network

    def story(tx: Transaction) -> None:
        history = History(tx, load_hub_key(folder), deepcopy(hands))
        for one in steps:
            history.at_ms += 1_000
            one(history)
        history.at_ms += 1_000
        then(history)
        raise _UndoneError

    with suppress(_UndoneError):
        store.write(story)


def shares_as_told(shares: Sequence[Share]) -> set[tuple[object, ...]]:
    """As `went_to` tells it."""
    return {(one.node_id, one.service, frozenset(one.quantities.items())) for one in shares}


@STORIES
@given(steps=STEPS, candidate=BUNDLES, draft=DRAFTS)
def test_what_simulate_says_of_an_order_is_what_the_candidate_does_with_it_live(
    network: tuple[Store, dict[str, NodeByHand]],
    tmp_path: Path,
    steps: list[Step],
    candidate: Bundle,
    draft: OrderDraft,
) -> None:
    def then(history: History) -> None:
        with undone(history.tx):
            order_id = history.place(draft)
            as_it_went = history.went_to(order_id)
            said = past.simulate(history.tx, candidate, PageRequest(1))
        if not order_id:
            return
        assert said.before.decisions == 1
        foretold = shares_as_told(said.changes[0].after) if said.changes else as_it_went
        history.bundle = candidate
        again = history.place(draft)
        assert (history.went_to(again) if again else set()) == foretold

    lived(network, tmp_path, steps, then)


@STORIES
@given(steps=STEPS)
def test_a_past_that_is_made_again_by_its_own_rules_comes_out_as_it_was_and_costs_the_same(
    network: tuple[Store, dict[str, NodeByHand]], tmp_path: Path, steps: list[Step]
) -> None:
    def then(history: History) -> None:
        tx = history.tx
        assert {one.outcome for one in past.replay(tx, PAGE).replays} <= {"same"}
        decided = tx.connection.execute(
            sa.select(schema.routing_decision.c.decision_id, schema.routing_decision.c.rule)
        ).all()
        for bundle in {history.bundle, DEFAULT}:
            simulated = past.simulate(tx, bundle, PAGE)
            changed = {one.decision_id for one in simulated.changes}
            assert not changed & {one.decision_id for one in decided if one.rule == bundle.rule}
            if changed:
                continue
            assert simulated.before == simulated.after
            assert simulated.before.decisions == len(decided)

    lived(network, tmp_path, steps, then)
