"""Bad input is refused with a reason, counted, kept within bounds, and stalls nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nats
import pytest
from structlog.testing import capture_logs

from bodega.codec import envelope_to_bytes, parse_node_event, without_zero_characters
from bodega.core.sync import Head, Verdict
from bodega.limits import (
    ENVELOPE_EVENTS_MAX,
    FOREIGN_FENCE_MS,
    REFUSED_ENVELOPES_KEPT_MAX,
    REFUSED_ENVELOPES_OF_NODE_KEPT_MAX,
)
from bodega.v1 import decisions_pb2, fleet_pb2, journal_pb2, sync_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.applying import journal
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.fleet.heartbeat import Heartbeat, beat
from bodega_controlplane.app.views import HealthView
from bodega_controlplane.store import refused, schema
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.journal import parked_counts
from support.controlplane import NodeByHand, deliver, rows_of, settle
from support.joined import hub_at
from support.nats import NatsServer
from support.waiting import until_async

NODE = "lisbon-01"
WELL = HealthView("1", 0, 0, 0, (), "", 0, ledger_ok=True, disk_rung="roomy", ledger_problem="")
# A generation that no database has room for.
POISON = fleet_pb2.StateReported(generation=2**64 - 1)


def refusals(store: Store) -> list[tuple[str, int]]:
    return [(row.reason, row.times) for row in rows_of(store, schema.refused_envelope)]


def actions(store: Store) -> list[str]:
    return [row.action for row in store.read(audit.list_audit)]


def counted(store: Store, node_id: str = NODE) -> int:
    return next(row.refused for row in rows_of(store, schema.node) if row.node_id == node_id)


def test_the_same_again_is_counted_and_told_once(store: Store) -> None:
    settle(store, "TEA")
    for _ in range(5):
        deliver(store, NodeByHand().delivery_of(b"\xff"))
    ((reason, times),) = refusals(store)
    assert "not a Envelope" in reason
    assert (times, counted(store), actions(store).count("node.refused")) == (5, 5, 1)


def test_of_one_node_and_of_all_only_the_newest_are_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_controlplane.app.applying.refused.REFUSED_ENVELOPES_OF_NODE_KEPT_MAX", 3)
    monkeypatch.setattr("bodega_controlplane.app.applying.refused.REFUSED_ENVELOPES_KEPT_MAX", 5)
    assert REFUSED_ENVELOPES_OF_NODE_KEPT_MAX < REFUSED_ENVELOPES_KEPT_MAX
    settle(store, "TEA", node_ids=(NODE, "porto-01"))
    for epoch in range(2, 7):
        node = NodeByHand(NODE, epoch=epoch)
        node.shelve("TEA", 1)
        deliver(store, node.delivery())
    kept = [row.subject for row in rows_of(store, schema.refused_envelope)]
    assert kept == [f"up.{NODE}.{epoch}" for epoch in (4, 5, 6)]
    for epoch in range(2, 5):
        node = NodeByHand("porto-01", epoch=epoch)
        node.shelve("TEA", 1)
        deliver(store, node.delivery())
    newest = store.read(lambda tx: [row.subject for row in refused.newest(tx, "", 10)])
    assert newest == [f"up.porto-01.{e}" for e in (4, 3, 2)] + [f"up.{NODE}.{e}" for e in (6, 5)]
    assert store.read(lambda tx: len(refused.newest(tx, NODE, 10))) == 2


def test_an_envelope_with_too_many_events_is_refused_with_a_reason_and_a_replayed_one_changes_nothing(
    store: Store,
) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    for _ in range(ENVELOPE_EVENTS_MAX + 1):
        node.record(task_opened=journal_pb2.TaskOpened(task_id="T"))
    whole = node.envelope(upto=ENVELOPE_EVENTS_MAX)
    oversized = replace(whole, events=tuple(one.body for one in node.journal), last_hash=node.head().hash)
    answers = deliver(
        store,
        node.delivery_of(envelope_to_bytes(oversized)),
        node.delivery(upto=ENVELOPE_EVENTS_MAX),
        node.delivery(upto=ENVELOPE_EVENTS_MAX),
    )
    assert [one.verdict for one in answers] == [Verdict.REFUSE, Verdict.APPLY, Verdict.ALREADY_HAVE]
    assert f"more than {ENVELOPE_EVENTS_MAX}" in refusals(store)[0][0]


def test_a_node_whose_credentials_spoke_for_another_is_fenced_for_a_while_and_operators_see_it(
    store: Store,
) -> None:
    settle(store, "TEA", node_ids=(NODE, "porto-01"))
    node = NodeByHand()
    node.shelve("TEA", 1)
    foreign = replace(node.envelope(), node_id="porto-01")
    (answer,) = deliver(store, node.delivery_of(envelope_to_bytes(foreign)), now_ms=1_000_000)
    assert answer.verdict is Verdict.REFUSE
    assert "node.spoke_for_another" in actions(store)

    def fenced(node_id: str, now_ms: int) -> str:
        said = Heartbeat(node_id, 1, "n", 0, Head(), WELL)
        return store.write(lambda tx: beat(tx, now_ms, said))[0].fenced

    assert "has spoken for another node" in fenced(NODE, 1_000_000 + FOREIGN_FENCE_MS - 1)
    assert fenced("porto-01", 1_000_001) == ""
    assert fenced(NODE, 1_000_000 + FOREIGN_FENCE_MS) == ""
    assert fenced(NODE, 1) == ""  # the clock was set back: nobody is fenced for what is yet to come


def test_zero_characters_stall_no_node_on_any_database(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.record(task_opened=journal_pb2.TaskOpened(task_id="T\0-1", kind="count", bin_id="\0"))
    odd = journal_pb2.NodeEvent(cmd_id="zero \0").SerializeToString()
    node.record_bytes(odd)
    node.shelve("TEA", 3)
    (answer,) = deliver(store, node.delivery())
    assert (answer.verdict, answer.head) == (Verdict.APPLY, node.head())
    assert [row.task_id for row in rows_of(store, schema.task)] == ["T\N{REPLACEMENT CHARACTER}-1"]
    assert [row.body for row in rows_of(store, schema.journal)][1] == odd


def test_zero_characters_are_replaced_wherever_they_hide() -> None:
    event = journal_pb2.NodeEvent(
        cmd_id="a\0b",
        state_reported=fleet_pb2.StateReported(settings={"k\0": "v\0", "plain": "x"}, faults=["f\0", "g"]),
    )
    clean = without_zero_characters(parse_node_event(event.SerializeToString()))
    assert "\0" not in str(clean)
    assert "\\000" not in str(clean)
    assert (clean.cmd_id, clean.state_reported.faults[1]) == ("a\ufffdb", "g")
    assert dict(clean.state_reported.settings) == {"k\ufffd": "v\ufffd", "plain": "x"}
    scores = journal_pb2.NodeEvent(vision_decision=decisions_pb2.VisionDecision(scores={"tea\0": 0.0}))
    assert dict(without_zero_characters(scores).vision_decision.scores) == {"tea\ufffd": 0.0}


def test_an_event_that_the_database_chokes_on_is_parked_and_those_around_it_count(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.record(task_opened=journal_pb2.TaskOpened(task_id="before"))
    poison = node.record(state_reported=POISON)
    node.record(task_opened=journal_pb2.TaskOpened(task_id="after"))
    answer, _ = store.write(lambda tx: journal.apply_with_care(tx, 1, node.delivery()))
    assert (answer.verdict, answer.head) == (Verdict.APPLY, node.head())
    assert [row.task_id for row in rows_of(store, schema.task)] == ["after", "before"]
    (parked,) = rows_of(store, schema.parked_event)
    assert (parked.seq, "chokes" in parked.reason) == (poison, True)
    assert [row.seq for row in rows_of(store, schema.journal)] == [1, 2, 3]


def test_care_refuses_and_skips_as_without_it(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 1)
    good, bad = node.delivery(), node.delivery_of(b"\xff")
    verdicts = [
        store.write(lambda tx, one=one: journal.apply_with_care(tx, 1, one))[0].verdict
        for one in (bad, good, good, replace(good, node_id="ghost"))
    ]
    assert verdicts == [Verdict.REFUSE, Verdict.APPLY, Verdict.ALREADY_HAVE, Verdict.REFUSE]
    assert len(refusals(store)) == 2


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_a_poison_message_stalls_neither_its_own_node_nor_another(
    kind: str, nats_server: NatsServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = "sqlite" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    poison, other = NodeByHand(NODE), NodeByHand("porto-01")
    poison.record(state_reported=POISON)
    poison.record(task_opened=journal_pb2.TaskOpened(task_id="T"))
    other.shelve("TEA", 4)
    async with hub_at(nats_server, tmp_path, database=database, node_ids=(NODE, "porto-01")) as hub:
        client = await nats.connect(nats_server.url)
        for node in (poison, other):
            await client.jetstream().publish(f"up.{node.node_id}.1", envelope_to_bytes(node.envelope()))

        async def applied() -> bool:
            return [view.applied_seq for view in await hub.read(nodes.list_nodes)] == [2, 2]

        with capture_logs():
            await until_async(applied, what="both journals are applied")
        await client.close()
        assert await hub.read(parked_counts) == {NODE: 1}


async def test_questions_that_are_none_are_kept_with_their_reason_and_answered_by_nobody(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    too_long = sync_pb2.HeartbeatRequest(node_id=NODE, epoch=1, head_seq=2**64 - 1).SerializeToString()
    beyond = sync_pb2.WantRequest(node_id=NODE, epoch=1, from_seq=2**64 - 1).SerializeToString()
    async with hub_at(nats_server, tmp_path) as hub:
        client = await nats.connect(nats_server.url)
        for subject, body in (("hb", b"\xff\xff"), ("hb", too_long), ("events", beyond), ("tel", b"\xff")):
            await client.publish(f"{subject}.{NODE}", body, reply=client.new_inbox())

        async def kept() -> bool:
            return len(await hub.read(lambda tx: refused.newest(tx, NODE, 10))) == 4

        await until_async(kept)
        rows = await hub.read(lambda tx: refused.newest(tx, NODE, 10))
        good = sync_pb2.HeartbeatRequest(node_id=NODE, epoch=1).SerializeToString()
        assert (await client.request(f"hb.{NODE}", good, timeout=30)).data
        await client.close()
    assert all(row.reason.startswith("it is malformed: ") for row in rows)
    assert {row.body for row in rows} == {b"\xff\xff", too_long, beyond, b"\xff"}


async def test_a_heartbeat_in_anothers_name_is_fenced_kept_and_counted(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with hub_at(nats_server, tmp_path, node_ids=(NODE, "porto-01")) as hub:
        client = await nats.connect(nats_server.url)
        foreign = sync_pb2.HeartbeatRequest(node_id="porto-01", epoch=1)
        for _ in range(3):
            reply = await client.request(f"hb.{NODE}", foreign.SerializeToString(), timeout=30)
            answer = sync_pb2.HeartbeatResponse.FromString(reply.data)
            assert answer.fenced == f"it speaks for 'porto-01' with the credentials of {NODE}"
        await client.close()
        (kept,) = await hub.read(lambda tx: refused.newest(tx, NODE, 10))
    assert (kept.subject, kept.times, kept.body) == (f"hb.{NODE}", 3, foreign.SerializeToString())
