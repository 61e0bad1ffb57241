"""A shelf holds less than was promised from it: who keeps a promise, who is moved, and who needs a person."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.v1 import stock_pb2
from bodega_controlplane.app.deciding import conflicts
from bodega_controlplane.app.deciding.conflict_views import OverrideTerms
from bodega_controlplane.app.deciding.overrides import hold_outcome
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import ConflictView, PageRequest
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import (
    OPERATOR,
    POLICY,
    SHOP,
    NodeByHand,
    deliver,
    open_test_store,
    promises,
    rows_of,
)
from support.moved_order import (
    HUB,
    LISBON,
    NOW,
    PORTO,
    SKU,
    Hand,
    conflicts_of,
    later,
    look_after,
    news,
    order_now,
    place,
    two_nodes,
    works_of,
)


def lose(node: NodeByHand, units: int, **about: str) -> int:
    """A count finds that many units less on the shelf."""
    return node.move("count_down", SKU, units, source="A-01-01", **about)


def rows(store: Store, *, only_open: bool = False) -> list[ConflictView]:
    found = store.read(lambda tx: conflicts.list_conflicts(tx, PageRequest(), only_open=only_open)).rows
    return sorted(found, key=lambda row: (row.inputs[0], row.order_id))


def effects(store: Store) -> dict[str, str]:
    """Order id -> how many units it lacks, as the rows say."""
    return {row.order_id: row.effects[1] for row in rows(store)}


def test_the_sooner_class_keeps_its_promise_and_within_a_class_the_earlier_order(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=12, porto=0)
    early = place(store, 3, reference="early")
    urgent = place(store, 3, 1, reference="urgent", service_class="same_day")
    late = place(store, 3, 2, reference="late")
    basis = lose(lisbon, 7)
    deliver(store, *news(store, lisbon))
    # 5 are left: the urgent one gets its 3, of the standard ones the earlier gets 2.
    assert effects(store) == {early.order_id: "lacks:1", late.order_id: "lacks:3"}
    assert urgent.order_id not in effects(store)
    row = next(row for row in rows(store) if row.order_id == early.order_id)
    assert (row.kind, row.rule, row.state) == ("physical_shortfall", "physical_shortfall@1", "open")
    assert row.inputs == (f"{LISBON}/1/{basis}", "hub/1/3")
    assert row.knew == (
        f"{LISBON} has 5 sellable units of {SKU} left; 9 were promised when the hub did not know that yet"
    )
    story = store.read(lambda tx: conflicts.tell(tx, row.conflict_id))
    assert [one.fact for one in story.inputs] == ["movement", "fulfillment_order"]
    assert "count down: -7 TEA at A-01-01, +7 TEA at adjustment:count" in story.inputs[0].sentence


def test_an_order_that_lacks_units_moves_to_a_node_that_has_them(store: Store) -> None:
    lisbon, porto = two_nodes(store)
    order = place(store, 4)
    lose(lisbon, 8)
    deliver(store, *news(store, lisbon))
    look_after(store)
    assert order_now(store, order.order_id).node_id == PORTO
    (row,) = rows(store)
    assert (row.state, row.decided_by, row.decision) == (
        "resolved",
        "hub",
        f"order {order.order_id} was moved to {PORTO}",
    )
    assert row.effects == (f"unkept:{order.order_id}", "lacks:2")
    Hand(porto, works_of(store, order.order_id)[1], order.order_id, units=4, token=2).ship()
    deliver(store, *news(store, porto))
    assert order_now(store, order.order_id).state is OrderState.SHIPPED


def test_without_a_node_that_has_them_it_waits_for_a_person_until_there_is_one(store: Store) -> None:
    lisbon, porto = two_nodes(store, porto=0)
    order = place(store, 4)
    lose(lisbon, 8)
    deliver(store, *news(store, lisbon))
    look_after(store)
    (row,) = rows(store, only_open=True)
    assert row.needs.startswith("move the order")
    porto.shelve(SKU, 6)
    deliver(store, *news(store, porto))
    look_after(store)
    assert rows(store, only_open=True) == []
    assert order_now(store, order.order_id).node_id == PORTO


def test_the_goods_turn_up_and_the_promise_stands(store: Store) -> None:
    lisbon, _ = two_nodes(store, porto=0)
    order = place(store, 4)
    lose(lisbon, 8)
    lisbon.move("count_up", SKU, 3, target="A-01-01")
    deliver(store, *news(store, lisbon))
    assert len(rows(store, only_open=True)) == 1
    look_after(store)
    (row,) = rows(store)
    assert (row.state, row.decision) == ("resolved", f"{LISBON} holds all of it again")
    assert order_now(store, order.order_id).node_id == LISBON


def test_what_the_node_has_begun_is_not_moved_by_a_rule(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store, 4)
    work = works_of(store, order.order_id)[0]
    lisbon.advance(work, order.order_id, FulfillmentState.PICKING)
    lose(lisbon, 8)
    deliver(store, *news(store, lisbon))
    look_after(store)
    assert order_now(store, order.order_id).node_id == LISBON
    assert len(rows(store, only_open=True)) == 1
    lisbon.advance(work, order.order_id, FulfillmentState.CANCELLED)
    deliver(store, *news(store, lisbon))
    look_after(store)
    (row,) = rows(store)
    assert (row.state, row.decision) == ("resolved", f"order {order.order_id} is cancelled")


def test_a_short_pick_is_the_own_short_of_its_order_and_a_conflict_only_for_the_others(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=12, porto=0)
    picked, other = place(store, 4, reference="picked"), place(store, 4, reference="other")
    work = works_of(store, picked.order_id)[0]
    lisbon.advance(work, picked.order_id, FulfillmentState.PICKING)
    lose(lisbon, 12, fulfillment_order_id=work, reason="short")
    deliver(store, *news(store, lisbon))
    assert effects(store) == {other.order_id: "lacks:4"}
    settled = {row.order_id: (row.voided, row.state) for row in promises(store)}
    assert settled == {picked.order_id: (4, "voided"), other.order_id: (0, "pending")}
    # A later loss does not count the same units against the order again.
    lisbon.shelve(SKU, 4)
    basis = lose(lisbon, 1)
    deliver(store, *news(store, lisbon))
    assert [row.order_id for row in rows(store) if row.inputs[0] == f"{LISBON}/1/{basis}"] == [other.order_id]
    lisbon.advance(work, picked.order_id, FulfillmentState.SHORT, (1, 0, 4))
    deliver(store, *news(store, lisbon))
    assert order_now(store, picked.order_id).state is OrderState.UNFULFILLABLE


def test_what_the_node_has_promised_itself_comes_first(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=12, porto=0)
    order = place(store, 4)
    lisbon.record(
        reservation_changed=stock_pb2.ReservationChanged(
            reservation_id="P-1", sku_id=SKU, quantity=3, state="pending", event="reserve"
        )
    )
    first = lose(lisbon, 7)
    second = lose(lisbon, 3)
    deliver(store, *news(store, lisbon))
    by_basis = {
        basis: [(row.order_id, row.effects) for row in rows(store) if row.inputs[0] == f"{LISBON}/1/{basis}"]
        for basis in (first, second)
    }
    assert by_basis[first] == [(order.order_id, (f"unkept:{order.order_id}", "lacks:2"))]
    assert by_basis[second] == [
        ("", (f"unkept_local:{SKU}", "lacks:1")),
        (order.order_id, (f"unkept:{order.order_id}", "lacks:4")),
    ]


def test_rights_that_nobody_was_promised_from_are_no_shortfall(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=12, porto=0)
    order = place(store, 4)
    lisbon.record(rights_taken=stock_pb2.RightsTaken(transfer_id="R-1", sku_id=SKU, quantity=6, held=6))
    lose(lisbon, 8)
    deliver(store, *news(store, lisbon))
    assert rows(store) == []
    (row, _) = store.read(lambda tx: stock.list_availability(tx, [SKU], POLICY))
    assert (row.available, order_now(store, order.order_id).node_id) == (0, LISBON)


def test_goods_that_leave_for_whom_they_were_promised_uncover_nothing(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=6, porto=0)
    order = place(store, 4)
    lisbon.record(rights_taken=stock_pb2.RightsTaken(transfer_id="R-1", sku_id=SKU, quantity=2, held=2))
    pending = stock_pb2.ReservationChanged(
        reservation_id="P-1", sku_id=SKU, quantity=2, state="pending", event="reserve"
    )
    lisbon.record(reservation_changed=pending)
    Hand(lisbon, works_of(store, order.order_id)[0], order.order_id, units=4).ship()
    lisbon.move("post", SKU, 2, source="A-01-01", reservation_id="P-1")
    deliver(store, *news(store, lisbon))
    assert rows(store) == []


def test_a_person_holds_the_outcome_and_the_rule_leaves_the_order_alone_until_that_ends(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store, 4)
    lose(lisbon, 8)
    deliver(store, *news(store, lisbon))
    (row,) = rows(store)
    terms = OverrideTerms("the truck is due", 1_000)
    store.write(
        lambda tx: hold_outcome(tx, OPERATOR, row.conflict_id, "ship what comes at three", terms, NOW)
    )
    look_after(store)
    (held,) = rows(store)
    assert (held.state, held.decision, held.override_ends_ms) == (
        "overridden",
        "ship what comes at three",
        OPERATOR.now_ms + 1_000,
    )
    assert order_now(store, order.order_id).node_id == LISBON
    assert (held.effect, held.effects) == (row.effect, row.effects)
    look_after(store, now=NOW._replace(ms=NOW.ms + 1_000))
    look_after(store)
    assert order_now(store, order.order_id).node_id == PORTO


def test_the_most_urgent_order_gets_the_other_nodes_stock(store: Store) -> None:
    """Not the one whose row came first."""
    lisbon, porto = two_nodes(store, lisbon=12, porto=0)
    slow = place(store, 4, reference="slow")
    lose(lisbon, 9)
    deliver(store, *news(store, lisbon))
    lisbon.shelve(SKU, 8)
    deliver(store, *news(store, lisbon))
    fast = place(store, 4, reference="fast", service_class="next_day")
    lose(lisbon, 11)
    deliver(store, *news(store, lisbon), now_ms=later(HUB, 200_000).now_ms)
    porto.shelve(SKU, 6)
    deliver(store, *news(store, porto))
    look_after(store)
    assert order_now(store, fast.order_id).node_id == PORTO
    assert order_now(store, slow.order_id).node_id == LISBON


STEPS = st.lists(
    st.tuples(st.sampled_from(["lose", "find", "short", "cancel", "promise"]), st.integers(1, 4)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, data=st.data())
def test_arrival_decides_nothing(steps: list[tuple[str, int]], data: st.DataObject) -> None:
    """The same journals, cut and mixed in any way, find the same rows, and then the orders go the same ways."""
    outcomes = []
    for whole in (True, False):
        with (
            tempfile.TemporaryDirectory() as folder,
            closing(open_test_store("sqlite", Path(folder))) as store,
        ):
            lisbon, porto = two_nodes(store, lisbon=12, porto=0)
            classes = ("standard", "same_day", "standard")
            ids = [place(store, 3, n, service_class=word).order_id for n, word in enumerate(classes)]
            _live(store, lisbon, ids, steps)
            porto.shelve(SKU, 7)
            turns = [lisbon, porto] if whole else data.draw(st.permutations([lisbon, porto] * 8))
            for node in turns:
                after = sum(row.node_id == node.node_id for row in rows_of(store, schema.journal))
                step = len(node.journal) if whole else data.draw(st.integers(1, 4))
                if after < len(node.journal):
                    deliver(store, node.delivery(after, min(after + step, len(node.journal))))
            for node in (lisbon, porto):
                deliver(store, *news(store, node))
            found = [
                (one[0], one[2], one[3].replace(one[4], "O") if one[4] else one[3])
                for one in conflicts_of(store)
            ]
            look_after(store)
            places = [(order_now(store, one).node_id, order_now(store, one).state) for one in ids]
            outcomes.append((found, places))
    assert outcomes[0] == outcomes[1]


def _live(store: Store, node: NodeByHand, ids: list[str], steps: list[tuple[str, int]]) -> None:
    """What happens in Lisbon: some of it takes units away from under promises."""
    begun: set[str] = set()
    for number, (word, units) in enumerate(steps):
        left = sum(
            held for place, held in node.balances.items() if place.disposition == "sellable_accessible"
        )
        order_id = ids[number % len(ids)]
        work = works_of(store, order_id)[0]
        if word == "lose" and left:
            lose(node, min(units * 2, left))
        elif word == "find":
            node.move("count_up", SKU, units, target="A-01-01")
        elif word == "promise":
            promise = stock_pb2.ReservationChanged(
                reservation_id=f"P-{number}", sku_id=SKU, quantity=units, state="pending", event="reserve"
            )
            node.record(reservation_changed=promise)
        elif order_id not in begun:
            begun.add(order_id)
            if word == "cancel":
                node.advance(work, order_id, FulfillmentState.CANCELLED)
            elif left:
                node.advance(work, order_id, FulfillmentState.PICKING)
                lose(node, left, fulfillment_order_id=work, reason="short")


def test_an_order_that_was_cancelled_before_the_loss_lacks_nothing(store: Store) -> None:
    lisbon, _ = two_nodes(store, porto=0)
    order = place(store, 4)
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    Hand(lisbon, works_of(store, order.order_id)[0], order.order_id).stop()
    lose(lisbon, 9)
    deliver(store, *news(store, lisbon))
    assert rows(store) == []


@pytest.mark.parametrize("reason", ["", "asked for by phone"])
def test_a_pick_that_no_promise_covers_takes_from_under_one(store: Store, reason: str) -> None:
    """With a reason it is read in full, without one it is skimmed: both must say the same."""
    lisbon, _ = two_nodes(store, lisbon=12, porto=0)
    order = place(store, 4)
    work = works_of(store, order.order_id)[0]
    lisbon.advance(work, order.order_id, FulfillmentState.PICKING)
    stage = {"source": "A-01-01", "target": "STAGE-1", "reason": reason}
    lisbon.move("pick", SKU, 3, fulfillment_order_id=work, **stage)
    lisbon.move("pick", SKU, 8, **stage)
    deliver(store, *news(store, lisbon))
    assert effects(store) == {}
    lisbon.move("pick", SKU, 1, **stage)
    deliver(store, *news(store, lisbon))
    assert effects(store) == {order.order_id: "lacks:1"}
    (kept,) = promises(store)
    assert (kept.posted, kept.state) == (3, "pending")


def test_a_pick_finds_the_promise_that_its_own_batch_has_made(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=2, porto=0)
    promise = stock_pb2.ReservationChanged(
        reservation_id="P-1", sku_id=SKU, quantity=2, state="pending", event="reserve"
    )
    lisbon.record(reservation_changed=promise)
    lisbon.move("pick", SKU, 1, source="A-01-01", target="STAGE-1")
    deliver(store, *news(store, lisbon))
    assert effects(store) == {"": "lacks:1"}


def test_a_pick_that_keeps_its_promise_is_nobodys_loss_where_units_lacked_before(store: Store) -> None:
    lisbon, _ = two_nodes(store, lisbon=12, porto=0)
    picked, other = place(store, 4, reference="picked"), place(store, 4, 1, reference="other")
    basis = lose(lisbon, 8)
    Hand(lisbon, works_of(store, picked.order_id)[0], picked.order_id, units=4).pick()
    deliver(store, *news(store, lisbon))
    assert [(row.order_id, row.inputs[0]) for row in rows(store)] == [(other.order_id, f"{LISBON}/1/{basis}")]
