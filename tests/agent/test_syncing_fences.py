"""Whom the node believes, and what makes it stop writing its stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bodega.core.sync import Head
from bodega.limits import (
    HEARTBEAT_S,
)
from bodega_agent.services.ports import StoredEnvelope
from support.hub_book import HubBook
from support.sync_journal import MemoryJournal
from support.synced_node import A_MOMENT_S, NODE, SyncedNode, bodies

pytestmark = pytest.mark.looptime


@pytest.fixture
async def node() -> AsyncIterator[SyncedNode]:
    """Not started: looptime runs in the test and not in its fixtures."""
    node = SyncedNode()
    yield node
    await node.stop()


async def test_an_ack_that_the_hub_did_not_sign_is_not_believed(node: SyncedNode) -> None:
    await node.start()
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    forged = HubBook(NODE).ack(node.journal.head_now())
    with capture_logs() as logs:
        for _ in range(3):
            node.say(forged)
            await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().acked_seq == 0
    assert node.journal.acks == []
    assert [line["event"] for line in logs] == ["ack_signature_bad"]


async def test_an_ack_for_another_node_is_not_believed(node: SyncedNode) -> None:
    await node.start()
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    other = HubBook("porto-01", key=node.book.key)
    node.say(other.ack(node.journal.head_now()))
    await asyncio.sleep(A_MOMENT_S)
    assert node.journal.acks == []


async def test_an_older_ack_takes_nothing_back(node: SyncedNode) -> None:
    await node.start()
    node.journal.append(*bodies(5))
    await asyncio.sleep(A_MOMENT_S)
    for seq in (5, 3):
        node.say(node.book.ack(Head(1, seq, (await node.journal.hash_at(seq)) or b"")))
        await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().acked_seq == 5
    assert [ack.seq for ack in node.journal.acks] == [5]


async def test_a_copy_of_the_node_is_fenced_by_what_the_broker_holds(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    copy = SyncedNode(node.broker, MemoryJournal.of(bodies(3)), node.book)
    await copy.run()
    node.journal.append(b"mine")
    await asyncio.sleep(A_MOMENT_S)
    with capture_logs() as logs:
        copy.journal.append(b"the copy's")
        await asyncio.sleep(HEARTBEAT_S)
    assert "copy of this node" in copy.sync.status().fenced
    assert node.sync.status().fenced == ""
    assert [line["event"] for line in logs].count("sync_fenced") == 1
    published = len(node.broker.published)
    copy.journal.append(b"more")
    await asyncio.sleep(HEARTBEAT_S)
    assert len(node.broker.published) == published
    await copy.stop()


async def test_a_fenced_node_takes_no_work_from_the_rightful_one(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    node.book.fenced = "another node of this name is running"
    await asyncio.sleep(2 * HEARTBEAT_S)
    node.book.write_down(b"work")
    node.broker.down.put_nowait(node.book.down_envelope(1))
    await asyncio.sleep(HEARTBEAT_S)
    assert node.journal.down == []
    assert node.broker.down_acked == 0


async def test_a_fence_of_the_hub_holds_until_the_hub_lifts_it(node: SyncedNode) -> None:
    await node.start()
    node.commit_at_once()
    node.book.fenced = "this node is locked"
    await asyncio.sleep(2 * HEARTBEAT_S)
    node.journal.append(*bodies(3))
    await asyncio.sleep(HEARTBEAT_S)
    assert node.sync.status().fenced == "this node is locked"
    assert node.book.up == []
    node.book.fenced = ""
    await asyncio.sleep(2 * HEARTBEAT_S)
    assert node.sync.status().fenced == ""
    assert node.book.up == bodies(3)


@pytest.mark.parametrize(
    ("head", "words"),
    [(Head(1, 9, bytes(32)), "restored from a backup"), (Head(1, 2, bytes(32)), "another event")],
)
async def test_a_signed_ack_that_contradicts_the_journal_fences(
    node: SyncedNode, head: Head, words: str
) -> None:
    await node.start()
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    node.say(node.book.ack(head))
    await asyncio.sleep(A_MOMENT_S)
    assert words in node.sync.status().fenced
    assert node.journal.acks == []


async def test_an_ack_of_an_earlier_epoch_changes_nothing(node: SyncedNode) -> None:
    node.journal.epoch = 2
    node.journal.append(*bodies(3))
    await node.start()
    node.say(node.book.ack(Head(1, 900, bytes(32))))
    await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().fenced == ""


async def test_garbage_in_the_nodes_stream_fences_it(node: SyncedNode) -> None:
    await node.start()
    node.broker.stop()
    await asyncio.sleep(A_MOMENT_S)
    node.broker.last[1] = StoredEnvelope(1, b"\xff garbage")
    node.broker.start()
    await asyncio.sleep(A_MOMENT_S)
    assert "no envelope" in node.sync.status().fenced


class SlowJournal(MemoryJournal):
    """A disk that answers later than the broker."""

    async def head(self) -> Head:
        await asyncio.sleep(1)
        return await super().head()


async def test_the_first_heartbeat_knows_the_journal_however_slow_the_disk_is() -> None:
    """Else a hub that has seen more than nothing takes the node for a restored one, and fences it."""
    node = SyncedNode(journal=SlowJournal())
    node.journal.append(*bodies(2))
    node.broker.book = node.book
    await node.start()
    await asyncio.sleep(3)
    await node.stop()
    assert [beat.head_seq for beat in node.book.heartbeats] == [2]


async def test_a_store_that_came_from_a_backup_sends_nothing_in_the_old_epoch() -> None:
    node = SyncedNode(fenced="this ledger was restored from a backup")
    node.journal.append(*bodies(3))
    await node.start()
    await asyncio.sleep(3 * HEARTBEAT_S)
    status = node.sync.status()
    assert (status.fenced, status.sent_seq) == ("this ledger was restored from a backup", 0)
    assert node.broker.publish_tries == [], "not even before the hub has spoken"
    assert node.beats, "its health still goes up"
    await node.stop()


async def test_a_hub_that_asks_for_events_whose_archive_is_gone_is_told_so_once(node: SyncedNode) -> None:
    node.commit_at_once()
    node.journal.append(*bodies(5))
    await node.start()
    await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().acked_seq == 5
    node.journal.gone_to = 4
    node.want(3)
    await asyncio.sleep(A_MOMENT_S)
    assert "asks for events from 3 on, and the archive that held them is gone" in node.sync.status().fenced


async def test_an_old_ack_of_an_event_whose_archive_is_gone_fences_nobody(node: SyncedNode) -> None:
    node.commit_at_once()
    node.journal.append(*bodies(5))
    await node.start()
    await asyncio.sleep(A_MOMENT_S)
    old = Head(1, 3, (await node.journal.hash_at(3)) or b"")
    node.journal.gone_to = 4
    node.say(node.book.ack(old))
    await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().fenced == ""
    assert node.sync.status().acked_seq == 5
