"""Who has gone back, the node or the hub: the facts in heartbeats tell, under virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bodega.core.sync import Head
from bodega.limits import HEARTBEAT_S
from bodega.v1 import sync_pb2
from support.hub_book import HubBook
from support.memory_link import MemoryLink
from support.sync_journal import MemoryJournal
from support.synced_node import A_MOMENT_S, SyncedNode, bodies

pytestmark = pytest.mark.looptime


@pytest.fixture
async def node() -> AsyncIterator[SyncedNode]:
    """A node of five events, all committed; not started: looptime runs in the test and not in its fixtures."""
    node = SyncedNode(journal=MemoryJournal.of(bodies(5)))
    node.commit_at_once()
    yield node
    await node.stop()


def _go_back(book: HubBook, node: SyncedNode, seq: int) -> None:
    del book.up[seq:]
    book.head = Head(1, seq, node.journal.events[seq - 1].hash)


async def test_a_hub_that_went_back_is_told_once_and_gets_back_what_it_lost(node: SyncedNode) -> None:
    await node.start()
    assert node.sync.status().acked_seq == 5
    _go_back(node.book, node, 2)
    with capture_logs() as logs:
        await asyncio.sleep(1.3 * HEARTBEAT_S)
    assert node.book.up == bodies(5)
    status = node.sync.status()
    assert (status.acked_seq, status.hub_went_back, status.fenced) == (5, 1, "")
    assert [line["event"] for line in logs].count("hub_went_back") == 1
    assert node.book.heartbeats[-1].acked.seq >= 2


async def test_an_ack_that_overtook_the_answer_is_no_hub_that_went_back(
    node: SyncedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heartbeat was answered when the hub had 5; it arrives after the ack of 8."""
    await node.start()
    prompt = MemoryLink.heartbeat

    async def late(link: MemoryLink, request: sync_pb2.HeartbeatRequest) -> sync_pb2.HeartbeatResponse:
        monkeypatch.undo()
        response = await prompt(link, request)
        node.journal.append(*bodies(3, start=6))
        await asyncio.sleep(HEARTBEAT_S / 5)
        assert node.sync.status().acked_seq == 8
        return response

    monkeypatch.setattr(MemoryLink, "heartbeat", late)
    await asyncio.sleep(1.5 * HEARTBEAT_S)
    assert node.sync.status().hub_went_back == 0
    assert node.sync.status().acked_seq == 8


async def test_a_hub_that_went_back_to_another_line_fences_the_node(node: SyncedNode) -> None:
    await node.start()
    node.book.head = Head(1, 2, bytes(32))
    await asyncio.sleep(1.3 * HEARTBEAT_S)
    assert "another event 2" in node.sync.status().fenced
    assert node.sync.place_lost


async def test_what_the_hub_lost_and_no_archive_holds_any_more_fences_the_node(node: SyncedNode) -> None:
    await node.start()
    _go_back(node.book, node, 2)
    node.journal.gone_to = 4
    await asyncio.sleep(1.3 * HEARTBEAT_S)
    assert "is not here any more" in node.sync.status().fenced
    assert node.sync.place_lost


async def test_a_fence_of_the_hub_that_a_new_epoch_would_mend_is_heard(node: SyncedNode) -> None:
    await node.start()
    waiting = asyncio.create_task(node.sync.wait_for_place_lost())
    await asyncio.sleep(HEARTBEAT_S * 2)
    assert not waiting.done()
    answer = node.book.answer_heartbeat

    def fenced(request: sync_pb2.HeartbeatRequest) -> sync_pb2.HeartbeatResponse:
        response = answer(request)
        response.fenced, response.needs_new_epoch = "epoch 2 was begun since", True
        return response

    node.book.answer_heartbeat = fenced
    await asyncio.sleep(1.3 * HEARTBEAT_S)
    assert waiting.done()


async def test_a_fenced_node_says_why_with_every_heartbeat() -> None:
    node = SyncedNode(fenced="restored from a backup")
    node.broker.book = node.book
    await node.start()
    await asyncio.sleep(A_MOMENT_S)
    assert [beat.stopped for beat in node.book.heartbeats] == ["restored from a backup"]
    assert node.sync.place_lost
    await node.stop()


async def test_a_node_without_a_journal_takes_nothing_before_the_hub_has_answered() -> None:
    """It may have lost it: then the whole past would come down as new work."""
    node = SyncedNode()
    node.book.write_down(*bodies(3))
    node.broker.down.put_nowait(node.book.down_envelope(1))
    await node.start()
    await asyncio.sleep(2 * HEARTBEAT_S)
    assert node.journal.down == []
    node.broker.book = node.book
    await asyncio.sleep(2 * HEARTBEAT_S)
    assert node.journal.down == bodies(3)
    await node.stop()


async def test_a_purged_stream_loses_nothing_however_long_the_node_was_away() -> None:
    """The broker keeps days; the node was away for weeks, and pumps from its own journal."""
    node = SyncedNode(journal=MemoryJournal.of(bodies(1_000)))
    node.journal.acks = [node.journal.head_now()._replace(seq=300, hash=node.journal.events[299].hash)]
    node.book.up = bodies(300)
    node.book.head = Head(1, 300, node.journal.events[299].hash)
    node.commit_at_once()
    node.broker.forget()
    await node.start()
    await asyncio.sleep(HEARTBEAT_S)
    assert node.book.up == bodies(1_000)
    await node.stop()
