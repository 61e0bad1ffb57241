"""What reaches the pump while it reads the journal: it looks again, and never ends. Found by the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from bodega.core.sync import Head, Recorded
from support.sync_journal import MemoryJournal
from support.synced_node import A_MOMENT_S, SyncedNode, bodies

pytestmark = pytest.mark.looptime


class SlowJournal(MemoryJournal):
    """Something happens while events are read; once."""

    meanwhile: Callable[[], None] | None = None

    async def events_after(self, seq: int, limit: int) -> list[Recorded]:
        found = await super().events_after(seq, limit)
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None and found:
            happens()
            await asyncio.sleep(A_MOMENT_S / 10)
        return found


@pytest.fixture
async def node() -> AsyncIterator[SyncedNode]:
    """A node with six events, of which an earlier life has sent four; not started."""
    node = SyncedNode(journal=SlowJournal())
    node.journal.append(*bodies(6))
    node.commit_at_once()
    yield node
    await node.stop()


async def test_an_ack_that_overtakes_the_reading_of_the_journal_ends_nothing(node: SyncedNode) -> None:
    def the_hub_commits_what_was_sent_long_ago() -> None:
        node.book.up += bodies(4)
        node.book.head = Head(1, 4, node.journal.events[3].hash)
        node.say(node.book.ack())

    assert isinstance(node.journal, SlowJournal)
    node.journal.meanwhile = the_hub_commits_what_was_sent_long_ago
    await node.start()
    assert node.book.up == bodies(6)
    assert node.sync.status().acked_seq == 6


async def test_a_doubt_about_the_stream_while_the_journal_is_read_has_it_read_back_first(
    node: SyncedNode,
) -> None:
    assert isinstance(node.journal, SlowJournal)
    node.journal.meanwhile = lambda: node.sync.connection_changed(connected=True)
    expected = []
    publish = node.link.publish_up

    async def published(epoch: int, body: bytes, expected_last: int) -> int:
        expected.append(expected_last)
        return await publish(epoch, body, expected_last)

    node.link.publish_up = published
    await node.start()
    assert node.book.up == bodies(6)
    assert expected == [0], "a publish names the message that it follows"
