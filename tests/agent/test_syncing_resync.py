"""A person's "look again": what the broker lost goes up at once, what the hub has comes down at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bodega.errors import Refused
from support.synced_node import A_MOMENT_S, SyncedNode, bodies

pytestmark = pytest.mark.looptime


@pytest.fixture
async def node() -> AsyncIterator[SyncedNode]:
    """Not started: looptime runs in the test and not in its fixtures."""
    node = SyncedNode()
    yield node
    await node.stop()


async def test_what_the_broker_lost_is_sent_again_from_the_hubs_head(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().sent_seq == 3
    node.broker.forget()
    node.commit_at_once()
    told = await node.sync.resync()
    assert (told["from_seq"], told["head_seq"]) == (1, 3)
    await asyncio.sleep(A_MOMENT_S)
    assert node.book.up == bodies(3)


async def test_what_the_hub_has_is_fetched_although_its_stream_brought_nothing(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    await asyncio.sleep(A_MOMENT_S)
    node.book.write_down(*bodies(4))
    assert (await node.sync.resync())["fetched"] == 4
    assert (await node.sync.resync())["fetched"] == 0
    assert (await node.journal.down_head()).seq == 4


async def test_a_fenced_node_is_told_so(node: SyncedNode) -> None:
    node = SyncedNode(fenced="it came from a backup")
    await node.start()
    node.broker.book = node.book
    with pytest.raises(Refused, match="it came from a backup"):
        await node.sync.resync()
    await node.stop()
