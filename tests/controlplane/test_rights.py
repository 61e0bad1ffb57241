"""Rights at the hub: given in two phases, counted as nobody's on the way, never promised twice; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bodega.core.rights import NodeRights
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.v1 import journal_pb2, stock_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.goods import rights, stock
from bodega_controlplane.app.goods.rights_views import RightsDraft
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import AvailabilityView, PageRequest
from bodega_controlplane.store import rights as rows
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, POLICY, SHOP, NodeByHand, deliver, order_draft, rows_of, settle

NODE = "lisbon-01"


def stocked(store: Store, units: int = 12, *skus: str) -> NodeByHand:
    """A node with so many units of TEA (and of other SKUs) on its shelf, and one without anything."""
    settle(store, "TEA", *skus, node_ids=(NODE, "porto-01"))
    node = NodeByHand()
    for sku_id in ("TEA", *skus):
        node.shelve(sku_id, units)
    deliver(store, node.delivery())
    return node


def ask(quantity: int, node_id: str = NODE, sku_id: str = "TEA", request_id: str = "q-1") -> RightsDraft:
    """A request to move rights."""
    return RightsDraft(request_id, node_id, sku_id, quantity)


def grant(store: Store, quantity: int, **about: str) -> str:
    """Give rights; the transfer's id."""
    draft = ask(quantity, **about)
    return store.write(lambda tx: rights.grant(tx, OPERATOR, draft, POLICY))[0].transfer_id


def recall(store: Store, quantity: int) -> str:
    """Ask for rights; the transfer's id."""
    return store.write(lambda tx: rights.recall(tx, OPERATOR, ask(quantity)))[0].transfer_id


def known(store: Store, sku_id: str = "TEA") -> NodeRights:
    """What the hub knows of the node's rights."""
    return store.read(lambda tx: rows.of(tx, NODE, sku_id))


def available(store: Store) -> AvailabilityView:
    """What may be promised of TEA at the node."""
    return store.read(lambda tx: stock.list_availability(tx, ["TEA"], POLICY))[0]


def sent(store: Store) -> list[journal_pb2.HubEvent]:
    """What the node has been told, of rights only."""
    envelope = store.read(lambda tx: outbox.envelope_from(tx, NODE, 1, 1))
    assert envelope is not None
    events = [journal_pb2.HubEvent.FromString(body) for body in envelope.events]
    return [one for one in events if str(one.WhichOneof("fact")).startswith("rights")]


def take(node: NodeByHand, transfer_id: str, quantity: int, held: int, sku_id: str = "TEA") -> None:
    """The node has taken rights."""
    said = stock_pb2.RightsTaken(transfer_id=transfer_id, sku_id=sku_id, quantity=quantity, held=held)
    node.record(rights_taken=said)


def give_back(node: NodeByHand, transfer_id: str, quantity: int, held: int) -> None:
    """The node has given rights up."""
    said = stock_pb2.RightsReturned(
        transfer_id=transfer_id, sku_id="TEA", quantity=quantity, held=held, reason="asked"
    )
    node.record(rights_returned=said)


def test_granted_rights_leave_the_hubs_availability_at_once_and_are_on_their_way(store: Store) -> None:
    stocked(store, 12)
    transfer_id = grant(store, 4)
    standing = available(store)
    assert (standing.sellable, standing.node_rights, standing.safety_stock, standing.available) == (
        12,
        4,
        2,
        6,
    )
    assert known(store) == NodeRights(held=0, in_flight=4)
    granted = sent(store)[-1].rights_granted
    assert (granted.transfer_id, granted.sku_id, granted.quantity) == (transfer_id, "TEA", 4)
    entry = store.read(lambda tx: audit.list_audit(tx, subject=NODE))[0]
    assert (entry.action, entry.actor) == ("rights.granted", "operator")
    assert transfer_id in entry.detail


def test_what_the_node_takes_is_its_own_and_available_stays_as_it_was(store: Store) -> None:
    node = stocked(store, 12)
    before = len(node.journal)
    take(node, grant(store, 4), 4, held=4)
    assert available(store).available == 6
    deliver(store, node.delivery(before))
    assert known(store) == NodeRights(held=4)
    assert available(store).available == 6
    (transfer,) = rows_of(store, schema.rights_transfer)
    assert (transfer.state, transfer.settled) == ("settled", 4)


def test_the_same_envelope_again_takes_nothing_twice(store: Store) -> None:
    node = stocked(store, 12)
    before = len(node.journal)
    take(node, grant(store, 4), 4, held=4)
    for _ in range(3):
        deliver(store, node.delivery(before), node.delivery())
    assert known(store) == NodeRights(held=4)


def test_a_local_sale_lowers_shelf_and_rights_in_one_commit_so_available_never_flickers(store: Store) -> None:
    node = stocked(store, 12)
    take(node, grant(store, 4), 4, held=4)
    node.move("post", "TEA", 3, source="A-01-01", reservation_id="PU-1")
    said = stock_pb2.ReservationChanged(
        reservation_id="PU-1", sku_id="TEA", quantity=4, posted=3, voided=1, state="posted", event="post"
    )
    node.record(reservation_changed=said)
    # Event by event, as an envelope may be cut anywhere.
    for seq in range(3, len(node.journal) + 1):
        deliver(store, node.delivery(seq - 1, seq))
        assert available(store).available == 6
    assert (available(store).sellable, known(store)) == (9, NodeRights(held=1))
    (promise,) = rows_of(store, schema.node_reservation)
    assert (promise.reservation_id, promise.posted, promise.voided, promise.state) == ("PU-1", 3, 1, "posted")


def test_recalled_rights_are_the_nodes_until_it_has_answered(store: Store) -> None:
    node = stocked(store, 12)
    take(node, grant(store, 5), 5, held=5)
    deliver(store, node.delivery())
    wanted = recall(store, 4)
    assert sent(store)[-1].rights_wanted.quantity == 4
    assert known(store) == NodeRights(held=5, wanted=4)
    assert available(store).available == 5
    give_back(node, wanted, 3, held=2)
    deliver(store, node.delivery())
    assert known(store) == NodeRights(held=2)
    assert available(store).available == 8


def test_an_answer_of_nothing_ends_the_request(store: Store) -> None:
    node = stocked(store, 12)
    take(node, grant(store, 2), 2, held=2)
    deliver(store, node.delivery())
    give_back(node, recall(store, 2), 0, held=2)
    deliver(store, node.delivery())
    assert known(store) == NodeRights(held=2)


def test_the_hub_gives_only_what_it_may_promise_itself(store: Store) -> None:
    stocked(store, 12)
    store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 5)), POLICY))
    before = store.read(outbox.heads)
    with pytest.raises(Refused) as refused:
        grant(store, 6)
    assert refused.value.code == "insufficient-rights"
    assert "6 asked, 5 may be given (12 sellable, 5 reserved, 0 held by the node, 2 safety stock)" in str(
        refused.value.faults[0]
    )
    assert store.read(outbox.heads) == before
    assert known(store) == NodeRights()
    grant(store, 5)
    with pytest.raises(Refused):
        store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 1)), POLICY))


def test_more_than_the_node_has_can_not_be_recalled_nor_the_same_units_twice(store: Store) -> None:
    stocked(store, 12)
    grant(store, 3)
    recall(store, 2)
    with pytest.raises(Refused, match=r"2 asked, 1 can be \(0 held, 3 in flight, 2 asked for already\)"):
        recall(store, 2)


def test_every_bad_field_is_named_and_unknown_nodes_and_skus_are_not_found(store: Store) -> None:
    stocked(store, 12)
    with pytest.raises(InvalidInput) as invalid:
        grant(store, 0, request_id="", node_id="no node", sku_id="")
    assert [fault.where for fault in invalid.value.faults] == ["request_id", "node_id", "sku_id", "quantity"]
    with pytest.raises(NotFound, match="no node 'nowhere'"):
        grant(store, 1, node_id="nowhere")
    with pytest.raises(NotFound, match="no SKU 'GHOST'"):
        grant(store, 1, sku_id="GHOST")


def test_the_nodes_word_on_what_it_holds_stands_and_a_difference_is_kept_in_the_trail(store: Store) -> None:
    node = stocked(store, 12)
    take(node, "R-UNKNOWN", 2, held=7)
    deliver(store, node.delivery())
    assert known(store) == NodeRights(held=7)
    entry = store.read(lambda tx: audit.list_audit(tx, subject=NODE))[0]
    assert (entry.action, '"expected":2' in entry.detail) == ("rights.taken", True)


def test_rights_are_listed_by_sku_and_node_with_what_is_promised_of_them(store: Store) -> None:
    node = stocked(store, 12, "SALT")
    take(node, grant(store, 4), 4, held=4)
    grant(store, 1, sku_id="SALT")
    said = stock_pb2.ReservationChanged(
        reservation_id="PU-1", sku_id="TEA", quantity=3, posted=1, state="pending", event="reserve"
    )
    node.record(reservation_changed=said)
    deliver(store, node.delivery())
    first = store.read(lambda tx: rights.list_rights(tx, PageRequest(1)))
    rest = store.read(lambda tx: rights.list_rights(tx, PageRequest(9, first.next_page_token)))
    shown = [(one.sku_id, one.held, one.promised, one.in_flight) for one in (*first.rows, *rest.rows)]
    assert shown == [("SALT", 0, 0, 1), ("TEA", 4, 2, 0)]
    assert rest.next_page_token == ""
    assert store.read(lambda tx: rights.list_rights(tx, PageRequest(), node_id="porto-01")).rows == ()
    assert len(store.read(lambda tx: rights.list_rights(tx, PageRequest(), sku_id="TEA")).rows) == 1


def test_the_last_units_asked_for_by_orders_and_grants_at_once_go_to_exactly_one(store: Store) -> None:
    stocked(store, POLICY.safety_stock + 3)

    def order(number: int) -> str:
        draft = order_draft(("TEA", 3), reference=f"R-{number}")
        return _refusal(lambda: store.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY)))

    def give(number: int) -> str:
        return _refusal(lambda: grant(store, 3, request_id=f"q-{number}"))

    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda n: order(n) if n % 2 else give(n), range(16)))
    assert answers.count("") == 1
    assert set(answers) <= {"", "insufficient-stock", "insufficient-rights"}
    standing = available(store)
    assert (standing.reserved + standing.node_rights, standing.available) == (3, 0)


def _refusal(work: Callable[[], object]) -> str:
    """The code of its refusal, or empty if it was done."""
    try:
        work()
    except Refused as refused:
        return refused.code
    return ""
