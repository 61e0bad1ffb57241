"""A node with a hub of another version: an older one is served, one that is too old is told so, news are parked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bodega.core.protocol import PROTOCOL, skew_fault
from bodega.limits import HEARTBEAT_S
from bodega.v1 import journal_pb2, stock_pb2, sync_pb2
from bodega_agent.services import syncing
from bodega_agent.store import inbound, parked
from bodega_agent.store.reader import Reader
from bodega_agent.store.standing import own_rights
from bodega_agent.store.store import Store
from support.node_under_test import HubPen, opened_store
from support.synced_node import A_MOMENT_S, SyncedNode, bodies
from support.tree import ROOT

OLDER = json.loads((ROOT / "tests/data/wire/protocol_1.json").read_text(encoding="utf-8"))
UNKNOWN = b"\xfa\x3f\x03abc"  # field 1023, which no version that we know has


@pytest.fixture
async def node() -> AsyncIterator[SyncedNode]:
    """Not started: looptime runs in the test and not in its fixtures."""
    node = SyncedNode()
    yield node
    await node.stop()


@pytest.mark.looptime
@pytest.mark.parametrize("name", ["heartbeat_response", "older_heartbeat_response"])
async def test_an_older_hub_is_served(node: SyncedNode, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = sync_pb2.HeartbeatResponse.FromString(bytes.fromhex(OLDER[name]["hex"]))
    answer.ClearField("up")  # signed by a key of its own
    answer.down_head_seq = 0
    monkeypatch.setattr(node.book, "answer_heartbeat", lambda _request: answer)
    node.commit_at_once()
    node.journal.append(*bodies(3))
    await node.start()
    await asyncio.sleep(2 * HEARTBEAT_S)
    assert (node.sync.status().fenced, node.sync.status().acked_seq) == ("", 3)


@pytest.mark.looptime
async def test_a_hub_that_is_too_old_is_told_so_until_it_is_upgraded(
    node: SyncedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "skew_fault", partial(skew_fault, ours=9))
    node.broker.book = node.book
    await node.start()
    await asyncio.sleep(A_MOMENT_S)
    assert "the oldest that is served is 7: upgrade it" in node.sync.status().fenced
    monkeypatch.setattr(syncing, "skew_fault", partial(skew_fault, ours=2))
    await asyncio.sleep(2 * HEARTBEAT_S)
    assert node.sync.status().fenced == ""


@pytest.mark.looptime
async def test_a_node_states_its_version(node: SyncedNode) -> None:
    node.broker.book = node.book
    await node.start()
    assert node.book.heartbeats[0].protocol == PROTOCOL


def granted(number: int, quantity: int) -> stock_pb2.RightsGranted:
    return stock_pb2.RightsGranted(transfer_id=f"R-{number}", sku_id="TEA", quantity=quantity)


def forget(monkeypatch: pytest.MonkeyPatch, *facts: str) -> None:
    """Be a version that does not know these facts yet."""
    fact_of = inbound.fact_of
    monkeypatch.setattr(
        inbound, "fact_of", lambda event: "unknown" if fact_of(event) in facts else fact_of(event)
    )


async def facts(store: Store) -> list[str]:
    events = await store.read(lambda reader: reader.events(0, 100))
    return [journal_pb2.NodeEvent.FromString(one.body).WhichOneof("fact") or "" for one in events]


async def kept(store: Store) -> list[tuple[int, str]]:
    rows = await store.write(lambda tx: parked.following(tx, (0, 0), 100))
    return [(row.seq, row.reason) for row in rows]


async def test_what_an_older_version_parked_is_applied_after_the_upgrade_in_order_and_once(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store, pytest.MonkeyPatch.context() as older:
        forget(older, "rights_granted", "rights_wanted")
        hub = HubPen(store)
        await hub.write(rights_granted=granted(1, 5))
        await hub.write_bytes(UNKNOWN)
        await hub.write(rights_wanted=stock_pb2.RightsWanted(transfer_id="R-2", sku_id="TEA", quantity=2))
        assert [seq for seq, _ in await kept(store)] == [1, 2, 3]
        assert (await store.read(Reader.counts))["hub_events_parked"] == 3
    for _ in range(2):
        with opened_store(tmp_path) as store:
            await store.apply_parked()
            held = await store.write(lambda tx: own_rights(tx, "TEA").held)
            assert held == 3
            assert await facts(store) == [
                "rights_taken",
                "parked_event_applied",
                "rights_returned",
                "parked_event_applied",
            ]
            assert await kept(store) == [(2, "this version does not know it")]


async def test_what_could_not_be_applied_is_tried_again_and_stays_with_its_reason(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store, pytest.MonkeyPatch.context() as broken:
        hub = HubPen(store)
        await hub.write(rights_granted=granted(1, 0))

        def refuse(*_args: object) -> None:
            raise inbound.BodegaError("a bug of that version")

        broken.setattr(inbound.rights, "take", refuse)
        await hub.write(rights_granted=granted(2, 4))
        assert [reason for _, reason in await kept(store)][1] == "a bug of that version"
    with opened_store(tmp_path) as store:
        await store.apply_parked()
        assert await store.write(lambda tx: own_rights(tx, "TEA").held) == 4
        assert [seq for seq, _ in await kept(store)] == [1]


async def test_more_parked_events_than_one_transaction_takes_are_all_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "PARKED_EVENTS_PER_COMMIT_MAX", 2)
    with opened_store(tmp_path) as store, pytest.MonkeyPatch.context() as older:
        forget(older, "rights_granted")
        hub = HubPen(store)
        for number in range(5):
            await hub.write(rights_granted=granted(number, 1))
    with opened_store(tmp_path) as store:
        await store.apply_parked()
        assert await store.write(lambda tx: own_rights(tx, "TEA").held) == 5
        assert await kept(store) == []
