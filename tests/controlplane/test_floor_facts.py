"""What nodes say of their floors is known at the hub: the newest word of each thing, and every exception by itself."""

from __future__ import annotations

import json

import pytest

from bodega.codec import fulfillment_state_to_wire
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.v1 import floor_pb2 as pb
from bodega.v1 import journal_pb2, orders_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.schema import floor as floor_tables
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

F = FulfillmentState


def said(store: Store, **fact: object) -> NodeByHand:
    """A node of a settled network says one thing."""
    settle(store, "TEA", "MATE")
    node = NodeByHand()
    node.record(**fact)
    deliver(store, node.delivery())
    return node


def says_too(store: Store, node: NodeByHand, **fact: object) -> None:
    """It says something more."""
    node.record(**fact)
    deliver(store, node.delivery(len(node.journal) - 1))


def test_a_delivery_is_open_until_the_node_has_closed_it_with_what_came(store: Store) -> None:
    opened = pb.ReceiptAdvanced(receipt_id="RC-1", notice_id="N-1", state="open")
    node = said(store, receipt_advanced=opened)
    line = pb.ReceiptAdvanced.Line(sku_id="TEA", expected=10, received=9, damaged=1)
    closed = pb.ReceiptAdvanced(receipt_id="RC-1", notice_id="N-1", state="closed", lines=[line])
    says_too(store, node, receipt_advanced=closed)
    (row,) = rows_of(store, floor_tables.receipt)
    assert (row.node_id, row.notice_id, row.state) == ("lisbon-01", "N-1", "closed")
    assert json.loads(row.lines) == [{"sku_id": "TEA", "expected": 10, "received": 9, "damaged": 1}]


def test_two_words_of_one_thing_in_one_envelope_leave_the_last_one(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    for state in ("waits_for_recount", "posted"):
        node.record(count_advanced=pb.CountAdvanced(count_id="C-1", bin_id="A-01-01", state=state))
    deliver(store, node.delivery())
    assert [row.state for row in rows_of(store, floor_tables.floor_count)] == ["posted"]


def test_every_exception_is_kept_with_who_and_why(store: Store) -> None:
    noted = pb.ExceptionNoted(kind="short_pick", reason="damaged", sku_id="TEA", quantity=2)
    node = said(store, exception_noted=noted)
    says_too(store, node, exception_noted=noted)
    rows = rows_of(store, floor_tables.floor_exception)
    assert [(row.seq, row.kind, row.reason, row.quantity, row.actor) for row in rows] == [
        (1, "short_pick", "damaged", 2, "associate"),
        (2, "short_pick", "damaged", 2, "associate"),
    ]


def test_a_shift_names_a_person_by_id_and_ends(store: Store) -> None:
    node = said(store, shift_advanced=pb.ShiftAdvanced(associate_id="ana", state="signed_in", by="pin"))
    assert [(row.associate_id, row.state) for row in rows_of(store, floor_tables.shift)] == [
        ("ana", "signed_in")
    ]
    away = pb.ShiftAdvanced(associate_id="ana", state="signed_out", by="other_device")
    says_too(store, node, shift_advanced=away)
    (row,) = rows_of(store, floor_tables.shift)
    assert (row.state, row.signed_by) == ("signed_out", "other_device")


def test_a_parcel_has_weight_and_tracking_number_until_it_is_voided(store: Store) -> None:
    closed = pb.ParcelAdvanced(sscc="1" * 18, state="closed", weight_g=410, tracking_number="RA473124829PT")
    node = said(store, parcel_advanced=closed)
    voided = pb.ParcelAdvanced(sscc="1" * 18, state="voided", reason="wrong_carton")
    says_too(store, node, parcel_advanced=voided)
    (row,) = rows_of(store, floor_tables.parcel)
    assert (row.state, row.reason, row.tracking_number) == ("voided", "wrong_carton", "")


def test_a_manifest_lists_its_parcels_in_the_order_of_handover(store: Store) -> None:
    parcels = ["3" * 18, "1" * 18]
    said(
        store,
        manifest_advanced=pb.ManifestAdvanced(
            manifest_id="M-1", carrier="northpost", ship_date="2026-11-22", state="closed", parcels=parcels
        ),
    )
    (row,) = rows_of(store, floor_tables.manifest)
    assert (row.carrier, row.ship_date, json.loads(row.parcels)) == ("northpost", "2026-11-22", parcels)


def test_a_pickup_says_where_it_waits(store: Store) -> None:
    said(
        store,
        pickup_advanced=pb.PickupAdvanced(fulfillment_order_id="F-1", state="staged", bin_id="LOCKER-3"),
    )
    (row,) = rows_of(store, floor_tables.pickup)
    assert (row.fulfillment_order_id, row.state, row.bin_id) == ("F-1", "staged", "LOCKER-3")


def test_a_return_keeps_the_human_grade_beside_the_cameras_and_its_refund_is_in_the_audit(
    store: Store,
) -> None:
    line = pb.ReturnAdvanced.Line(
        sku_id="TEA", quantity=1, grade="used", camera="review", disposition="scrap", serials=["S-1"]
    )
    node = said(
        store,
        return_advanced=pb.ReturnAdvanced(return_id="RT-1", order_id="O-1", state="closed", lines=[line]),
    )
    says_too(store, node, refund_due=pb.RefundDue(return_id="RT-1", order_id="O-1", lines=[line]))
    (back,) = rows_of(store, floor_tables.customer_return)
    (due,) = rows_of(store, floor_tables.refund)
    (kept,) = json.loads(back.lines)
    assert (kept["grade"], kept["camera"], kept["serials"]) == ("used", "review", ["S-1"])
    assert (due.return_id, due.order_id) == ("RT-1", "O-1")
    entries = store.read(lambda tx: audit.list_audit(tx, subject="O-1"))
    assert [entry.action for entry in entries] == ["refund.due"]


def test_each_end_of_a_transfer_says_how_far_it_is(store: Store) -> None:
    settle(store, "TEA", node_ids=("lisbon-01", "porto-01"))
    for node_id, state in (("lisbon-01", "shipped"), ("porto-01", "receiving")):
        node = NodeByHand(node_id)
        node.record(transfer_advanced=pb.TransferAdvanced(transfer_id="T-1", state=state))
        deliver(store, node.delivery())
    assert [(row.node_id, row.state) for row in rows_of(store, floor_tables.transfer_progress)] == [
        ("lisbon-01", "shipped"),
        ("porto-01", "receiving"),
    ]


def test_a_line_that_another_sku_serves_gives_its_own_promise_back_for_as_many_units(store: Store) -> None:
    settle(store, "TEA", "MATE")
    node = NodeByHand()
    node.shelve("TEA", 10)
    deliver(store, node.delivery())
    order = store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 5)), POLICY))[0]
    work = work_of(store, order.order_id)
    instead = pb.LineSubstituted(
        fulfillment_order_id=work, line=1, sku_id="TEA", substitute_sku_id="MATE", quantity=2
    )
    for _ in range(2):
        says_too(store, node, line_substituted=instead)
    (promise,) = promises(store)
    assert (promise.quantity, promise.posted, promise.voided) == (5, 0, 4)
    left = store.read(lambda tx: stock.list_availability(tx, ["TEA"], POLICY))
    assert [row.reserved for row in left] == [1]


@pytest.mark.parametrize("together", [True, False], ids=["one-envelope", "two-envelopes"])
def test_units_sent_instead_count_as_sent_for_the_line_that_asked(store: Store, together: bool) -> None:
    """The node ships them on a line of its own, which no customer has asked for."""
    settle(store, "TEA", "MATE")
    node = NodeByHand()
    node.shelve("TEA", 10)
    deliver(store, node.delivery())
    order = store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 5)), POLICY))[0]
    work, seen = work_of(store, order.order_id), len(node.journal)

    def advance(state: FulfillmentState, **line: int) -> None:
        asked = orders_pb2.OrderLine(line=1, sku_id="TEA", quantity=5, shipped=3, short=2)
        own = orders_pb2.OrderLine(line=2, sku_id="MATE", quantity=2, **line)
        node.record(
            fulfillment_advanced=journal_pb2.FulfillmentAdvanced(
                fulfillment_order_id=work,
                order_id=order.order_id,
                state=fulfillment_state_to_wire(state),
                lines=[asked, own],
                fencing_token=1,
            )
        )

    node.advance(work, order.order_id, F.PICKING)
    node.record(
        line_substituted=pb.LineSubstituted(
            fulfillment_order_id=work, line=1, sku_id="TEA", substitute_sku_id="MATE", quantity=2
        )
    )
    if not together:
        deliver(store, node.delivery(seen))
        seen = len(node.journal)
    for state in (F.PICKED, F.PACKED, F.LABELLED, F.SHIPPED):
        advance(state, shipped=2)
    deliver(store, node.delivery(seen))
    after = store.read(lambda tx: orders.get_order(tx, order.order_id))
    assert after.state is OrderState.SHIPPED
    assert [(one.sku_id, one.shipped, one.short) for one in after.lines] == [("TEA", 5, 0)]
