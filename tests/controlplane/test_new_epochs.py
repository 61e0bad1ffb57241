"""Who may begin a new epoch, and what the hub gives to whom: a clone must not talk itself into being the node."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest

from bodega.core.ledger import Account
from bodega.core.sync import Head, Verdict
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.limits import (
    ANCESTOR_PROOFS_MAX,
    OTHER_AGENT_SILENT_S,
    READMISSION_S,
    SNAPSHOT_RANGE_BYTES_MAX,
)
from bodega.v1 import journal_pb2, nodesync_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.fleet import epochs, heartbeat, outbox
from bodega_controlplane.app.fleet.epochs import Begun, EpochRequest
from bodega_controlplane.app.fleet.heartbeat import Heartbeat
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import HealthView
from bodega_controlplane.store import divergence, nodes, schema
from bodega_controlplane.store import epochs as rows
from bodega_controlplane.store.engine import Store
from support.controlplane import (
    OPERATOR,
    POLICY,
    SHOP,
    NodeByHand,
    deliver,
    order_draft,
    rows_of,
    settle,
    work_of,
)

NODE = "lisbon-01"
NOW_MS = 1_800_000_000_000
SILENT_MS = int(OTHER_AGENT_SILENT_S * 1000)
HEALTH = HealthView("1.0", 0, 0, 1, (), "", 0, ledger_ok=True)


def _speak(store: Store, nonce: str, at_ms: int, **said: object) -> heartbeat.Answer:
    beat = replace(Heartbeat(NODE, 1, nonce, 1_000, Head(), HEALTH), **said)
    return store.write(lambda tx: heartbeat.beat(tx, at_ms, beat))[0]


def _begin(store: Store, nonce: str = "new", at_ms: int = NOW_MS, **asked: object) -> Begun:
    request = replace(EpochRequest(NODE, nonce, 1, (1, b"h"), (0, b""), "restored"), **asked)
    return store.write(lambda tx: epochs.begin(tx, at_ms, request))[0]


def _part(store: Store, begun: Begun, offset: int) -> bytes:
    return store.read(lambda tx: epochs.snapshot_part(tx, NODE, begun.snapshot_id, offset))


def _actions(store: Store) -> list[str]:
    return [entry.action for entry in store.read(lambda tx: audit.list_audit(tx, subject=NODE))]


@pytest.fixture
def node(store: Store) -> NodeByHand:
    """A node that has received and shelved 10 TEA; the hub has it all."""
    settle(store, "TEA")
    by_hand = NodeByHand()
    by_hand.shelve("TEA", 10)
    deliver(store, by_hand.delivery())
    return by_hand


def _proof(node: NodeByHand, seq: int) -> tuple[int, bytes]:
    return seq, node.at(seq).hash


def test_a_restored_node_whose_others_are_silent_begins_by_itself(store: Store, node: NodeByHand) -> None:
    _speak(store, "old", NOW_MS)
    begun = _begin(store, at_ms=NOW_MS + SILENT_MS, ancestor=_proof(node, 1))
    assert (begun.epoch, begun.basis, begun.down_epoch) == (2, node.at(2), 2)
    assert _actions(store)[:2] == ["node.epoch_begun", "node.stream_begun_anew"]


def test_who_spoke_before_the_hubs_clock_was_set_back_keeps_nobody_out(
    store: Store, node: NodeByHand
) -> None:
    _speak(store, "old", NOW_MS + 365 * 24 * 3600 * 1000)
    assert _begin(store, at_ms=NOW_MS, ancestor=_proof(node, 1)).epoch == 2


def test_while_another_agent_is_alive_nobody_else_begins_not_even_with_approval(
    store: Store, node: NodeByHand
) -> None:
    _speak(store, "winner", NOW_MS)
    store.write(lambda tx: epochs.readmit(tx, replace(OPERATOR, now_ms=NOW_MS), NODE, "new disk"))
    with pytest.raises(Refused) as refused:
        _begin(store, "clone", NOW_MS + SILENT_MS - 1, ancestor=_proof(node, 2))
    assert refused.value.code == "other-agent-alive"
    assert _begin(store, "clone", NOW_MS + SILENT_MS, ancestor=_proof(node, 2)).epoch == 2


def test_an_agent_that_says_it_has_stopped_is_not_in_the_way(store: Store, node: NodeByHand) -> None:
    _speak(store, "stopped", NOW_MS, stopped="a copy of this node is running")
    assert _begin(store, "other", NOW_MS + 1, ancestor=_proof(node, 1)).epoch == 2


@pytest.mark.parametrize("reason", ["wiped", "forked"])
def test_a_wiped_or_forked_node_needs_a_person(store: Store, node: NodeByHand, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        _begin(store, reason=reason, ancestor=_proof(node, 2))
    assert refused.value.code == "not-declared"
    assert "bodegactl nodes readmit lisbon-01" in refused.value.hint
    ends = store.write(lambda tx: epochs.readmit(tx, replace(OPERATOR, now_ms=NOW_MS), NODE, "new disk"))[0]
    assert ends == NOW_MS + READMISSION_S * 1000
    with pytest.raises(Refused):
        _begin(store, reason=reason, at_ms=ends)
    assert _begin(store, reason=reason, at_ms=ends - 1).epoch == 2


def test_a_backup_that_proves_nothing_is_no_declaration(store: Store, node: NodeByHand) -> None:
    for ancestor in ((0, b""), (1, b"other".ljust(32)), (9, node.head().hash)):
        with pytest.raises(Refused) as refused:
            _begin(store, ancestor=ancestor)
        assert refused.value.code == "not-declared"


def test_the_same_start_gets_the_same_answer_until_the_epoch_is_written(
    store: Store, node: NodeByHand
) -> None:
    first = _begin(store, ancestor=_proof(node, 1))
    assert _begin(store, at_ms=NOW_MS + 5, ancestor=_proof(node, 1)) == first
    second = _begin(store, "newer", ancestor=_proof(node, 1))
    assert (second.epoch, second.snapshot_id != first.snapshot_id) == (3, True)


def test_counts_of_a_line_that_has_ended_hold_up_no_difference(store: Store, node: NodeByHand) -> None:
    count = journal_pb2.TaskOpened(task_id="count-1", kind="count", bin_id="A-01-01", divergence_id="DIV-1")
    node.record(task_opened=count)
    deliver(store, node.delivery(2))
    assert store.read(divergence.counts_open) == {"DIV-1": 1}
    node.epoch = _begin(store, ancestor=_proof(node, 3)).epoch
    node.record(
        epoch_begun=journal_pb2.EpochBegun(epoch=2, previous_epoch=1, previous_seq=3, reason="restored")
    )
    deliver(store, node.delivery(3))
    assert store.read(divergence.counts_open) == {}


def test_the_epoch_shuts_the_old_writer_out_and_the_chain_goes_on(store: Store, node: NodeByHand) -> None:
    begun = _begin(store, ancestor=_proof(node, 2))
    before = node.delivery(0, 2)
    node.shelve("TEA", 1)
    (refused,) = deliver(store, node.delivery(2))
    assert refused.verdict is Verdict.REFUSE
    fenced = _speak(store, "old", NOW_MS, head_seq=4)
    assert (fenced.needs_new_epoch, "epoch 2 was begun" in fenced.fenced) == (True, True)

    node.epoch = begun.epoch
    del node.journal[2:]
    node.record(
        epoch_begun=journal_pb2.EpochBegun(epoch=2, previous_epoch=1, previous_seq=2, reason="restored")
    )
    (applied,) = deliver(store, node.delivery(2))
    assert (applied.verdict, applied.head) == (Verdict.APPLY, node.head())
    assert "node.rejoined" in _actions(store)
    (again,) = deliver(store, before)
    assert again.verdict is Verdict.ALREADY_HAVE, "what we have of the old epoch is only a repeat"
    assert rows_of(store, schema.node_snapshot) == rows_of(store, schema.readmission) == []


def test_the_snapshot_comes_in_ranges_and_is_the_node_as_the_hub_knows_it(
    store: Store, node: NodeByHand
) -> None:
    order = store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 3)), POLICY))[0]
    work_id = work_of(store, order.order_id)
    node.move("pick", "TEA", 2, source="A-01-01", target=f"STAGE-{work_id}", fulfillment_order_id=work_id)
    deliver(store, node.delivery(2))
    begun = _begin(store, ancestor=_proof(node, 2))

    body, part = b"", b"x"
    while part:
        part = _part(store, begun, len(body))
        assert len(part) <= SNAPSHOT_RANGE_BYTES_MAX
        body += part
    assert len(body) == begun.snapshot_bytes
    snapshot = nodesync_pb2.NodeSnapshot.FromString(zlib.decompress(body))
    assert (snapshot.basis.seq, snapshot.basis.hash) == (3, node.head().hash)
    held = store.read(lambda tx: rows.balances(tx, NODE))
    assert held == {account: quantity for account, quantity in node.balances.items() if quantity}
    assert held[Account("TEA", external="supplier")] == -10
    assert len(snapshot.ledger.balances) == len(held)
    (work,) = snapshot.work
    assert [(line.quantity, line.shipped) for line in work.order.lines] == [(3, 2)]
    assert list(snapshot.cmd_ids) == ["cmd-3"], "what the node has itself it knows"
    with pytest.raises(NotFound):
        store.read(lambda tx: epochs.snapshot_part(tx, "porto-01", begun.snapshot_id, 0))


def test_the_hubs_stream_begins_anew_with_all_that_is_under_way(store: Store, node: NodeByHand) -> None:
    order = store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 3)), POLICY))[0]
    store.write(lambda tx: orders.cancel_order(tx, OPERATOR, order.order_id))
    begun = _begin(store, ancestor=_proof(node, 2))
    envelope = store.read(lambda tx: outbox.envelope_from(tx, NODE, begun.down_epoch, 1))
    assert envelope is not None
    facts = [journal_pb2.HubEvent.FromString(body).WhichOneof("fact") for body in envelope.events]
    assert facts == ["node_profile", "sku", "fulfillment_order", "cancel_requested", "stream_restated"]


def test_the_common_ancestor_is_the_highest_event_that_both_have(store: Store, node: NodeByHand) -> None:
    proofs = [_proof(node, 1), _proof(node, 2), (3, b"mine".ljust(32))]
    head, same = store.read(lambda tx: epochs.find_ancestor(tx, NODE, proofs))
    assert (head, same) == (node.at(2), 2)
    assert store.read(lambda tx: epochs.find_ancestor(tx, NODE, []))[1] == 0
    too_many = [_proof(node, 1)] * (ANCESTOR_PROOFS_MAX + 1)
    with pytest.raises(InvalidInput, match="too many proofs"):
        store.read(lambda tx: epochs.find_ancestor(tx, NODE, too_many))


def test_two_agents_that_speak_in_turn_are_a_clone_and_a_restart_is_none(
    store: Store, node: NodeByHand
) -> None:
    for number, nonce in enumerate(("one", "one", "two", "two")):
        _speak(store, nonce, NOW_MS + number * 5_000)
    assert rows_of(store, schema.conflict) == [], "a start anew silences the one before"
    for number, nonce in enumerate(("one", "two", "one", "two")):
        _speak(store, nonce, NOW_MS + 60_000 + number * 5_000)
    (row,) = rows_of(store, schema.conflict)
    assert (row.kind, row.rule, row.state) == ("cloned_node", "cloned_node@1", "open")
    assert all(nonce in row.knew for nonce in ("one", "two"))
    assert _actions(store).count("node.cloned") == 1


def test_agents_are_forgotten_the_oldest_first(store: Store, node: NodeByHand) -> None:
    for number in range(20):
        _speak(store, f"start-{number:02}", NOW_MS + number * 60_000)
    kept = [row.boot_nonce for row in store.read(lambda tx: rows.agents(tx, NODE))]
    assert kept == [f"start-{number:02}" for number in range(19, 3, -1)]
    assert store.read(lambda tx: nodes.by_id(tx, NODE)) is not None
