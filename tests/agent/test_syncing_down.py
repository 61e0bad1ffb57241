"""The hub's stream under virtual time: applied once, in order, whatever the broker brings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bodega.errors import Unavailable
from bodega.limits import (
    DOWN_GRACE_S,
    ENVELOPE_EVENTS_MAX,
    HEARTBEAT_JITTER_RATIO,
    HEARTBEAT_S,
    RECONNECT_BASE_S,
)
from support.hub_book import HubBook
from support.synced_node import A_MOMENT_S, SyncedNode, bodies

pytestmark = pytest.mark.looptime


@pytest.fixture
async def node() -> AsyncIterator[SyncedNode]:
    """Not started: looptime runs in the test and not in its fixtures."""
    node = SyncedNode()
    # A node with an empty journal takes nothing before the hub has answered it.
    node.broker.book = node.book
    yield node
    await node.stop()


async def test_hub_events_are_applied_and_then_acknowledged(node: SyncedNode) -> None:
    await node.start()
    node.book.write_down(*bodies(5))
    for first in (1, 3):
        node.broker.down.put_nowait(node.book.down_envelope(first, 2))
    await asyncio.sleep(A_MOMENT_S)
    assert node.journal.down == bodies(4)
    assert node.broker.down_acked == 2
    assert node.sync.status().down_seq == 4


async def test_repeated_hub_events_are_applied_once(node: SyncedNode) -> None:
    await node.start()
    node.book.write_down(*bodies(5))
    for _ in range(3):
        node.broker.down.put_nowait(node.book.down_envelope(1))
    await asyncio.sleep(A_MOMENT_S)
    assert node.journal.down == bodies(5)
    assert node.broker.down_acked == 3


async def test_a_gap_in_the_hubs_stream_is_filled_from_its_database(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    node.book.write_down(*bodies(3 * ENVELOPE_EVENTS_MAX))
    node.broker.down.put_nowait(node.book.down_envelope(ENVELOPE_EVENTS_MAX + 5, 1))
    await asyncio.sleep(A_MOMENT_S)
    assert node.journal.down == bodies(3 * ENVELOPE_EVENTS_MAX)
    assert node.broker.down_acked == 1


async def test_hub_events_that_never_come_are_asked_for_after_a_grace(node: SyncedNode) -> None:
    await node.start()
    node.book.write_down(*bodies(5))
    node.broker.book = node.book
    await asyncio.sleep(HEARTBEAT_S * (1 + HEARTBEAT_JITTER_RATIO) + DOWN_GRACE_S + A_MOMENT_S)
    assert node.journal.down == bodies(5)
    status = node.sync.status()
    assert (status.down_seq, status.down_head_seq) == (5, 5)


async def test_hub_events_that_come_in_time_are_not_asked_for(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    node.book.write_down(*bodies(5))
    node.broker.down.put_nowait(node.book.down_envelope(1))
    await asyncio.sleep(10 * HEARTBEAT_S)
    assert node.book.wants == []


async def test_a_new_hub_stream_starts_from_its_beginning(node: SyncedNode) -> None:
    await node.start()
    node.book.write_down(*bodies(5))
    node.broker.book = node.book
    await asyncio.sleep(3 * HEARTBEAT_S)
    node.book.down_epoch = 2
    node.book.down.clear()
    node.book.write_down(b"from the new hub")
    await asyncio.sleep(3 * HEARTBEAT_S)
    assert node.journal.down == [b"from the new hub"]
    assert (await node.journal.down_head()).epoch == 2


async def test_malformed_or_foreign_hub_envelopes_are_dropped_and_stall_nothing(node: SyncedNode) -> None:
    await node.start()
    other = HubBook("porto-01")
    other.write_down(b"not for us")
    node.book.write_down(b"for us")
    for body in (b"\xff", other.down_envelope(1), node.book.down_envelope(1)):
        node.broker.down.put_nowait(body)
    with capture_logs() as logs:
        await asyncio.sleep(A_MOMENT_S)
    assert node.journal.down == [b"for us"]
    assert node.broker.down_acked == 3
    assert [line["event"] for line in logs].count("hub_envelope_refused") == 1


async def test_hub_events_that_could_not_be_committed_are_not_acknowledged(
    node: SyncedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_events: object, _head: object) -> None:
        raise Unavailable("the disk is full")

    await node.start()
    node.book.write_down(b"work")
    with monkeypatch.context() as broken:
        broken.setattr(node.journal, "apply_down", full)
        node.broker.down.put_nowait(node.book.down_envelope(1))
        await asyncio.sleep(A_MOMENT_S)
        assert node.broker.down_acked == 0
    node.broker.down.put_nowait(node.book.down_envelope(1))  # the broker brings it again
    await asyncio.sleep(RECONNECT_BASE_S)
    assert (node.journal.down, node.broker.down_acked) == ([b"work"], 1)
