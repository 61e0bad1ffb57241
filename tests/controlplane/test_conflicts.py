"""Conflicts as people meet them: found once, listed in pages, told as sentences, decided by somebody, on the record."""

from __future__ import annotations

import pytest

from bodega.codec import conflict_to_wire
from bodega.core.conflicts.cancel_races_ship import cancel_races_ship, cancel_won
from bodega.core.conflicts.row import Conflict
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.v1 import journal_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.deciding import conflicts
from bodega_controlplane.app.fleet import epochs
from bodega_controlplane.app.ordering import decisions, orders
from bodega_controlplane.app.views import PageRequest
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, SHOP, NodeByHand, deliver, rows_of
from support.moved_order import LISBON, PORTO, Hand, later, news, place, two_nodes, works_of


def late_cancel(node: NodeByHand, number: int) -> Conflict:
    return cancel_races_ship(
        node_id=node.node_id,
        order_id=f"O-{number}",
        cancel_event=f"hub/1/{number}",
        ship_event=f"{node.node_id}/1/{number}",
        seen_seq_at_ship=1,
        cancel_seq=number,
    )


def tell(store: Store, node: NodeByHand, conflict: Conflict, at_ms: int = 0) -> None:
    node.record(conflict_found=journal_pb2.ConflictFound(conflict=conflict_to_wire(conflict)))
    deliver(store, *news(store, node), now_ms=SHOP.now_ms + at_ms)


def test_a_late_cancel_told_twice_by_its_node_is_one_row_and_one_line_of_the_trail(store: Store) -> None:
    """An agent says both `CancelCameTooLate` and `ConflictFound`; one of two versions ago says only the first."""
    lisbon, _ = two_nodes(store)
    order = place(store, 3)
    hand = Hand(lisbon, works_of(store, order.order_id)[0], order.order_id)
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order.order_id))
    lisbon.seen_seq = 3
    ship_seq = hand.ship()
    lisbon.record(
        cancel_came_too_late=journal_pb2.CancelCameTooLate(
            fulfillment_order_id=hand.work_id, order_id=order.order_id, cancel_seq=4, ship_seq=ship_seq
        )
    )
    row = cancel_races_ship(
        node_id=LISBON,
        order_id=order.order_id,
        cancel_event="hub/1/4",
        ship_event=f"{LISBON}/1/{ship_seq}",
        seen_seq_at_ship=3,
        cancel_seq=4,
    )
    tell(store, lisbon, row)
    (found,) = rows_of(store, schema.conflict)
    assert (found.conflict_id, found.knew, found.state) == (row.conflict_id, row.knew, "open")
    actions = [entry.action for entry in store.read(audit.list_audit)]
    assert actions.count("conflict.opened") == 1
    story = store.read(lambda tx: conflicts.tell(tx, row.conflict_id))
    assert [one.sentence for one in story.inputs] == [
        f"storefront asks to cancel order {order.order_id}",
        f"{hand.work_id} of order {order.order_id} is shipped in parcel {'1' * 18}",
    ]
    assert [one.who for one in story.inputs] == ["hub", f"associate, {LISBON}"]
    assert "the cancel wins" in story.rule_sentence


def test_events_that_met_over_epochs_are_named_by_those_that_they_were_written_in(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store, 3)
    hand = Hand(lisbon, works_of(store, order.order_id)[0], order.order_id)
    ship_seq = hand.ship()
    deliver(store, *news(store, lisbon))
    head = (lisbon.head().seq, lisbon.head().hash)
    asked = epochs.EpochRequest(LISBON, "new", 1, head, head, "restored")
    begun, _ = store.write(lambda tx: epochs.begin(tx, SHOP.now_ms, asked))
    assert (begun.epoch, begun.down_epoch) == (2, 2)
    lisbon.epoch = begun.epoch
    lisbon.record(epoch_begun=journal_pb2.EpochBegun(epoch=2, previous_epoch=1, reason="restored"))
    lisbon.record(
        cancel_came_too_late=journal_pb2.CancelCameTooLate(
            fulfillment_order_id=hand.work_id,
            order_id=order.order_id,
            cancel_seq=4,
            ship_seq=ship_seq,
            down_epoch=1,
        )
    )
    deliver(store, *news(store, lisbon))
    (found,) = store.read(lambda tx: conflicts.list_conflicts(tx, PageRequest())).rows
    assert found.inputs == ("hub/1/4", f"{LISBON}/1/{ship_seq}")


def test_a_cancel_that_won_over_work_under_way_needs_nobody(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    row = cancel_won(
        node_id=LISBON,
        order_id="O-1",
        cancel_event="hub/1/4",
        work_event=f"{LISBON}/1/3",
        state="packed",
        picked=3,
        sscc="1" * 18,
    )
    tell(store, lisbon, row)
    (found,) = store.read(lambda tx: conflicts.list_conflicts(tx, PageRequest())).rows
    assert (found.state, found.needs) == ("settled", "")
    assert found.effects == ("cancelled:O-1", f"unpacked:{'1' * 18}", "put_back:3")
    with pytest.raises(Refused) as caught:
        store.write(lambda tx: conflicts.resolve(tx, OPERATOR, row.conflict_id, "nothing to do"))
    assert caught.value.code == "illegal-transition"


def test_conflicts_are_listed_newest_first_page_by_page_and_filtered(store: Store) -> None:
    lisbon, porto = two_nodes(store)
    for number in range(1, 6):
        node = porto if number == 3 else lisbon
        # Two of them at the same moment: the id decides.
        tell(store, node, late_cancel(node, number), at_ms=number // 2)
    seen: list[str] = []
    token = ""
    while True:
        page = store.read(lambda tx, at=token: conflicts.list_conflicts(tx, PageRequest(2, at)))
        seen += [row.conflict_id for row in page.rows]
        token = page.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen)) == 5
    assert seen == [row.conflict_id for row in store.read(decisions.list_conflicts)]

    def ids(**asked: object) -> set[str]:
        found = store.read(lambda tx: conflicts.list_conflicts(tx, PageRequest(), **asked))  # type: ignore[arg-type]  # the test's choice
        return {row.order_id for row in found.rows}

    assert ids(node_id=PORTO) == {"O-3"}
    assert ids(kind="physical_shortfall") == set()
    decided = late_cancel(lisbon, 1).conflict_id
    store.write(lambda tx: conflicts.resolve(tx, OPERATOR, decided, "the carrier sent it back"))
    assert ids(only_open=True, kind="cancel_races_ship") == {"O-2", "O-3", "O-4", "O-5"}
    with pytest.raises(InvalidInput) as caught:
        ids(kind="nonsense")
    assert "cancel_races_ship" in str(caught.value.faults[0])


def test_a_decision_is_kept_with_who_and_when_and_edits_nothing_that_was_found(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    row = late_cancel(lisbon, 1)
    tell(store, lisbon, row)
    caller = later(OPERATOR, 9)
    decided = store.write(lambda tx: conflicts.resolve(tx, caller, row.conflict_id, "came back as a return"))[
        0
    ]
    assert (decided.state, decided.decided_by, decided.decision, decided.decided_at_ms) == (
        "resolved",
        "operator",
        "came back as a return",
        OPERATOR.now_ms + 9,
    )
    assert (decided.effect, decided.knew, decided.inputs) == (row.effect, row.knew, row.inputs)
    tell(store, lisbon, row)
    assert store.read(lambda tx: conflicts.get_conflict(tx, row.conflict_id)).state == "resolved"
    assert [
        entry.subject for entry in store.read(audit.list_audit) if entry.action == "conflict.resolved"
    ] == ["O-1"]


def test_what_the_hub_does_not_hold_is_told_as_missing(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    row = late_cancel(lisbon, 77)
    tell(store, lisbon, row)
    story = store.read(lambda tx: conflicts.tell(tx, row.conflict_id))
    assert {one.fact for one in story.inputs} == {"missing"}
    with pytest.raises(NotFound):
        store.read(lambda tx: conflicts.tell(tx, "none"))
    with pytest.raises(InvalidInput):
        store.write(lambda tx: conflicts.resolve(tx, OPERATOR, row.conflict_id, " "))
