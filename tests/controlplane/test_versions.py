"""A hub with nodes of other versions: older ones are answered, too old ones told so, news parked until the upgrade."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import nats
import pytest

from bodega.core.protocol import PROTOCOL, skew_fault
from bodega.v1 import journal_pb2, stock_pb2, sync_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.applying.effects import EFFECTS
from bodega_controlplane.app.applying.parked import apply_parked
from bodega_controlplane.app.goods import rights
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import PageRequest
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.services import replies
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY, NodeByHand, deliver, rows_of, settle
from support.joined import hub_at
from support.nats import NatsServer
from support.tree import ROOT

NODE = "lisbon-01"
OLDER = json.loads((ROOT / "tests/data/wire/protocol_1.json").read_text(encoding="utf-8"))


async def asked(server: NatsServer, request: bytes) -> sync_pb2.HeartbeatResponse:
    client = await nats.connect(server.url)
    reply = await client.request(f"hb.{NODE}", request, timeout=30)
    await client.close()
    return sync_pb2.HeartbeatResponse.FromString(reply.data)


@pytest.mark.parametrize("name", ["heartbeat_request", "older_heartbeat_request"])
async def test_an_older_node_is_answered(name: str, nats_server: NatsServer, tmp_path: Path) -> None:
    request = bytes.fromhex(OLDER[name]["hex"])
    async with hub_at(nats_server, tmp_path):
        answer = await asked(nats_server, request)
    assert (answer.fenced, answer.down_epoch, answer.down_head_seq) == ("", 1, 1)
    assert answer.protocol == PROTOCOL


async def test_a_node_that_is_too_old_is_fenced_with_a_sentence(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "skew_fault", partial(skew_fault, ours=9))
    async with hub_at(nats_server, tmp_path):
        answer = await asked(nats_server, bytes.fromhex(OLDER["heartbeat_request"]["hex"]))
    assert answer.fenced == (
        "node lisbon-01 speaks version 1 of the protocol, and the oldest that is served is 7: upgrade it"
    )


def test_an_older_nodes_journal_is_applied(store: Store) -> None:
    settle(store, "TEA")
    body = bytes.fromhex(OLDER["envelope_up"]["hex"])
    (answer,) = deliver(store, NodeByHand().delivery_of(body))
    assert (answer.verdict, answer.events, rows_of(store, schema.parked_event)) == ("apply", 3, [])


def taken(number: int, held: int) -> stock_pb2.RightsTaken:
    return stock_pb2.RightsTaken(transfer_id=f"R-{number}", sku_id="TEA", quantity=1, held=held)


async def test_what_an_older_hub_parked_is_applied_after_the_upgrade_in_order_and_once(
    store: Store, tmp_path: Path
) -> None:
    settle(store, "TEA", node_ids=(NODE, "porto-01"))
    node = NodeByHand(NODE)
    with pytest.MonkeyPatch.context() as older:
        older.delitem(EFFECTS, "rights_taken")
        for number in range(1, 4):
            node.record(rights_taken=taken(number, number))
        node.record_bytes(journal_pb2.NodeEvent(cmd_id="c").SerializeToString() + b"\xfa\x3f\x03abc")
        node.shelve("TEA", 5)
        deliver(store, node.delivery())
    assert [row.seq for row in rows_of(store, schema.parked_event)] == [1, 2, 3, 4]
    hub = Hub(store, load_hub_key(tmp_path), POLICY)
    for _ in range(2):
        await apply_parked(hub)
        assert [row.seq for row in rows_of(store, schema.parked_event)] == [4]
        (held,) = store.read(lambda tx: rights.list_rights(tx, PageRequest())).rows
        assert held.held == 3
    actions = [row.action for row in store.read(audit.list_audit)]
    assert actions.count("node.parked_events_applied") == 1
    (row,) = [row for row in rows_of(store, schema.node) if row.node_id == NODE]
    assert (row.applied_seq, row.applied_hash) == (node.head().seq, node.head().hash)


async def test_what_was_judged_by_its_state_is_not_tried_against_another_one(
    store: Store, tmp_path: Path
) -> None:
    settle(store, "TEA")
    node = NodeByHand(NODE)
    with pytest.MonkeyPatch.context() as older:
        older.delitem(EFFECTS, "task_opened")
        node.record(task_opened=journal_pb2.TaskOpened(task_id="T"))
        judged = node.record(
            fulfillment_advanced=journal_pb2.FulfillmentAdvanced(fulfillment_order_id="F", state=2)
        )
        deliver(store, node.delivery())
    with pytest.MonkeyPatch.context() as newer:
        newer.setitem(EFFECTS, "fulfillment_advanced", lambda _replica, _arrived: "")
        await apply_parked(Hub(store, load_hub_key(tmp_path), POLICY))
    (left,) = rows_of(store, schema.parked_event)
    assert (left.seq, len(rows_of(store, schema.task))) == (judged, 1)


async def test_more_parked_events_than_one_transaction_takes_are_all_applied(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_controlplane.app.applying.parked.PARKED_EVENTS_PER_COMMIT_MAX", 2)
    settle(sqlite_store, "TEA")
    node = NodeByHand(NODE)
    with pytest.MonkeyPatch.context() as older:
        older.delitem(EFFECTS, "task_opened")
        for number in range(5):
            node.record(task_opened=journal_pb2.TaskOpened(task_id=f"T{number}"))
        deliver(sqlite_store, node.delivery())
    await apply_parked(Hub(sqlite_store, load_hub_key(tmp_path), POLICY))
    assert len(rows_of(sqlite_store, schema.task)) == 5
    assert rows_of(sqlite_store, schema.parked_event) == []
