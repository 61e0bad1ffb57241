"""What nodes are told to expect: deliveries, transfers and returns; told once, and again to who has lost it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bodega.codec import parse_hub_event
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.v1 import floor_pb2 as pb
from bodega.v1 import journal_pb2
from bodega_controlplane.app.fleet import restating
from bodega_controlplane.app.goods import catalogue, expecting
from bodega_controlplane.app.goods import transfers as goods_between
from bodega_controlplane.store import nodes as node_rows
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.schema import floor as floor_tables
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import OPERATOR, NodeByHand, deliver, rows_of, settle, sku
from support.moved_order import LISBON, PORTO, SKU, Hand, news, place, two_nodes, works_of

FACTS = frozenset({"advance_notice", "transfer_ordered", "return_expected"})


def line(sku_id: str = SKU, units: int = 5, **about: str) -> pb.NoticeLine:
    return pb.NoticeLine(sku_id=sku_id, quantity=units, **about)


def notice(*lines: pb.NoticeLine, notice_id: str = "D-1") -> pb.AdvanceNotice:
    return pb.AdvanceNotice(notice_id=notice_id, supplier="Acme", lines=lines or [line()])


def put(store: Store, said: pb.AdvanceNotice, node_id: str = LISBON) -> expecting.NoticeView:
    return store.write(lambda tx: expecting.put_notice(tx, OPERATOR, node_id, said))[0]


def told(store: Store, node_id: str = LISBON) -> list[journal_pb2.HubEvent]:
    """What a node was told to expect, since its stream began."""
    (epoch,) = {row.down_epoch for row in rows_of(store, schema.node) if row.node_id == node_id}
    rows = [row for row in rows_of(store, schema.down_log) if (row.node_id, row.epoch) == (node_id, epoch)]
    events = [parse_hub_event(row.body) for row in rows]
    return [event for event in events if event.WhichOneof("fact") in FACTS]


def shipped(store: Store, node: NodeByHand, units: int = 3) -> str:
    """An order that has left the node."""
    order = place(store, units)
    Hand(node, works_of(store, order.order_id)[0], order.order_id, units).ship()
    deliver(store, *news(store, node))
    return order.order_id


def expect(store: Store, order_id: str, *lines: pb.NoticeLine, node_id: str = "") -> pb.ReturnExpected:
    return store.write(lambda tx: expecting.expect_return(tx, OPERATOR, order_id, node_id, lines))[0][1]


def begin_anew(store: Store, node_id: str = LISBON) -> None:
    def work(tx: Transaction) -> None:
        tx.lock_nodes([node_id])
        row = node_rows.by_id(tx, node_id)
        assert row is not None
        restating.begin_anew(tx, OPERATOR, row, "a test")

    store.write(work)


def test_a_notice_is_told_once_and_again_only_where_it_has_changed(store: Store) -> None:
    settle(store, SKU)
    put(store, notice())
    assert put(store, notice()).notice.version == 1
    assert put(store, notice(line(units=7))).notice.version == 2
    assert [event.advance_notice.version for event in told(store)] == [1, 2]
    assert told(store)[-1].advance_notice.lines[0].quantity == 7


def test_a_withdrawn_notice_does_not_come_and_may_come_after_all(store: Store) -> None:
    settle(store, SKU)
    put(store, notice())
    for _ in range(2):
        store.write(lambda tx: expecting.withdraw_notice(tx, OPERATOR, LISBON, "D-1"))
    put(store, notice())
    said = [(event.advance_notice.version, event.advance_notice.withdrawn) for event in told(store)]
    assert said == [(1, False), (2, True), (3, False)]
    with pytest.raises(NotFound):
        store.write(lambda tx: expecting.withdraw_notice(tx, OPERATOR, LISBON, "D-9"))


def test_every_fault_of_a_notice_is_named_and_nothing_is_told(store: Store) -> None:
    settle(store, SKU)
    wrong = notice(
        line("GHOST"), line(units=0), line(lot="L 7", expiry="31.01.2027", sscc="123456789012345678")
    )
    wrong.supplier = ""
    with pytest.raises(InvalidInput) as invalid:
        put(store, wrong)
    assert [fault.where for fault in invalid.value.faults] == [
        "notice.supplier",
        "notice.lines[0].sku_id",
        "notice.lines[1].quantity",
        "notice.lines[2].lot",
        "notice.lines[2].expiry",
        "notice.lines[2].sscc",
    ]
    assert told(store) == []
    with pytest.raises(NotFound):
        put(store, notice(), node_id="moon")


def test_a_notice_tells_what_has_come_for_it(store: Store) -> None:
    settle(store, SKU)
    put(store, notice())
    node = NodeByHand()
    came = pb.ReceiptAdvanced.Line(sku_id=SKU, expected=5, received=4, damaged=1)
    receipt = pb.ReceiptAdvanced(receipt_id="RC-1", notice_id="D-1", state="closed", lines=[came])
    node.record(receipt_advanced=receipt)
    deliver(store, node.delivery())
    (view,) = store.read(lambda tx: expecting.list_notices(tx, node_id=LISBON))
    assert view.receipts == (receipt,)
    assert store.read(lambda tx: expecting.list_notices(tx, node_id="porto-01")) == ()


def test_goods_that_the_node_has_no_name_for_yet_are_told_before_the_notice(store: Store) -> None:
    settle(store, SKU)
    # The node has so much to apply that the catalogue waits beside its stream.
    crowd = [sku(f"SKU-{number:04}") for number in range(600)]
    store.write(lambda tx: catalogue.upsert_skus(tx, OPERATOR, [*crowd, sku("ZEBRA")]))
    assert rows_of(store, schema.down_waiting)
    put(store, notice(line("ZEBRA")))
    bodies = [parse_hub_event(row.body) for row in rows_of(store, schema.down_log)][-2:]
    assert (bodies[0].sku.sku_id, bodies[1].advance_notice.notice_id) == ("ZEBRA", "D-1")


def test_both_ends_are_told_of_a_transfer_and_it_is_known_before_anything_moves(store: Store) -> None:
    settle(store, SKU, node_ids=(LISBON, PORTO))
    ordered = store.write(lambda tx: expecting.order_transfer(tx, OPERATOR, LISBON, PORTO, [line()]))[0]
    for node_id in (LISBON, PORTO):
        (event,) = told(store, node_id)
        assert event.transfer_ordered == ordered
    (view,) = store.read(lambda tx: goods_between.list_transfers(tx, open_only=True))
    assert (view.transfer_id, view.in_transit) == (ordered.transfer_id, 0)
    node = NodeByHand()
    node.shelve(SKU, 10)
    node.move("transfer_out", SKU, 5, source="A-01-01", transfer_id=ordered.transfer_id)
    deliver(store, node.delivery())
    (view,) = store.read(lambda tx: goods_between.list_transfers(tx, open_only=True))
    assert (view.state, view.in_transit) == ("open", 5)


def test_a_transfer_needs_two_nodes_and_leaves_the_lots_to_who_sends(store: Store) -> None:
    settle(store, SKU)
    with pytest.raises(InvalidInput) as invalid:
        store.write(lambda tx: expecting.order_transfer(tx, OPERATOR, LISBON, LISBON, [line(lot="L-7")]))
    assert [fault.where for fault in invalid.value.faults] == ["to_node_id", "lines[0]"]


def test_a_return_is_all_that_was_sent_and_goes_to_who_sent_it_unless_somebody_says_else(
    store: Store,
) -> None:
    lisbon, _ = two_nodes(store)
    order_id = shipped(store, lisbon)
    expected = expect(store, order_id, line(units=1), node_id=PORTO)
    assert told(store, PORTO)[0].return_expected == expected
    rest = expect(store, order_id)
    assert [(one.sku_id, one.quantity) for one in rest.lines] == [(SKU, 2)]
    assert told(store, LISBON)[0].return_expected == rest
    with pytest.raises(Refused) as refused:
        expect(store, order_id)
    assert refused.value.code == "nothing-to-return"


def test_no_more_comes_back_than_was_sent(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order_id = shipped(store, lisbon)
    with pytest.raises(InvalidInput) as invalid:
        expect(store, order_id, line(units=2), line(units=2))
    assert [fault.where for fault in invalid.value.faults] == ["lines[1].quantity"]


def test_two_who_agree_at_once_at_two_nodes_agree_to_no_more_than_was_sent(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order_id = shipped(store, lisbon)

    def agree(node_id: str) -> int:
        try:
            return sum(one.quantity for one in expect(store, order_id, node_id=node_id).lines)
        except Refused:
            return 0

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(agree, [LISBON, PORTO] * 4)) == 3


def test_what_came_of_a_return_counts_and_not_what_was_expected(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order_id = shipped(store, lisbon)
    expected = expect(store, order_id)
    graded = pb.ReturnAdvanced.Line(sku_id=SKU, quantity=1, grade="new", disposition="sellable")
    lisbon.record(
        return_advanced=pb.ReturnAdvanced(
            return_id=expected.return_id, order_id=order_id, state="closed", lines=[graded]
        )
    )
    deliver(store, *news(store, lisbon))
    assert [one.quantity for one in expect(store, order_id).lines] == [2]
    states = sorted(row.state for row in rows_of(store, floor_tables.customer_return))
    assert states == ["closed", "expected"]


def test_nothing_comes_back_of_an_order_that_has_not_left(store: Store) -> None:
    two_nodes(store)
    order = place(store)
    with pytest.raises(Refused, match="confirmed"):
        expect(store, order.order_id)
    with pytest.raises(NotFound):
        expect(store, "O-9")


def test_a_node_whose_stream_begins_anew_hears_again_of_what_it_still_waits_for_and_of_nothing_else(
    store: Store,
) -> None:
    lisbon, _ = two_nodes(store)
    order_id = shipped(store, lisbon)
    put(store, notice())
    put(store, notice(notice_id="D-2"))
    put(store, notice(notice_id="D-3"))
    store.write(lambda tx: expecting.withdraw_notice(tx, OPERATOR, LISBON, "D-2"))
    all_of_it = pb.ReceiptAdvanced.Line(sku_id=SKU, expected=5, received=5)
    lisbon.record(
        receipt_advanced=pb.ReceiptAdvanced(
            receipt_id="RC-3", notice_id="D-3", state="closed", lines=[all_of_it]
        )
    )
    ordered = [
        store.write(lambda tx: expecting.order_transfer(tx, OPERATOR, PORTO, LISBON, [line()]))[0]
        for _ in range(2)
    ]
    lisbon.record(transfer_advanced=pb.TransferAdvanced(transfer_id=ordered[0].transfer_id, state="received"))
    closed, waited_for = (expect(store, order_id, line(units=1)) for _ in range(2))
    lisbon.record(
        return_advanced=pb.ReturnAdvanced(return_id=closed.return_id, order_id=order_id, state="closed")
    )
    deliver(store, *news(store, lisbon))
    begin_anew(store)
    said = told(store)
    assert [event.advance_notice.notice_id for event in said if event.HasField("advance_notice")] == ["D-1"]
    assert [event.transfer_ordered for event in said if event.HasField("transfer_ordered")] == [ordered[1]]
    assert [event.return_expected for event in said if event.HasField("return_expected")] == [waited_for]


def test_a_notice_of_which_only_some_has_come_is_said_again(store: Store) -> None:
    settle(store, SKU)
    put(store, notice())
    node = NodeByHand()
    some = pb.ReceiptAdvanced.Line(sku_id=SKU, expected=5, received=4)
    closed = pb.ReceiptAdvanced(receipt_id="RC-1", notice_id="D-1", state="closed", lines=[some])
    node.record(receipt_advanced=closed)
    deliver(store, node.delivery())
    begin_anew(store)
    assert [event.advance_notice.notice_id for event in told(store)] == ["D-1"]
