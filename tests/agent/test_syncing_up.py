"""The journal's way up under virtual time: cadence, backoff, rewinding, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from bodega.core.sync import Head, Verdict
from bodega.limits import (
    ACK_KEPT_EVERY_S,
    ENVELOPE_EVENTS_MAX,
    HEARTBEAT_JITTER_RATIO,
    HEARTBEAT_S,
    PUBLISH_WINDOW_ENVELOPES_MAX,
    RECONNECT_BASE_S,
    RECONNECT_MAX_S,
    STOP_S,
    WANT_REPEAT_S,
)
from bodega.v1 import sync_pb2
from support.memory_link import MemoryLink
from support.synced_node import A_MOMENT_S, SyncedNode, bodies

pytestmark = pytest.mark.looptime


@pytest.fixture
async def node() -> AsyncIterator[SyncedNode]:
    """Not started: looptime runs in the test and not in its fixtures."""
    node = SyncedNode()
    yield node
    await node.stop()


async def test_what_is_recorded_reaches_the_hub_and_its_ack_comes_back(node: SyncedNode) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    assert node.book.up == bodies(3)
    status = node.sync.status()
    assert (status.head_seq, status.sent_seq, status.acked_seq) == (3, 3, 3)
    assert node.journal.acks[-1] == node.journal.head_now()


async def test_a_backlog_goes_up_in_full_envelopes(node: SyncedNode) -> None:
    node.journal.append(*bodies(2 * ENVELOPE_EVENTS_MAX + 1))
    node.commit_at_once()
    await node.start()
    assert len(node.broker.published) == 3
    assert node.book.up == bodies(2 * ENVELOPE_EVENTS_MAX + 1)


async def test_no_more_than_the_window_is_in_flight_without_an_ack(node: SyncedNode) -> None:
    await node.start()
    bound = PUBLISH_WINDOW_ENVELOPES_MAX * ENVELOPE_EVENTS_MAX
    node.journal.append(*bodies(bound + 10))
    await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().sent_seq == bound
    for body in node.broker.published:
        node.book.take_up(body)
    node.say(node.book.ack())
    await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().sent_seq == bound + 10


async def test_a_lost_receipt_is_read_back_and_nothing_is_published_twice(node: SyncedNode) -> None:
    await node.start()
    node.commit_at_once()
    node.broker.lose_receipts = 1
    node.journal.append(*bodies(5))
    await asyncio.sleep(RECONNECT_BASE_S)
    assert node.book.up == bodies(5)
    assert node.book.verdicts == [Verdict.APPLY]
    assert node.sync.status().sent_seq == 5


async def test_it_waits_without_a_broker_and_costs_no_publish(node: SyncedNode) -> None:
    node.journal.append(*bodies(5))
    await node.run()
    await asyncio.sleep(3600)
    assert node.broker.publish_tries == []
    assert node.beats == []
    assert not node.sync.status().connected
    assert node.sync.status().head_seq == 5


async def test_a_missing_stream_is_tried_again_with_growing_waits_and_said_once(node: SyncedNode) -> None:
    node.broker.has_streams = False
    node.draw = 1.0 - 1e-9
    node.journal.append(*bodies(1))
    node.broker.start()
    reads: list[float] = []
    link_last_up = MemoryLink.last_up

    async def counted(link: MemoryLink, epoch: int) -> object:
        reads.append(asyncio.get_running_loop().time())
        return await link_last_up(link, epoch)

    with pytest.MonkeyPatch.context() as patch, capture_logs() as logs:
        patch.setattr(MemoryLink, "last_up", counted)
        await node.run()
        await asyncio.sleep(200)
    waits = [round(after - before, 3) for before, after in pairwise(reads)]
    assert waits[:8] == [min(RECONNECT_MAX_S, RECONNECT_BASE_S * 2**n) for n in range(8)]
    assert max(waits) <= RECONNECT_MAX_S
    assert [line["event"] for line in logs].count("sync_up_waits") == 1


async def test_a_reconnect_ends_the_wait_at_once(node: SyncedNode) -> None:
    node.broker.has_streams = False
    node.draw = 1.0 - 1e-9
    node.journal.append(*bodies(1))
    await node.start()
    await asyncio.sleep(100)
    node.broker.stop()
    await asyncio.sleep(A_MOMENT_S)
    node.broker.has_streams = True
    node.broker.start()
    await asyncio.sleep(A_MOMENT_S)
    assert len(node.broker.published) == 1


async def test_a_heartbeat_goes_out_at_once_and_then_every_interval_with_jitter(node: SyncedNode) -> None:
    node.broker.book = node.book
    await node.start()
    assert len(node.beats) == 1
    for draw in (0.0, 0.5, 1.0):
        node.draw = draw
        await asyncio.sleep(4 * HEARTBEAT_S)
        expected = HEARTBEAT_S * (1 + HEARTBEAT_JITTER_RATIO * (2 * draw - 1))
        assert node.beats[-1] - node.beats[-2] == pytest.approx(expected, abs=0.01)
    assert node.book.heartbeats[0].boot_nonce == "nonce"
    assert node.book.heartbeats[0].health.version == "test"


async def test_a_hub_with_too_much_to_do_gets_its_heartbeats_later_until_it_says_otherwise(
    node: SyncedNode,
) -> None:
    node.broker.book = node.book
    node.book.come_back_after_ms = 20_000
    await node.start()
    await asyncio.sleep(100)
    assert node.beats[-1] - node.beats[-2] == pytest.approx(HEARTBEAT_S + 0.5 * 20, abs=0.01)
    assert node.broker.spread_s == 20
    node.book.come_back_after_ms = 0
    await asyncio.sleep(100)
    assert node.beats[-1] - node.beats[-2] == pytest.approx(HEARTBEAT_S, abs=0.01)
    assert node.broker.spread_s == 0


async def test_a_heartbeat_goes_out_right_after_a_reconnect(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    await asyncio.sleep(0.3 * HEARTBEAT_S)
    before = len(node.beats)
    node.broker.stop()
    await asyncio.sleep(A_MOMENT_S)
    node.broker.start()
    await asyncio.sleep(A_MOMENT_S)
    assert len(node.beats) == before + 1


async def test_no_heartbeat_goes_out_without_a_broker(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    await asyncio.sleep(A_MOMENT_S)
    node.broker.stop()
    before = len(node.beats)
    await asyncio.sleep(100 * HEARTBEAT_S)
    assert len(node.beats) <= before + 1


async def test_a_silent_hub_is_said_once_and_its_return_once(node: SyncedNode) -> None:
    with capture_logs() as logs:
        await node.start()
        await asyncio.sleep(10 * HEARTBEAT_S)
        node.broker.book = node.book
        await asyncio.sleep(5 * HEARTBEAT_S)
    events = [line["event"] for line in logs]
    assert (events.count("hub_silent"), events.count("hub_answers_again")) == (1, 1)


async def test_what_the_broker_lost_is_sent_again_after_two_silent_heartbeats(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book  # it answers heartbeats, but nothing of the stream reaches it
    node.journal.append(*bodies(7))
    await asyncio.sleep(A_MOMENT_S)
    node.broker.forget()
    node.commit_at_once()
    await asyncio.sleep(2 * HEARTBEAT_S)
    assert node.book.up == []  # one heartbeat saw the lag first, one more is silent
    await asyncio.sleep(HEARTBEAT_S + A_MOMENT_S)
    assert node.book.up == bodies(7)


async def test_another_incarnation_of_the_stream_is_filled_at_the_next_heartbeat(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    node.journal.append(*bodies(7))
    await asyncio.sleep(A_MOMENT_S)
    node.broker.forget()
    node.commit_at_once()
    node.book.up_incarnation = 2
    await asyncio.sleep(HEARTBEAT_S + A_MOMENT_S)
    assert node.book.up == bodies(7)


async def test_sending_again_that_does_not_help_becomes_rarer(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book  # the hub is up and never commits
    node.journal.append(*bodies(1))
    await asyncio.sleep(1000 * HEARTBEAT_S)
    assert 2 < len(node.broker.published) < 80


async def test_a_hub_that_is_level_is_never_sent_anything_again(node: SyncedNode) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(7))
    await asyncio.sleep(100 * HEARTBEAT_S)
    assert len(node.broker.published) == 1


async def test_a_want_rewinds_and_its_repeats_are_one_gap(node: SyncedNode) -> None:
    await node.start()
    node.broker.book = node.book
    node.journal.append(*bodies(7))
    await asyncio.sleep(A_MOMENT_S)
    node.commit_at_once()
    for _ in range(16):
        node.want(1)
        await asyncio.sleep(A_MOMENT_S)
    assert node.book.up == bodies(7)
    assert len(node.broker.published) == 2
    await asyncio.sleep(WANT_REPEAT_S)
    node.want(1)
    await asyncio.sleep(A_MOMENT_S)
    assert len(node.broker.published) == 3


async def test_a_hub_restored_from_a_backup_gets_what_it_had_acknowledged_once_before(
    node: SyncedNode,
) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(7))
    await asyncio.sleep(A_MOMENT_S)
    node.book.head = Head(1, 4, (await node.journal.hash_at(4)) or b"")
    del node.book.up[4:]
    node.want(5)
    await asyncio.sleep(A_MOMENT_S)
    assert node.book.up == bodies(7)


async def test_a_restored_hub_that_asks_for_nothing_is_noticed_by_its_heartbeats(node: SyncedNode) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(7))
    await asyncio.sleep(A_MOMENT_S)
    node.book.head = Head(1, 4, (await node.journal.hash_at(4)) or b"")
    del node.book.up[4:]
    await asyncio.sleep(4 * HEARTBEAT_S)
    assert node.book.up == bodies(7)


@pytest.mark.parametrize("from_seq", [0, 9, 2**63])
async def test_a_want_of_what_was_never_sent_changes_nothing(node: SyncedNode, from_seq: int) -> None:
    await node.start()
    node.journal.append(*bodies(7))
    await asyncio.sleep(A_MOMENT_S)
    node.want(from_seq)
    await asyncio.sleep(A_MOMENT_S)
    assert len(node.broker.published) == 1


async def test_a_restart_sends_again_only_what_is_not_acknowledged(node: SyncedNode) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(5))
    await asyncio.sleep(A_MOMENT_S)
    await node.stop()
    again = SyncedNode(node.broker, node.journal, node.book)
    await again.run()
    assert len(node.broker.published) == 1
    assert again.sync.status().sent_seq == 5
    await again.stop()


async def test_it_stops_at_once(node: SyncedNode) -> None:
    await node.start()
    await asyncio.sleep(HEARTBEAT_S)
    async with asyncio.timeout(STOP_S):
        await node.stop()
    assert not node.sync.status().connected


async def test_acks_that_come_fast_are_taken_at_once_and_kept_once_in_a_while(node: SyncedNode) -> None:
    await node.start()
    node.commit_at_once()
    for number in range(1, 11):
        node.journal.append(*bodies(1, start=number))
        await asyncio.sleep(A_MOMENT_S)
        assert node.sync.status().acked_seq == number
    took_s = 10 * A_MOMENT_S
    assert len(node.journal.acks) <= 1 + took_s / ACK_KEPT_EVERY_S
    await asyncio.sleep(ACK_KEPT_EVERY_S)
    assert node.journal.acks[-1].seq == 10


async def test_a_stop_keeps_the_newest_ack(node: SyncedNode) -> None:
    await node.start()
    node.commit_at_once()
    for number in (1, 2):
        node.journal.append(*bodies(1, start=number))
        await asyncio.sleep(A_MOMENT_S)
    await node.stop()
    assert node.journal.acks[-1].seq == 1, "the second came too soon after the first"
    await node.sync.keep_last_ack()
    assert node.journal.acks[-1].seq == 2


async def test_nothing_is_packed_before_the_hub_has_said_that_it_understands_it(node: SyncedNode) -> None:
    await node.start()
    node.journal.append(*[b"the same again " * 20] * 10)
    await asyncio.sleep(A_MOMENT_S)
    assert sync_pb2.Envelope.FromString(node.broker.published[-1]).events
    node.book.understands = [sync_pb2.PACKING_ZSTD]
    node.commit_at_once()
    await asyncio.sleep(2 * HEARTBEAT_S)
    node.journal.append(*[b"and again " * 20] * 10)
    await asyncio.sleep(HEARTBEAT_S)
    assert sync_pb2.Envelope.FromString(node.broker.published[-1]).packing == sync_pb2.PACKING_ZSTD
    assert node.book.up[-1] == b"and again " * 20
