"""The sync service under virtual time: cadence, backoff, rewinding, fencing, and what it believes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from bodega.core.sync import Head, Verdict
from bodega.limits import (
    DOWN_GRACE_S,
    ENVELOPE_EVENTS_MAX,
    HEARTBEAT_JITTER_RATIO,
    HEARTBEAT_S,
    PUBLISH_WINDOW_ENVELOPES_MAX,
    RECONNECT_BASE_S,
    RECONNECT_MAX_S,
    STOP_S,
    WANT_REPEAT_S,
)
from bodega.v1 import fleet_pb2, sync_pb2
from bodega_agent.services.ports import StoredEnvelope
from bodega_agent.services.syncing import SyncService
from support.hub_book import HubBook
from support.memory_link import MemoryBroker, MemoryLink
from support.sync_journal import MemoryJournal

NODE = "lisbon-01"
A_MOMENT_S = 0.01
pytestmark = pytest.mark.looptime


@dataclass
class Node:
    """A node's sync, and everything around it."""

    broker: MemoryBroker = field(default_factory=MemoryBroker)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    book: HubBook = field(default_factory=lambda: HubBook(NODE))
    draw: float = 0.5
    beats: list[float] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.sync = SyncService(
            node_id=NODE,
            boot_nonce="nonce",
            journal=self.journal,
            link=MemoryLink(self.broker),
            hub_key=self.book.hub_key,
            health=self._health,
            draw=lambda: self.draw,
        )

    async def _health(self) -> fleet_pb2.Health:
        self.beats.append(asyncio.get_running_loop().time())
        return fleet_pb2.Health(version="test")

    async def start(self) -> None:
        """Run with a broker that is there."""
        self.broker.start()
        await self.run()

    async def run(self) -> None:
        """Run, broker or not."""
        self._task = asyncio.create_task(self.sync.run())
        await asyncio.sleep(A_MOMENT_S)

    async def stop(self) -> None:
        """Cancel and wait."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def commit_at_once(self) -> None:
        """The hub commits every envelope as it is published, and says so."""

        def take(body: bytes) -> None:
            if self.book.take_up(body) in (Verdict.APPLY, Verdict.ALREADY_HAVE):
                self.say(self.book.ack())

        self.broker.book = self.book
        self.broker.on_up = take

    def say(self, ack: sync_pb2.Ack) -> None:
        assert self.broker.listener is not None
        self.broker.listener.ack_received(ack)

    def want(self, from_seq: int) -> None:
        assert self.broker.listener is not None
        self.broker.listener.want_received(sync_pb2.WantRequest(node_id=NODE, epoch=1, from_seq=from_seq))


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """Not started: looptime runs in the test and not in its fixtures."""
    node = Node()
    yield node
    await node.stop()


def bodies(count: int, start: int = 1) -> list[bytes]:
    return [b"event %d" % number for number in range(start, start + count)]


async def test_what_is_recorded_reaches_the_hub_and_its_ack_comes_back(node: Node) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    assert node.book.up == bodies(3)
    status = node.sync.status()
    assert (status.head_seq, status.sent_seq, status.acked_seq) == (3, 3, 3)
    assert node.journal.acks[-1] == node.journal.head_now()


async def test_a_backlog_goes_up_in_full_envelopes(node: Node) -> None:
    node.journal.append(*bodies(2 * ENVELOPE_EVENTS_MAX + 1))
    node.commit_at_once()
    await node.start()
    assert len(node.broker.published) == 3
    assert node.book.up == bodies(2 * ENVELOPE_EVENTS_MAX + 1)


async def test_no_more_than_the_window_is_in_flight_without_an_ack(node: Node) -> None:
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


async def test_a_lost_receipt_is_read_back_and_nothing_is_published_twice(node: Node) -> None:
    await node.start()
    node.commit_at_once()
    node.broker.lose_receipts = 1
    node.journal.append(*bodies(5))
    await asyncio.sleep(RECONNECT_BASE_S)
    assert node.book.up == bodies(5)
    assert node.book.verdicts == [Verdict.APPLY]
    assert node.sync.status().sent_seq == 5


async def test_it_waits_without_a_broker_and_costs_no_publish(node: Node) -> None:
    node.journal.append(*bodies(5))
    await node.run()
    await asyncio.sleep(3600)
    assert node.broker.publish_tries == []
    assert node.beats == []
    assert not node.sync.status().connected
    assert node.sync.status().head_seq == 5


async def test_a_missing_stream_is_tried_again_with_growing_waits_and_said_once(node: Node) -> None:
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
    assert waits[:8] == [RECONNECT_BASE_S * 2**n for n in range(7)] + [RECONNECT_MAX_S]
    assert max(waits) <= RECONNECT_MAX_S
    assert [line["event"] for line in logs].count("sync_up_waits") == 1


async def test_a_reconnect_ends_the_wait_at_once(node: Node) -> None:
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


async def test_a_heartbeat_goes_out_at_once_and_then_every_interval_with_jitter(node: Node) -> None:
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


async def test_a_heartbeat_goes_out_right_after_a_reconnect(node: Node) -> None:
    await node.start()
    node.broker.book = node.book
    await asyncio.sleep(0.3 * HEARTBEAT_S)
    before = len(node.beats)
    node.broker.stop()
    await asyncio.sleep(A_MOMENT_S)
    node.broker.start()
    await asyncio.sleep(A_MOMENT_S)
    assert len(node.beats) == before + 1


async def test_no_heartbeat_goes_out_without_a_broker(node: Node) -> None:
    await node.start()
    node.broker.book = node.book
    await asyncio.sleep(A_MOMENT_S)
    node.broker.stop()
    before = len(node.beats)
    await asyncio.sleep(100 * HEARTBEAT_S)
    assert len(node.beats) <= before + 1


async def test_a_silent_hub_is_said_once_and_its_return_once(node: Node) -> None:
    with capture_logs() as logs:
        await node.start()
        await asyncio.sleep(10 * HEARTBEAT_S)
        node.broker.book = node.book
        await asyncio.sleep(5 * HEARTBEAT_S)
    events = [line["event"] for line in logs]
    assert (events.count("hub_silent"), events.count("hub_answers_again")) == (1, 1)


async def test_what_the_broker_lost_is_sent_again_after_two_silent_heartbeats(node: Node) -> None:
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


async def test_sending_again_that_does_not_help_becomes_rarer(node: Node) -> None:
    await node.start()
    node.broker.book = node.book  # the hub is up and never commits
    node.journal.append(*bodies(1))
    await asyncio.sleep(1000 * HEARTBEAT_S)
    assert 2 < len(node.broker.published) < 80


async def test_a_hub_that_is_level_is_never_sent_anything_again(node: Node) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(7))
    await asyncio.sleep(100 * HEARTBEAT_S)
    assert len(node.broker.published) == 1


async def test_a_want_rewinds_and_its_repeats_are_one_gap(node: Node) -> None:
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


async def test_a_hub_restored_from_a_backup_gets_what_it_had_acknowledged_once_before(node: Node) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(7))
    await asyncio.sleep(A_MOMENT_S)
    node.book.head = Head(1, 4, (await node.journal.hash_at(4)) or b"")
    del node.book.up[4:]
    node.want(5)
    await asyncio.sleep(A_MOMENT_S)
    assert node.book.up == bodies(7)


async def test_a_restored_hub_that_asks_for_nothing_is_noticed_by_its_heartbeats(node: Node) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(7))
    await asyncio.sleep(A_MOMENT_S)
    node.book.head = Head(1, 4, (await node.journal.hash_at(4)) or b"")
    del node.book.up[4:]
    await asyncio.sleep(4 * HEARTBEAT_S)
    assert node.book.up == bodies(7)


@pytest.mark.parametrize("from_seq", [0, 9, 2**63])
async def test_a_want_of_what_was_never_sent_changes_nothing(node: Node, from_seq: int) -> None:
    await node.start()
    node.journal.append(*bodies(7))
    await asyncio.sleep(A_MOMENT_S)
    node.want(from_seq)
    await asyncio.sleep(A_MOMENT_S)
    assert len(node.broker.published) == 1


async def test_an_ack_that_the_hub_did_not_sign_is_not_believed(node: Node) -> None:
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


async def test_an_ack_for_another_node_is_not_believed(node: Node) -> None:
    await node.start()
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    other = HubBook("porto-01", key=node.book.key)
    node.say(other.ack(node.journal.head_now()))
    await asyncio.sleep(A_MOMENT_S)
    assert node.journal.acks == []


async def test_an_older_ack_takes_nothing_back(node: Node) -> None:
    await node.start()
    node.journal.append(*bodies(5))
    await asyncio.sleep(A_MOMENT_S)
    for seq in (5, 3):
        node.say(node.book.ack(Head(1, seq, (await node.journal.hash_at(seq)) or b"")))
        await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().acked_seq == 5
    assert [ack.seq for ack in node.journal.acks] == [5]


async def test_a_copy_of_the_node_is_fenced_by_what_the_broker_holds(node: Node) -> None:
    await node.start()
    node.broker.book = node.book
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    copy = Node(node.broker, MemoryJournal.of(bodies(3)), node.book)
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


async def test_a_fenced_node_takes_no_work_from_the_rightful_one(node: Node) -> None:
    await node.start()
    node.broker.book = node.book
    node.book.fenced = "another node of this name is running"
    await asyncio.sleep(2 * HEARTBEAT_S)
    node.book.write_down(b"work")
    node.broker.down.put_nowait(node.book.down_envelope(1))
    await asyncio.sleep(HEARTBEAT_S)
    assert node.journal.down == []
    assert node.broker.down_acked == 0


async def test_a_fence_of_the_hub_holds_until_the_hub_lifts_it(node: Node) -> None:
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
async def test_a_signed_ack_that_contradicts_the_journal_fences(node: Node, head: Head, words: str) -> None:
    await node.start()
    node.journal.append(*bodies(3))
    await asyncio.sleep(A_MOMENT_S)
    node.say(node.book.ack(head))
    await asyncio.sleep(A_MOMENT_S)
    assert words in node.sync.status().fenced
    assert node.journal.acks == []


async def test_an_ack_of_an_earlier_epoch_changes_nothing(node: Node) -> None:
    node.journal.epoch = 2
    node.journal.append(*bodies(3))
    await node.start()
    node.say(node.book.ack(Head(1, 900, bytes(32))))
    await asyncio.sleep(A_MOMENT_S)
    assert node.sync.status().fenced == ""


async def test_garbage_in_the_nodes_stream_fences_it(node: Node) -> None:
    await node.start()
    node.broker.stop()
    await asyncio.sleep(A_MOMENT_S)
    node.broker.last[1] = StoredEnvelope(1, b"\xff garbage")
    node.broker.start()
    await asyncio.sleep(A_MOMENT_S)
    assert "no envelope" in node.sync.status().fenced


async def test_hub_events_are_applied_and_then_acknowledged(node: Node) -> None:
    await node.start()
    node.book.write_down(*bodies(5))
    for first in (1, 3):
        node.broker.down.put_nowait(node.book.down_envelope(first, 2))
    await asyncio.sleep(A_MOMENT_S)
    assert node.journal.down == bodies(4)
    assert node.broker.down_acked == 2
    assert node.sync.status().down_seq == 4


async def test_repeated_hub_events_are_applied_once(node: Node) -> None:
    await node.start()
    node.book.write_down(*bodies(5))
    for _ in range(3):
        node.broker.down.put_nowait(node.book.down_envelope(1))
    await asyncio.sleep(A_MOMENT_S)
    assert node.journal.down == bodies(5)
    assert node.broker.down_acked == 3


async def test_a_gap_in_the_hubs_stream_is_filled_from_its_database(node: Node) -> None:
    await node.start()
    node.broker.book = node.book
    node.book.write_down(*bodies(3 * ENVELOPE_EVENTS_MAX))
    node.broker.down.put_nowait(node.book.down_envelope(ENVELOPE_EVENTS_MAX + 5, 1))
    await asyncio.sleep(A_MOMENT_S)
    assert node.journal.down == bodies(3 * ENVELOPE_EVENTS_MAX)
    assert node.broker.down_acked == 1


async def test_hub_events_that_never_come_are_asked_for_after_a_grace(node: Node) -> None:
    await node.start()
    node.book.write_down(*bodies(5))
    node.broker.book = node.book
    await asyncio.sleep(HEARTBEAT_S * (1 + HEARTBEAT_JITTER_RATIO) + DOWN_GRACE_S + A_MOMENT_S)
    assert node.journal.down == bodies(5)
    status = node.sync.status()
    assert (status.down_seq, status.down_head_seq) == (5, 5)


async def test_hub_events_that_come_in_time_are_not_asked_for(node: Node) -> None:
    await node.start()
    node.broker.book = node.book
    node.book.write_down(*bodies(5))
    node.broker.down.put_nowait(node.book.down_envelope(1))
    await asyncio.sleep(10 * HEARTBEAT_S)
    assert node.book.wants == []


async def test_a_new_hub_stream_starts_from_its_beginning(node: Node) -> None:
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


async def test_malformed_or_foreign_hub_envelopes_are_dropped_and_stall_nothing(node: Node) -> None:
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


async def test_a_restart_sends_again_only_what_is_not_acknowledged(node: Node) -> None:
    await node.start()
    node.commit_at_once()
    node.journal.append(*bodies(5))
    await asyncio.sleep(A_MOMENT_S)
    await node.stop()
    again = Node(node.broker, node.journal, node.book)
    await again.run()
    assert len(node.broker.published) == 1
    assert again.sync.status().sent_seq == 5
    await again.stop()


async def test_it_stops_at_once(node: Node) -> None:
    await node.start()
    await asyncio.sleep(HEARTBEAT_S)
    async with asyncio.timeout(STOP_S):
        await node.stop()
    assert not node.sync.status().connected
