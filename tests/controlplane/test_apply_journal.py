"""A node's journal arrives: what becomes of stock, orders, promises and people's rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.codec import envelope_to_bytes
from bodega.core.ledger import CARRIER, Account
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.parts import PartState
from bodega.core.sync import Head, Verdict
from bodega.v1 import decisions_pb2, fleet_pb2, journal_pb2, stock_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.ordering import decisions, orders
from bodega_controlplane.app.views import OrderView, PageRequest
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import (
    POLICY,
    SHOP,
    NodeByHand,
    deliver,
    order_draft,
    promises,
    rows_of,
    settle,
    work_of,
)
from support.moved_order import look_after

F = FulfillmentState


def begun(store: Store, *lines: tuple[str, int], held: int = 20) -> tuple[NodeByHand, OrderView, str]:
    """A node with stock of each SKU, and an order that it has."""
    skus = sorted({sku_id for sku_id, _ in lines})
    settle(store, *skus)
    node = NodeByHand()
    for sku_id in skus:
        node.shelve(sku_id, held)
    deliver(store, node.delivery())
    order = store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(*lines), POLICY))[0]
    return node, order, work_of(store, order.order_id)


def send(store: Store, node: NodeByHand, after: int) -> None:
    (applied,) = deliver(store, node.delivery(after))
    assert (applied.verdict, applied.reason) == (Verdict.APPLY, "")


def order_now(store: Store, order: OrderView) -> OrderView:
    return store.read(lambda tx: orders.get_order(tx, order.order_id))


def pick(node: NodeByHand, work: str, sku_id: str, quantity: int) -> None:
    node.move(
        "pick",
        sku_id,
        quantity,
        source="A-01-01",
        target=f"STAGE-{work}",
        fulfillment_order_id=work,
    )


def ship(node: NodeByHand, work: str, sku_id: str, quantity: int, sscc: str) -> None:
    parcel = f"PARCEL-{sscc}"
    node.move("pack", sku_id, quantity, source=f"STAGE-{work}", target=parcel, sscc=sscc)
    node.move("ship", sku_id, quantity, source=parcel, sscc=sscc)


def test_the_replica_holds_what_the_node_holds_external_accounts_too(store: Store) -> None:
    node, _, work = begun(store, ("TEA", 3))
    sent = len(node.journal)
    pick(node, work, "TEA", 3)
    ship(node, work, "TEA", 3, "0" * 18)
    send(store, node, sent)
    replica = {
        Account(row.sku_id, row.bin, row.disposition, row.lot, row.owner, row.external): row.quantity
        for row in rows_of(store, schema.stock)
    }
    assert replica == {account: held for account, held in node.balances.items() if held}
    assert replica[Account("TEA", external=CARRIER)] == 3


def test_an_order_goes_all_the_way_and_its_promise_becomes_fact(store: Store) -> None:
    node, order, work = begun(store, ("TEA", 3))
    sent = len(node.journal)
    node.advance(work, order.order_id, F.PICKING)
    pick(node, work, "TEA", 2)
    send(store, node, sent)
    (row,) = store.read(lambda tx: stock.list_availability(tx, ["TEA"], POLICY))
    assert (row.sellable, row.reserved) == (18, 1)
    assert order_now(store, order).state is OrderState.IN_FULFILLMENT
    sent = len(node.journal)
    pick(node, work, "TEA", 1)
    for state in (F.PICKED, F.PACKED, F.LABELLED):
        node.advance(work, order.order_id, state, (1, 0, 0), sscc="1" * 18)
    ship(node, work, "TEA", 3, "1" * 18)
    node.advance(work, order.order_id, F.SHIPPED, (1, 3, 0), sscc="1" * 18)
    send(store, node, sent)
    after = order_now(store, order)
    assert (after.state, after.parcels) == (OrderState.SHIPPED, ("1" * 18,))
    assert [(line.shipped, line.short) for line in after.lines] == [(3, 0)]
    (promise,) = promises(store)
    assert (promise.posted, promise.voided, promise.state) == (3, 0, "posted")
    actions = [entry.action for entry in store.read(lambda tx: audit.list_audit(tx, subject=order.order_id))]
    states = ("shipped", "labelled", "packed", "picked", "picking")
    assert actions == [*(f"fulfillment.{state}" for state in states), "order.placed"]


def test_a_short_line_gives_the_rest_of_its_promise_back_and_the_order_ends_if_nobody_else_has_it(
    store: Store,
) -> None:
    node, order, work = begun(store, ("TEA", 3), ("SALT", 1))
    sent = len(node.journal)
    node.advance(work, order.order_id, F.PICKING)
    pick(node, work, "TEA", 1)
    pick(node, work, "SALT", 1)
    for state in (F.PICKED, F.PACKED, F.LABELLED):
        node.advance(work, order.order_id, state, (1, 0, 2), sscc="1" * 18)
    node.advance(work, order.order_id, F.SHIPPED, (1, 1, 2), (2, 1, 0), sscc="1" * 18)
    send(store, node, sent)
    after = order_now(store, order)
    assert after.state is OrderState.IN_FULFILLMENT
    assert [part.state for part in after.parts] == [PartState.SHIPPED, PartState.HANDED_BACK]
    look_after(store)
    after = order_now(store, order)
    assert after.state is OrderState.PARTIALLY_SHIPPED
    assert [part.state for part in after.parts] == [PartState.SHIPPED, PartState.UNFULFILLABLE]
    assert [(line.shipped, line.short) for line in after.lines] == [(1, 2), (1, 0)]
    settled = {row.sku_id: (row.posted, row.voided, row.state) for row in promises(store)}
    assert settled == {"TEA": (1, 2, "posted"), "SALT": (1, 0, "posted")}


@pytest.mark.parametrize(
    ("end", "order_state"), [(F.SHORT, OrderState.UNFULFILLABLE), (F.CANCELLED, OrderState.CANCELLED)]
)
def test_an_end_without_goods_gives_the_whole_promise_back(
    store: Store, end: FulfillmentState, order_state: OrderState
) -> None:
    node, order, work = begun(store, ("TEA", 3))
    sent = len(node.journal)
    node.advance(work, order.order_id, F.PICKING)
    node.advance(work, order.order_id, end, (1, 0, 3))
    send(store, node, sent)
    assert order_now(store, order).state is order_state
    (row,) = store.read(lambda tx: stock.list_availability(tx, ["TEA"], POLICY))
    assert row.reserved == 0
    assert promises(store)[0].state == "voided"


def test_picking_the_same_sku_for_two_lines_fills_one_after_the_other(store: Store) -> None:
    node, _, work = begun(store, ("TEA", 2), ("TEA", 2))
    sent = len(node.journal)
    pick(node, work, "TEA", 3)
    send(store, node, sent)
    assert [(row.line, row.posted, row.state) for row in promises(store)] == [
        (1, 2, "posted"),
        (2, 1, "pending"),
    ]


def test_an_order_never_goes_backwards_and_the_odd_event_is_kept(store: Store) -> None:
    node, order, work = begun(store, ("TEA", 1))
    sent = len(node.journal)
    node.advance(work, order.order_id, F.PICKING)
    node.advance(work, order.order_id, F.CANCELLED)
    odd = node.advance(work, order.order_id, F.PICKING)
    send(store, node, sent)
    assert order_now(store, order).state is OrderState.CANCELLED
    (parked,) = rows_of(store, schema.parked_event)
    assert (parked.seq, parked.reason) == (odd, "'cancelled' does not lead to 'picking'")


def test_work_of_another_node_or_of_an_old_assignment_changes_nothing(store: Store) -> None:
    _, order, work = begun(store, ("TEA", 1))
    settle(store, "TEA", node_ids=("lisbon-01", "porto-01"))
    stranger = NodeByHand("porto-01")
    stranger.advance(work, order.order_id, F.CANCELLED)
    deliver(store, stranger.delivery())
    assert order_now(store, order).state is OrderState.CONFIRMED
    assert "porto-01 has no fulfillment order" in rows_of(store, schema.parked_event)[0].reason


def test_a_cancel_that_came_too_late_is_a_conflict_row_and_the_order_stays_shipped(store: Store) -> None:
    node, order, work = begun(store, ("TEA", 1))
    sent = len(node.journal)
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    node.seen_seq = 3
    for state in (F.PICKING, F.PICKED, F.PACKED, F.LABELLED):
        node.advance(work, order.order_id, state, sscc="1" * 18)
    ship_seq = node.advance(work, order.order_id, F.SHIPPED, (1, 1, 0), sscc="1" * 18)
    node.record(
        cancel_came_too_late=journal_pb2.CancelCameTooLate(
            fulfillment_order_id=work, order_id=order.order_id, cancel_seq=4, ship_seq=ship_seq
        )
    )
    send(store, node, sent)
    assert order_now(store, order).state is OrderState.SHIPPED
    (conflict,) = store.read(decisions.list_conflicts)
    assert (conflict.rule, conflict.order_id) == ("cancel_races_ship@1", order.order_id)
    assert conflict.inputs == ("hub/1/4", f"lisbon-01/1/{ship_seq}")
    assert "up to 3 when it shipped" in conflict.knew


def test_labels_verdicts_discrepancies_tasks_and_reported_state_become_rows(store: Store) -> None:
    node, order, work = begun(store, ("TEA", 1))
    sent = len(node.journal)
    for state in ("queued", "sent", "confirmed"):
        node.record(
            label_advanced=journal_pb2.LabelAdvanced(print_job_id="P-1", sscc="1", state=state, copy=1)
        )
    verdict = decisions_pb2.VisionDecision(
        fulfillment_order_id=work, sku_id="TEA", outcome="pass", model="m@1", scores={"tea": 0.9}
    )
    node.record(vision_decision=verdict)
    node.record(discrepancy_opened=stock_pb2.DiscrepancyOpened(bin_id="A-01-01", sku_id="TEA", difference=-2))
    node.record(task_opened=journal_pb2.TaskOpened(task_id="T-1", kind="put_back", bin_id="STAGE-1"))
    node.record(state_reported=fleet_pb2.StateReported(generation=4, settings={"vision.mode": "off"}))
    send(store, node, sent)
    (label,) = rows_of(store, schema.label)
    assert (label.print_job_id, label.state, label.copy) == ("P-1", "confirmed", 1)
    (seen,) = store.read(lambda tx: decisions.list_vision_decisions(tx, order_id=order.order_id))
    assert (seen.outcome, seen.model, dict(seen.scores)) == ("pass", "m@1", {"tea": 0.9})
    assert rows_of(store, schema.discrepancy)[0].difference == -2
    assert rows_of(store, schema.task)[0].kind == "put_back"
    assert store.read(nodes.list_nodes)[0].reported_generation == 4


def test_facts_of_a_newer_node_are_kept_byte_for_byte_and_stall_nothing(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    newer = journal_pb2.NodeEvent(cmd_id="c").SerializeToString() + b"\xfa\x06\x03new"
    unknown = node.record_bytes(newer)
    unreadable = node.record_bytes(b"\xff\xff\xff\xff")
    node.shelve("TEA", 5)
    send(store, node, 0)
    journal = rows_of(store, schema.journal)
    assert (journal[0].fact, journal[0].body) == ("unknown", newer)
    assert (journal[1].fact, journal[1].body) == ("unreadable", b"\xff\xff\xff\xff")
    assert [row.seq for row in rows_of(store, schema.parked_event)] == [unknown, unreadable]
    (level,) = store.read(lambda tx: stock.list_stock(tx, PageRequest())).rows
    assert (level.bin, level.on_hand) == ("A-01-01", 5)


def test_a_movement_that_does_not_add_up_is_kept_without_an_effect(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    posting = stock_pb2.Posting(account=stock_pb2.Account(bin="A", sku_id="TEA"), quantity=5)
    node.record(movement=stock_pb2.Movement(command="receive", postings=[posting]))
    send(store, node, 0)
    assert rows_of(store, schema.stock) == []
    assert "does not sum to zero" in rows_of(store, schema.parked_event)[0].reason


def test_several_envelopes_of_one_node_in_one_transaction_build_on_each_other(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    for _ in range(3):
        node.shelve("TEA", 1)
    answers = deliver(store, node.delivery(0, 2), node.delivery(0, 4), node.delivery(2, 4), node.delivery(4))
    assert [answer.verdict for answer in answers] == [
        Verdict.APPLY,
        Verdict.APPLY,
        Verdict.ALREADY_HAVE,
        Verdict.APPLY,
    ]
    assert answers[-1].head == node.head()
    assert [row.seq for row in rows_of(store, schema.journal)] == [1, 2, 3, 4, 5, 6]


def test_what_breaks_the_stream_is_refused_and_kept_with_its_reason(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 1)
    good = node.delivery()
    broken = replace(node.envelope(), last_hash=bytes(32))
    foreign = replace(node.envelope(), node_id="porto-01")
    other_epoch = replace(node.envelope(), epoch=2)
    bad = [replace(good, body=envelope_to_bytes(one)) for one in (broken, foreign, other_epoch)]
    answers = deliver(store, *bad, replace(good, body=b"\xff"), replace(good, node_id="ghost"), good)
    assert [answer.verdict for answer in answers] == [Verdict.REFUSE] * 5 + [Verdict.APPLY]
    reasons = [row.reason for row in rows_of(store, schema.refused_envelope)]
    assert reasons[0] == "the events do not hash to last_hash"
    assert "speaks for 'porto-01'" in reasons[1]
    assert "epoch 2" in reasons[2]
    assert reasons[4] == "no node of this name is registered"


def test_after_a_gap_nothing_is_applied_and_the_head_stays(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 1)
    (answer,) = deliver(store, node.delivery(1))
    assert (answer.verdict, answer.head) == (Verdict.GAP, Head())
    assert rows_of(store, schema.journal) == []
