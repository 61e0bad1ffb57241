"""The hub's stream on its way down: judge, apply in one transaction, then acknowledge to the broker.

A gap, or a head that the hub announces and that does not come, is filled straight from the hub's database,
so nothing depends on what the broker still holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bodega.codec import envelope_from_bytes, envelope_from_wire
from bodega.core.backoff import full_jitter_s
from bodega.core.sync import Envelope, Head, Judgement, Verdict, judge
from bodega.errors import PeerFault, Unavailable
from bodega.host.log import get_logger
from bodega.limits import DOWN_GRACE_S, RECONNECT_BASE_S, RECONNECT_MAX_S
from bodega.v1 import sync_pb2
from bodega_agent.services.ports import DownDelivery, HubLink, LinkLost, SyncJournal

log = get_logger(__name__)


class DownStream:
    """Applies the hub's stream; `refused` counts envelopes that contradicted what we hold."""

    def __init__(
        self,
        node_id: str,
        journal: SyncJournal,
        link: HubLink,
        *,
        draw: Callable[[], float],
        on_applied: Callable[[], None],
    ) -> None:
        self._on_applied = on_applied
        self._node_id = node_id
        self._journal = journal
        self._link = link
        self._draw = draw
        self._head = Head()
        self._hub_epoch = 0
        self._hub_seq = 0
        self._behind = asyncio.Event()
        self._may_receive = asyncio.Event()
        self._may_receive.set()
        self._one_at_a_time = asyncio.Lock()
        self.refused = 0

    @property
    def head(self) -> Head:
        """How far the hub's stream has been applied."""
        return self._head

    @property
    def hub_seq(self) -> int:
        """How far the hub's stream goes, as far as the hub or its stream have said."""
        return max(self._hub_seq, self._head.seq)

    def hold(self) -> None:
        """Receive no more: a fenced node must not take work away from the rightful one."""
        self._may_receive.clear()

    def resume(self) -> None:
        """Receive again."""
        self._may_receive.set()

    async def load(self) -> None:
        """Read how far we are."""
        self._head = await self._journal.down_head()

    async def take_news(self, epoch: int, seq: int) -> None:
        """The hub says how far its stream goes; what does not come by itself is asked for after a grace.

        Epoch 0: the hub has no stream for this node yet.
        """
        if epoch < self._head.epoch:
            if epoch:
                self._refuse(f"the hub's stream is of epoch {epoch}, older than {self._head.epoch}")
            return
        self._hub_epoch, self._hub_seq = epoch, seq
        async with self._one_at_a_time:
            if epoch > self._head.epoch and self._may_receive.is_set():
                log.warning("hub_stream_began_anew", epoch=epoch, was=self._head.epoch)
                self._head = Head(epoch)
                await self._journal.apply_down((), self._head)
        if epoch == self._head.epoch and seq > self._head.seq:
            self._behind.set()

    async def run(self) -> None:
        """Receive for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive())
            tasks.create_task(self._fill_what_does_not_come())

    async def _receive(self) -> None:
        failures = 0
        while True:
            await self._may_receive.wait()
            delivery = await self._link.next_down()
            try:
                await self._take(delivery)
                failures = 0
            except (Unavailable, PeerFault) as error:
                # Not acknowledged, so it comes again; nothing behind it can be applied before it.
                log.warning("hub_events_not_applied", reason=error.message)
                await asyncio.sleep(full_jitter_s(failures, RECONNECT_BASE_S, RECONNECT_MAX_S, self._draw()))
                failures += 1

    async def _take(self, delivery: DownDelivery) -> None:
        try:
            envelope = envelope_from_bytes(delivery.body)
        except PeerFault as fault:
            self._refuse(fault.message)
        else:
            async with self._one_at_a_time:
                if not self._may_receive.is_set():
                    return
                if (await self._apply(envelope)).verdict is Verdict.GAP:
                    await self._catch_up()
        try:
            await delivery.ack()
        except LinkLost:
            return  # it comes again, and is skipped then

    async def _apply(self, envelope: Envelope) -> Judgement:
        if envelope.node_id != self._node_id:
            judgement = Judgement(Verdict.REFUSE, f"it is for node '{envelope.node_id}'")
        else:
            judgement = judge(self._head, envelope)
        if judgement.verdict is Verdict.APPLY:
            events = list(enumerate(judgement.events, start=judgement.first_seq))
            head = Head(envelope.epoch, envelope.last_seq, envelope.last_hash)
            await self._journal.apply_down(events, head)
            self._head = head
            self._on_applied()
        elif judgement.verdict is Verdict.REFUSE:
            self._refuse(judgement.reason)
        return judgement

    def _refuse(self, reason: str) -> None:
        if self.refused == 0:
            log.error("hub_envelope_refused", reason=reason)
        self.refused += 1

    async def _catch_up(self) -> None:
        """Ask the hub for everything after our head, until it has no more or makes no progress."""
        asked_from = -1
        while self._head.seq > asked_from:
            asked_from = self._head.seq
            response = await self._link.want_down(
                sync_pb2.WantRequest(node_id=self._node_id, epoch=self._head.epoch, from_seq=asked_from + 1)
            )
            if response.envelope.events:
                await self._apply(envelope_from_wire(response.envelope))

    async def _fill_what_does_not_come(self) -> None:
        while True:
            await self._behind.wait()
            await asyncio.sleep(DOWN_GRACE_S)
            self._behind.clear()
            if self._hub_seq <= self._head.seq or self._hub_epoch != self._head.epoch:
                continue
            try:
                async with self._one_at_a_time:
                    if self._may_receive.is_set():
                        await self._catch_up()
            except (Unavailable, PeerFault) as error:
                log.warning("hub_events_not_fetched", reason=error.message)  # the next heartbeat asks again
