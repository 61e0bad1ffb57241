"""An order moves to another node: fenced, promised once, never back and forth, refused where somebody forbids it."""

from __future__ import annotations

import json

import pytest

from bodega.codec import parse_hub_event
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.limits import ASSIGNMENTS_PER_ORDER_MAX, REASSIGN_COOLDOWN_MS
from bodega_controlplane.app import audit
from bodega_controlplane.app.deciding import overrides
from bodega_controlplane.app.deciding.conflict_views import OverrideTerms
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.ordering import decisions, orders
from bodega_controlplane.store import routing, schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, POLICY, SECRET_NAME, SHOP, deliver, promises, rows_of
from support.moved_order import (
    HUB,
    LISBON,
    NOW,
    PORTO,
    SKU,
    Hand,
    later,
    look_after,
    move,
    news,
    order_now,
    place,
    two_nodes,
    works_of,
)


def available(store: Store) -> dict[str, int]:
    rows = store.read(lambda tx: stock.list_availability(tx, [SKU], POLICY))
    return {row.node_id: row.available for row in rows}


def told(store: Store, node_id: str) -> list[str]:
    rows = [row for row in rows_of(store, schema.down_log) if row.node_id == node_id]
    facts = [parse_hub_event(row.body).WhichOneof("fact") for row in rows]
    return [fact for fact in facts if fact not in ("node_profile", "sku")]


def test_the_new_node_gets_a_higher_token_and_the_old_one_is_told_to_stop(store: Store) -> None:
    two_nodes(store)
    order = place(store)
    moved = move(store, order.order_id)
    assert (order.node_id, moved.node_id, moved.state) == (LISBON, PORTO, OrderState.CONFIRMED)
    first, second = rows_of(store, schema.fulfillment_order)
    assert {row.node_id: row.fencing_token for row in (first, second)} == {LISBON: 1, PORTO: 2}
    assert told(store, LISBON) == ["fulfillment_order", "fulfillment_revoked"]
    assert told(store, PORTO) == ["fulfillment_order"]
    (body,) = [row.body for row in rows_of(store, schema.down_log) if row.node_id == PORTO][-1:]
    assert parse_hub_event(body).fulfillment_order.recipient.name == SECRET_NAME
    entries = store.read(lambda tx: audit.list_audit(tx, subject=order.order_id))
    assert [entry.action for entry in entries] == ["order.reassigned", "order.placed"]
    assert json.loads(entries[0].detail)["fencing_token"] == 2
    assert SECRET_NAME not in entries[0].detail


def test_why_it_was_moved_is_told_with_the_decision_before_it(store: Store) -> None:
    two_nodes(store)
    order = place(store)
    move(store, order.order_id)
    newest, first = store.read(lambda tx: decisions.routes_of(tx, order.order_id))
    assert (newest.node_id, newest.reason, newest.decided_by) == (PORTO, "the node is flooded", "operator")
    assert (first.node_id, first.reason) == (LISBON, "")
    assert [row.node_id for row in newest.candidates] == [PORTO, LISBON]
    assert newest.candidates[1].reasons[0].code == "passed-over"


def test_units_stay_reserved_at_the_old_node_until_it_has_said_that_it_stopped(store: Store) -> None:
    """It may be out of touch and ship them: to promise them to somebody else would be an oversell."""
    lisbon, _ = two_nodes(store)
    order = place(store, 3)
    assert available(store) == {LISBON: 5, PORTO: 8}
    move(store, order.order_id)
    assert available(store) == {LISBON: 5, PORTO: 5}
    Hand(lisbon, works_of(store, order.order_id)[0], order.order_id).stop()
    deliver(store, *news(store, lisbon))
    assert available(store) == {LISBON: 8, PORTO: 5}
    assert order_now(store, order.order_id).state is OrderState.CONFIRMED


def test_what_the_old_node_has_picked_and_puts_back_comes_back_to_it(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store, 3)
    hand = Hand(lisbon, works_of(store, order.order_id)[0], order.order_id)
    hand.pick()
    deliver(store, *news(store, lisbon))
    assert order_now(store, order.order_id).state is OrderState.IN_FULFILLMENT
    assert move(store, order.order_id).state is OrderState.CONFIRMED
    hand.stop()
    lisbon.move("put_away", SKU, 3, source=f"STAGE-{hand.work_id}", target="A-01-01")
    deliver(store, *news(store, lisbon))
    assert available(store) == {LISBON: 8, PORTO: 5}
    assert [row.state for row in promises(store, superseded=True)] == ["posted"]


def test_the_new_node_ships_and_the_order_is_its(store: Store) -> None:
    _, porto = two_nodes(store)
    order = place(store, 3)
    move(store, order.order_id)
    Hand(porto, works_of(store, order.order_id)[1], order.order_id, token=2).ship()
    deliver(store, *news(store, porto))
    after = order_now(store, order.order_id)
    assert (after.state, after.parcels, after.lines[0].shipped) == (OrderState.SHIPPED, ("2" * 18,), 3)
    assert rows_of(store, schema.conflict) == []
    assert [row.state for row in promises(store)] == ["posted"]


def test_what_was_short_at_the_old_node_is_asked_of_the_new_one_in_full(store: Store) -> None:
    lisbon, porto = two_nodes(store)
    order = place(store, 3)
    first = works_of(store, order.order_id)[0]
    lisbon.advance(first, order.order_id, FulfillmentState.PICKING)
    lisbon.advance(first, order.order_id, FulfillmentState.PICKED, (1, 0, 2))
    deliver(store, *news(store, lisbon))
    moved = move(store, order.order_id)
    assert [(line.quantity, line.short) for line in moved.lines] == [(3, 0)]
    lisbon.advance(first, order.order_id, FulfillmentState.PACKED, (1, 0, 2))
    deliver(store, *news(store, lisbon))
    assert order_now(store, order.order_id).lines[0].short == 0
    Hand(porto, works_of(store, order.order_id)[1], order.order_id, token=2).ship()
    deliver(store, *news(store, porto))
    assert order_now(store, order.order_id).state is OrderState.SHIPPED


def test_a_cancel_after_a_move_goes_to_the_node_that_has_the_order(store: Store) -> None:
    lisbon, porto = two_nodes(store)
    order = place(store, 3)
    move(store, order.order_id)
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    assert told(store, LISBON) == ["fulfillment_order", "fulfillment_revoked"]
    assert told(store, PORTO) == ["fulfillment_order", "cancel_requested"]
    first, second = works_of(store, order.order_id)
    Hand(lisbon, first, order.order_id).stop()
    deliver(store, *news(store, lisbon))
    assert order_now(store, order.order_id).state is OrderState.CANCEL_REQUESTED
    Hand(porto, second, order.order_id, token=2).stop()
    deliver(store, *news(store, porto))
    assert order_now(store, order.order_id).state is OrderState.CANCELLED
    assert available(store) == {LISBON: 8, PORTO: 8}


def refusal(store: Store, order_id: str, to: str = "", **about: str) -> str:
    with pytest.raises(Refused) as caught:
        move(store, order_id, to, **about)  # type: ignore[arg-type]  # the names of the test's choice
    return caught.value.code


def test_what_can_not_be_moved_is_refused_and_nothing_is_told(store: Store) -> None:
    lisbon, _ = two_nodes(store, porto=4)
    order = place(store, 3)
    assert refusal(store, order.order_id, LISBON) == "there-already"
    assert refusal(store, order.order_id) == "insufficient-stock"
    with pytest.raises(NotFound):
        move(store, order.order_id, "nowhere")
    with pytest.raises(NotFound):
        move(store, "O-none")
    with pytest.raises(InvalidInput):
        move(store, order.order_id, "a b")
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    assert refusal(store, order.order_id) == "cancel-requested"
    Hand(lisbon, works_of(store, order.order_id)[0], order.order_id).stop()
    deliver(store, *news(store, lisbon))
    assert refusal(store, order.order_id) == "order-final"
    assert told(store, PORTO) == []


def test_a_rule_moves_only_what_nobody_has_begun_and_a_person_may_move_the_rest(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store, 3)
    lisbon.advance(works_of(store, order.order_id)[0], order.order_id, FulfillmentState.PICKING)
    deliver(store, *news(store, lisbon))
    assert refusal(store, order.order_id, by_rule="physical_shortfall@1") == "work-begun"
    assert move(store, order.order_id).node_id == PORTO


def test_a_rule_does_not_move_an_order_back_and_forth(sqlite_store: Store) -> None:
    store = sqlite_store
    two_nodes(store)
    order = place(store, 3)
    assert move(store, order.order_id, by_rule="r@1").node_id == PORTO
    assert refusal(store, order.order_id, by_rule="r@1", caller=later(HUB, REASSIGN_COOLDOWN_MS - 1)) == (
        "moved-lately"
    )
    # A hub's clock that was set back is no reason to wait for a year.
    back = later(HUB, -REASSIGN_COOLDOWN_MS)
    assert move(store, order.order_id, by_rule="r@1", caller=back).node_id == LISBON
    assert (
        move(store, order.order_id, by_rule="r@1", caller=later(HUB, REASSIGN_COOLDOWN_MS)).node_id == PORTO
    )


def test_an_order_is_given_out_so_many_times_and_no_more(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ASSIGNMENTS_PER_ORDER_MAX > 3
    monkeypatch.setattr("bodega_controlplane.app.ordering.reassigning.ASSIGNMENTS_PER_ORDER_MAX", 3)
    two_nodes(sqlite_store)
    order = place(sqlite_store, 1)
    for _ in range(2):
        move(sqlite_store, order.order_id)
    assert refusal(sqlite_store, order.order_id) == "moved-too-often"


def test_an_order_that_a_person_keeps_at_its_node_is_moved_by_nobody_until_that_ends(store: Store) -> None:
    two_nodes(store)
    order = place(store, 3)
    terms = OverrideTerms("the customer collects it there", 5_000)
    kept = store.write(lambda tx: overrides.keep_at_node(tx, OPERATOR, order.order_id, terms, NOW))[0]
    assert (kept.kind, kept.subject, kept.state) == ("keep_at_node", order.order_id, "open")
    for asked in ({}, {"by_rule": "r@1"}):
        assert refusal(store, order.order_id, **asked) == "kept-at-node"
    look_after(store, now=NOW._replace(ms=NOW.ms + 4_999))
    assert refusal(store, order.order_id) == "kept-at-node"
    look_after(store, now=NOW._replace(ms=NOW.ms + 5_000))
    assert move(store, order.order_id).node_id == PORTO
    actions = {entry.action for entry in store.read(audit.list_audit)}
    assert {"override.opened", "override.expired"} <= actions


def test_a_stranger_may_not_speak_of_an_assignment_that_it_never_had(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store, 3)
    move(store, order.order_id)
    second = works_of(store, order.order_id)[1]
    lisbon.advance(second, order.order_id, FulfillmentState.CANCELLED, token=2)
    deliver(store, *news(store, lisbon))
    assert "lisbon-01 has no fulfillment order" in rows_of(store, schema.parked_event)[0].reason
    assert order_now(store, order.order_id).state is OrderState.CONFIRMED


def test_moves_are_known_by_the_tokens_that_they_gave_out_whichever_version_has_made_them(
    store: Store,
) -> None:
    two_nodes(store)
    order_id = place(store).order_id
    old = {
        "order_id": order_id,
        "fencing_token": 2,
        "from_node_id": LISBON,
        "node_id": PORTO,
        "rule": "",
        "reason": "",
    }
    store.write(
        lambda tx: tx.insert_many(
            schema.reassignment, [{**old, "decided_by": "late@1", "candidates": "[{}]", "decided_at_ms": 7}]
        )
    )
    store.write(
        lambda tx: tx.connection.exec_driver_sql("UPDATE fulfillment_order SET fencing_token = 2") and None
    )
    move(store, order_id)
    move(store, order_id, caller=later(OPERATOR, 1))
    found = store.read(lambda tx: routing.moves_of(tx, order_id))
    assert [(one.tokens.start, one.decided_by, one.decided_at_ms) for one in found] == [
        (4, "operator", OPERATOR.now_ms + 1),
        (3, "operator", OPERATOR.now_ms),
        (2, "late@1", 7),
    ]
    assert [[token in one.tokens for token in range(1, 6)].count(True) for one in found] == [2, 1, 1]
    assert rows_of(store, schema.reassignment)[0].fencing_token == 2, "and nothing is written twice"
    assert len(rows_of(store, schema.reassignment)) == 1
