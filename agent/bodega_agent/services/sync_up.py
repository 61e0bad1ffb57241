"""The node's journal on its way up: a pump with one envelope in the air, and a cursor.

The pump alone moves the cursor forward and back; what others ask of it (send again from here) waits in a
slot until its next turn. Acks are taken beside it, and kept by yet another task, whose fsyncs slow nobody. A publish
names the message that must be the last one; if it is not, the pump reads it back and compares.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from bodega.codec import envelope_from_bytes, envelope_to_bytes
from bodega.core.backoff import full_jitter_s
from bodega.core.session import (
    Fenced,
    after_ack,
    after_hub_went_back,
    after_read_back,
    after_send,
    after_want,
    may_send,
)
from bodega.core.sync import Head, Outbound, Recorded, pack
from bodega.errors import PeerFault, Unavailable
from bodega.host.log import get_logger
from bodega.limits import (
    ACK_KEPT_EVERY_S,
    ENVELOPE_EVENTS_MAX,
    PUBLISH_CONFLICTS_IN_A_ROW_MAX,
    RECONNECT_BASE_S,
    RECONNECT_MAX_S,
)
from bodega_agent.services.ports import HubLink, PublishConflict, SyncJournal

log = get_logger(__name__)


class UpStream:
    """Pumps the journal; `fenced` is empty, or why this node must not write its stream."""

    def __init__(
        self,
        node_id: str,
        journal: SyncJournal,
        link: HubLink,
        *,
        draw: Callable[[], float],
        on_fenced: Callable[[], None],
    ) -> None:
        self._on_fenced = on_fenced
        self._held = False
        self._reconnected = asyncio.Event()
        self._node_id = node_id
        self._journal = journal
        self._link = link
        self._draw = draw
        self._out = Outbound(Head(), Head())
        self._head_seq = 0
        self._expected_last: int | None = None
        self._conflicts = 0
        self._rewind_to: int | None = None
        self._went_back_to: Head | None = None
        self._ack: Head | None = None
        self._ack_came = asyncio.Event()
        self._acked_more = asyncio.Event()
        self._wake = asyncio.Event()
        self._failures = 0
        self._understood: frozenset[int] = frozenset()
        self.fenced = ""
        # The journal is not the one that the hub has: a new epoch would mend it.
        self.place_lost = False
        self.hub_went_back = 0

    @property
    def epoch(self) -> int:
        """Epoch of the journal."""
        return self._out.sent.epoch

    @property
    def head_seq(self) -> int:
        """Last sequence of the journal, as far as the pump has heard."""
        return self._head_seq

    @property
    def sent_seq(self) -> int:
        """How far the broker has taken the journal."""
        return self._out.sent.seq

    @property
    def acked(self) -> Head:
        """What the hub has committed of the journal, by its own signed word."""
        return self._out.acked

    @property
    def acked_seq(self) -> int:
        """How far the hub has committed the journal."""
        return self._out.acked.seq

    def connection_changed(self) -> None:
        """The broker behind the link may be another one now: read back before the next publish."""
        self._expected_last = None
        self._failures = 0
        self._reconnected.set()
        self._wake.set()

    def doubt(self) -> None:
        """The stream may not be the one that it was: read back before the next publish."""
        self._expected_last = None
        self._wake.set()

    def take_ack(self, ack: Head) -> None:
        """A verified ack of the hub; of several that wait only the highest counts, old epochs never."""
        if ack.epoch == self.epoch and (self._ack is None or ack.seq > self._ack.seq):
            self._ack = ack
            self._ack_came.set()

    def rewind_to(self, reader_seq: int) -> None:
        """The hub holds only up to `reader_seq`: send again what follows."""
        if reader_seq < 0 or (self._rewind_to is not None and self._rewind_to <= reader_seq):
            return
        self._rewind_to = reader_seq
        self._wake.set()

    def take_hub_went_back(self, reader: Head) -> None:
        """The hub has less than it has acknowledged, by a signed word that is younger than those acks."""
        self._went_back_to = reader
        self._wake.set()

    def look_again(self, reader_seq: int) -> None:
        """Read back what the broker holds, and send again what the hub has not."""
        self._expected_last = None
        self.rewind_to(reader_seq)
        self._wake.set()

    def take_understood(self, packings: Collection[int]) -> None:
        """The hub unpacks these; until it says so, nothing is packed."""
        self._understood = frozenset(packings)

    def hold(self) -> None:
        """Publish nothing until `resume`."""
        self._held = True

    def resume(self) -> None:
        """Publish again."""
        self._held = False
        self._wake.set()

    def _fence(self, reason: str, *, place_lost: bool = True) -> None:
        """Stop writing the stream, for as long as this process lives."""
        if self.fenced:
            return
        self.place_lost = place_lost
        log.error("sync_fenced", reason=reason)
        self.fenced = reason
        self._on_fenced()

    async def load(self) -> None:
        """Read where the journal stands; before `run`, and before anybody says it to the hub."""
        head, acked = await self._journal.head(), await self._journal.acked()
        self._out, self._head_seq = Outbound(acked, acked), head.seq

    async def run(self) -> None:
        """Pump for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_journal())
            tasks.create_task(self._take_acks())
            tasks.create_task(self._keep_acks())
            tasks.create_task(self._pump())

    async def _watch_journal(self) -> None:
        while True:
            await self._journal.wait_for_news(self._head_seq)
            self._head_seq = (await self._journal.head()).seq
            self._wake.set()

    async def _take_acks(self) -> None:
        while True:
            await self._ack_came.wait()
            self._ack_came.clear()
            ack, self._ack = self._ack, None
            if ack is None:
                continue
            try:
                await self._take(ack)
            except Unavailable as error:
                log.warning("ack_not_taken", seq=ack.seq, reason=error.message)  # the next one says more

    async def _take(self, ack: Head) -> None:
        head, own_hash = await self._journal.head(), await self._journal.hash_at(ack.seq)
        if own_hash is None and ack.seq <= self._out.acked.seq:
            return  # old news of an event whose archive is gone
        result = after_ack(self._out, ack, head, own_hash)
        if isinstance(result, Fenced):
            self._fence(result.reason)
        elif result is not self._out:
            self._out = result
            self._wake.set()
            self._acked_more.set()

    async def _keep_acks(self) -> None:
        """Each record is an fsync, and acks come with every envelope: keep the newest, once in a while."""
        while True:
            await self._acked_more.wait()
            self._acked_more.clear()
            await self.keep_last_ack()
            await asyncio.sleep(ACK_KEPT_EVERY_S)

    async def keep_last_ack(self) -> None:
        """Keep the newest ack durably; also when the service has ended, so that a start sends nothing again."""
        acked = self._out.acked
        try:
            await self._journal.record_ack(acked)
        except Unavailable as error:
            log.warning("ack_not_kept", seq=acked.seq, reason=error.message)  # the next one says more

    async def _pump(self) -> None:
        while True:
            self._wake.clear()
            try:
                idle = not await self._turn()
            except Unavailable as error:
                await self._pause(error)
                continue
            if idle:
                await self._wake.wait()

    async def _turn(self) -> bool:
        """One step; False if there is nothing to do until somebody wakes the pump."""
        await self._follow_hub_back()
        await self._rewind_if_asked()
        if self._held or not self._link.connected:
            return False
        if self._expected_last is None:
            await self._read_back()
            return True
        if not may_send(self._out):
            return False
        before = self._out.sent
        events = await self._journal.events_after(before.seq, ENVELOPE_EVENTS_MAX)
        # Meanwhile an ack of what an earlier life has sent may have moved the cursor past these events, or news of
        # the stream the place where they belong: look again.
        if events and self._out.sent == before and self._expected_last is not None:
            await self._send(events, self._expected_last)
        return bool(events)

    async def _send(self, events: list[Recorded], expected_last: int) -> None:
        envelope = pack(self._node_id, self._out.sent, events)
        self._expected_last = None  # unknown until the broker has answered
        try:
            stream_seq = await self._link.publish_up(
                envelope.epoch, envelope_to_bytes(envelope, self._understood), expected_last
            )
        except PublishConflict as conflict:
            self._conflicts += 1
            log.info("publish_conflict", seq=envelope.first_seq, in_a_row=self._conflicts)
            if self._conflicts > PUBLISH_CONFLICTS_IN_A_ROW_MAX:
                # What is read back is not what the broker compares with: a replica that lags. Give it time.
                raise Unavailable(conflict.message) from conflict
            return
        self._expected_last = stream_seq
        self._conflicts = self._failures = 0
        self._out = after_send(self._out, Head(envelope.epoch, envelope.last_seq, envelope.last_hash))

    async def _read_back(self) -> None:
        head = await self._journal.head()
        last = await self._link.last_up(head.epoch)
        try:
            stored = envelope_from_bytes(last.body) if last else None
        except PeerFault as fault:
            reason = f"the broker holds what is no envelope in this node's stream: {fault.message}"
            self._fence(reason, place_lost=False)
            return
        own_hash = await self._journal.hash_at(stored.last_seq) if stored else None
        result = after_read_back(self._out, head, stored, own_hash)
        if isinstance(result, Fenced):
            self._fence(result.reason)
            return
        self._out = result
        self._expected_last = last.stream_seq if last else 0

    async def _follow_hub_back(self) -> None:
        reader, self._went_back_to = self._went_back_to, None
        if reader is None or reader.seq >= self._out.acked.seq:
            return
        result = after_hub_went_back(reader, await self._journal.hash_at(reader.seq))
        log.error("hub_went_back", acked_seq=self._out.acked.seq, to_seq=reader.seq)
        self.hub_went_back += 1
        if isinstance(result, Fenced):
            self._fence(result.reason)
            return
        self._out = result
        await self._journal.lower_ack(reader)

    async def _rewind_if_asked(self) -> None:
        reader_seq, self._rewind_to = self._rewind_to, None
        if reader_seq is None or reader_seq >= self._out.sent.seq:
            return
        reader_hash = await self._journal.hash_at(reader_seq)
        if reader_hash is None:
            self._fence(
                f"the hub asks for events from {reader_seq + 1} on, and the archive that held them is gone:"
                " restore the hub from a newer backup, or this node's state from one"
            )
            return
        before = self._out.sent.seq
        self._out = after_want(self._out, Head(self.epoch, reader_seq, reader_hash))
        log.info("sync_rewound", from_seq=before, to_seq=reader_seq)

    async def _pause(self, error: Unavailable) -> None:
        if self._failures == 0 and self._link.connected:
            log.warning("sync_up_waits", reason=error.message)
        delay = full_jitter_s(self._failures, RECONNECT_BASE_S, RECONNECT_MAX_S, self._draw())
        self._failures += 1
        self._reconnected.clear()
        try:
            async with asyncio.timeout(delay):
                await self._reconnected.wait()
        except TimeoutError:
            return
