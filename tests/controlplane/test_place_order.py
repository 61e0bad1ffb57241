"""Orders: promised, routed and handed over in one transaction, or not at all."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bodega.core.lifecycles import OrderState
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.v1 import journal_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.ordering import decisions, orders
from bodega_controlplane.app.views import AvailabilityView, GeoPoint, OrderDraft, OrderView, PageRequest
from bodega_controlplane.store.engine import Store
from support.controlplane import (
    POLICY,
    PORTO,
    SECRET_NAME,
    SHOP,
    NodeByHand,
    deliver,
    order_draft,
    settle,
)


def place(store: Store, draft: OrderDraft) -> OrderView:
    return store.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))[0]


def available(store: Store, sku_id: str, node: int = 0) -> AvailabilityView:
    return store.read(lambda tx: stock.list_availability(tx, [sku_id], POLICY))[node]


def down_events(store: Store, node_id: str = "lisbon-01") -> list[journal_pb2.HubEvent]:
    envelope = store.read(lambda tx: outbox.envelope_from(tx, node_id, 1, 1))
    assert envelope is not None
    return [journal_pb2.HubEvent.FromString(body) for body in envelope.events]


def stocked(store: Store, **units: int) -> NodeByHand:
    settle(store, *units, node_ids=("lisbon-01", "porto-01"))
    node = NodeByHand()
    for sku_id, quantity in units.items():
        node.shelve(sku_id, quantity)
    deliver(store, node.delivery())
    return node


def test_an_order_is_promised_routed_sent_and_written_down(store: Store) -> None:
    stocked(store, TEA=10)
    order = place(store, order_draft(("TEA", 3)))
    assert (order.state, order.node_id) == (OrderState.CONFIRMED, "lisbon-01")
    assert store.read(lambda tx: orders.get_order(tx, order.order_id)) == order
    standing = available(store, "TEA")
    assert (standing.sellable, standing.reserved, standing.safety_stock, standing.available) == (10, 3, 2, 5)
    sent = down_events(store)[-1].fulfillment_order
    assert (sent.order_id, sent.recipient.name, sent.fencing_token) == (order.order_id, SECRET_NAME, 1)
    assert [(line.line, line.sku_id, line.quantity) for line in sent.lines] == [(1, "TEA", 3)]
    entry = store.read(lambda tx: audit.list_audit(tx, subject=order.order_id))[0]
    assert (entry.action, entry.actor) == ("order.placed", "storefront")


def test_two_lines_of_one_sku_are_one_question(store: Store) -> None:
    stocked(store, TEA=10)
    with pytest.raises(Refused) as refused:
        place(store, order_draft(("TEA", 5), ("TEA", 4)))
    assert refused.value.code == "insufficient-stock"
    assert "TEA: 9 wanted, 8 available" in refused.value.faults[0].problem
    assert place(store, order_draft(("TEA", 4), ("TEA", 4))).lines[1].line == 2
    assert available(store, "TEA").available == 0


def test_a_refused_order_leaves_nothing_behind(store: Store) -> None:
    stocked(store, TEA=10, SALT=1)
    before = store.read(outbox.heads)
    with pytest.raises(Refused):
        place(store, order_draft(("TEA", 1), ("SALT", 1)))
    assert available(store, "TEA").reserved == 0
    assert store.read(outbox.heads) == before
    assert store.read(lambda tx: orders.list_orders(tx, PageRequest())).rows == ()


def test_every_fault_of_an_order_is_named_at_once(store: Store) -> None:
    stocked(store, TEA=10)
    draft = order_draft(("GHOST", 1), ("TEA", 0))
    recipient = replace(draft.recipient, name=" ", country="Portugal", location=GeoPoint(91, float("nan")))
    with pytest.raises(InvalidInput) as invalid:
        place(store, replace(draft, reference="", recipient=recipient))
    assert {fault.where for fault in invalid.value.faults} == {
        "reference",
        "lines[0].sku_id",
        "lines[1].quantity",
        "recipient.name",
        "recipient.country",
        "recipient.location.latitude",
        "recipient.location.longitude",
    }


def test_an_order_of_too_many_lines_or_none_is_refused(store: Store) -> None:
    stocked(store, TEA=10)
    for lines in ((), (("TEA", 1),) * 201):
        with pytest.raises(InvalidInput, match="fault"):
            place(store, order_draft(*lines))


def test_the_decision_tells_why_this_node_and_why_not_the_other(store: Store) -> None:
    stocked(store, TEA=10)
    order = place(store, order_draft(("TEA", 1), place=PORTO))
    (decision,) = store.read(lambda tx: decisions.routes_of(tx, order.order_id))
    assert (decision.node_id, decision.rule) == ("lisbon-01", "nearest-with-floor@1")
    assert [(one.node_id, one.eligible) for one in decision.candidates] == [
        ("lisbon-01", True),
        ("porto-01", False),
    ]
    assert decision.candidates[1].reasons[0].code == "insufficient-stock"
    with pytest.raises(NotFound):
        store.read(lambda tx: decisions.routes_of(tx, "O-GHOST"))


def test_the_last_units_asked_for_by_many_at_once_go_to_as_many_as_there_are(store: Store) -> None:
    stocked(store, TEA=9, SALT=100)

    def try_once(number: int) -> str:
        try:
            return place(store, order_draft(("SALT", 1), ("TEA", 2), reference=f"R-{number}")).order_id
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(12) as callers:
        outcomes = list(callers.map(try_once, range(40)))
    assert outcomes.count("insufficient-stock") == 37
    assert available(store, "TEA").available == 1
    assert available(store, "SALT").reserved == 3
    assert store.read(audit.verify_audit).first_bad_seq == 0


def test_orders_are_listed_newest_first_page_by_page_and_by_state(store: Store) -> None:
    stocked(store, TEA=100)
    placed = [
        store.write(
            lambda tx, at=at: orders.place_order(
                tx, replace(SHOP, now_ms=at), order_draft(("TEA", 1)), POLICY
            )
        )[0]
        for at in (1000, 2000, 2000, 3000, 4000)
    ]
    seen: list[OrderView] = []
    token = ""
    while True:
        page = store.read(lambda tx, token=token: orders.list_orders(tx, PageRequest(2, token)))
        seen += page.rows
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(placed, key=lambda order: (order.placed_at_ms, order.order_id), reverse=True)
    store.write(lambda tx: orders.cancel_order(tx, SHOP, placed[0].order_id))
    page = store.read(lambda tx: orders.list_orders(tx, PageRequest(), OrderState.CANCEL_REQUESTED))
    assert [order.order_id for order in page.rows] == [placed[0].order_id]


@pytest.mark.parametrize("token", ["nonsense", "W10", "WzEsMl0", "é", "W251bGwsMV0"])
def test_a_page_token_that_is_none_is_told_so(sqlite_store: Store, token: str) -> None:
    with pytest.raises(InvalidInput, match="is not one of ours"):
        sqlite_store.read(lambda tx: orders.list_orders(tx, PageRequest(0, token)))


def test_a_cancel_is_sent_once_and_a_final_order_refuses_it(store: Store) -> None:
    stocked(store, TEA=10)
    order = place(store, order_draft(("TEA", 1)))
    for _ in range(2):
        after = store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))[0]
        assert after.state is OrderState.CANCEL_REQUESTED
    cancels = [event for event in down_events(store) if event.WhichOneof("fact") == "cancel_requested"]
    assert [event.cancel_requested.order_id for event in cancels] == [order.order_id]
    with pytest.raises(NotFound):
        store.write(lambda tx: orders.cancel_order(tx, SHOP, "O-GHOST"))


def test_nothing_personal_is_in_the_audit_trail_or_in_any_view(store: Store) -> None:
    stocked(store, TEA=10)
    order = place(store, order_draft(("TEA", 1)))
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    entries = store.read(audit.list_audit)
    for entry in entries:
        json.loads(entry.detail)
        assert "Secret" not in repr(entry)
        assert "Segredo" not in repr(entry)
    assert "Segredo" not in repr(store.read(lambda tx: orders.get_order(tx, order.order_id)))
