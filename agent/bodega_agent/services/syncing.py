"""Sync as one service of the node: the pump up, the receiver down, and the heartbeat that heals both.

It is a shell over `bodega.core.sync` and `bodega.core.session`; what it decides by itself is only when.
The node works the same with no broker at all: then this service waits, says so once, and costs nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bodega import packing
from bodega.codec import ack_text, head_from_ack, head_to_ack
from bodega.core.pacing import next_beat_s, spread_s
from bodega.core.protocol import PROTOCOL, skew_fault
from bodega.core.session import Silence
from bodega.errors import Refused, Unavailable
from bodega.host.log import get_logger
from bodega.limits import DOWN_EVENTS_PER_BEAT_MAX, WANT_REPEAT_S
from bodega.v1 import fleet_pb2, sync_pb2
from bodega_agent.identity import HubKey
from bodega_agent.services.ports import HubLink, LinkLost, SyncJournal
from bodega_agent.services.sync_down import DownStream
from bodega_agent.services.sync_up import UpStream

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """Where sync stands; sequences are of the journal (up) and of the hub's stream (down)."""

    connected: bool
    epoch: int
    head_seq: int
    sent_seq: int
    acked_seq: int
    down_seq: int
    down_head_seq: int
    last_ack_age_s: float | None
    fenced: str
    paused_at_ms: int
    hub_went_back: int = 0


class SyncService:
    """Owns the link. `run()` never returns; cancelling it closes the link.

    `boot_nonce`: random per start, tells a restart from a clone. `health`: asked before each heartbeat.
    `fenced`: why this store must not sync at all, such as one that came from a backup.
    `draw`: random numbers in [0, 1) for the jitter.
    """

    def __init__(
        self,
        *,
        node_id: str,
        boot_nonce: str,
        journal: SyncJournal,
        link: HubLink,
        hub_key: HubKey,
        health: Callable[[], Awaitable[fleet_pb2.Health]],
        fenced: str = "",
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._node_id = node_id
        self._boot_nonce = boot_nonce
        self._link = link
        self._hub_key = hub_key
        self._health = health
        self._draw = draw
        self._up = UpStream(node_id, journal, link, draw=draw, on_fenced=self._hold_or_resume)
        self._down = DownStream(node_id, journal, link, draw=draw, on_applied=self._note_applied)
        self._online = asyncio.Event()
        self._beat_now = asyncio.Event()
        self._silence = Silence()
        self._fenced_here = fenced
        self._fenced_by_hub = ""
        self._hub_wants_new_epoch = False
        # By the first heartbeat of a start the hub judges whether this journal is the one that it knows, so nothing
        # overtakes it; an empty journal may be one that was lost, and takes nothing before the hub has spoken.
        self._unjudged = True
        self._waits_for_hub = False
        self._fence_changed = asyncio.Event()
        self.paused_at_ms = 0
        self._last_ack_at_s: float | None = None
        self._last_want = (-1, 0.0)
        self._spread_s = 0.0
        self._told_down_seq = 0
        self._up_incarnation = 0
        self._warned: set[str] = set()

    def status(self) -> SyncStatus:
        """Where sync stands now; asks nobody."""
        age = None
        if self._last_ack_at_s is not None:
            age = asyncio.get_running_loop().time() - self._last_ack_at_s
        return SyncStatus(
            connected=self._link.connected,
            epoch=self._up.epoch,
            head_seq=self._up.head_seq,
            sent_seq=self._up.sent_seq,
            acked_seq=self._up.acked_seq,
            down_seq=self._down.head.seq,
            down_head_seq=self._down.hub_seq,
            last_ack_age_s=age,
            fenced=self._fence_reason,
            hub_went_back=self._up.hub_went_back,
            paused_at_ms=self.paused_at_ms,
        )

    @property
    def at_rest(self) -> bool:
        """Whether the hub has everything: only then what can wait may take a turn on the line."""
        level = self._up.acked_seq == self._up.head_seq
        return self._link.connected and level and not self._fence_reason

    @property
    def place_lost(self) -> bool:
        """Whether only a new epoch can mend why this node is fenced."""
        return bool(self._fenced_here) or self._up.place_lost or self._hub_wants_new_epoch

    async def wait_for_place_lost(self) -> None:
        """Return once `place_lost`."""
        while not self.place_lost:
            self._fence_changed.clear()
            await self._fence_changed.wait()

    @property
    def refused(self) -> int:
        """Envelopes of the hub that contradicted what we hold, since the start."""
        return self._down.refused

    def pause(self, since_ms: int) -> None:
        """Let no envelope go or come from now on, until it is called with 0; heartbeats go on and say so."""
        self.paused_at_ms = since_ms
        self._hold_or_resume()
        self._beat_now.set()

    async def resync(self) -> dict[str, int]:
        """Trust nothing that was sent: read back, send again from the hub's head, fetch what the hub has for us.

        Answers {from_seq, head_seq, fetched}. Raises Unavailable while the hub cannot be asked, Refused if fenced.
        """
        request = await self._request()
        response = await self._link.heartbeat(request)
        await self._take(response, request)
        if self._fence_reason:
            raise Refused(f"this node is fenced: {self._fence_reason}", code="fenced")
        self._up.look_again(response.up.seq)
        before = self._down.head.seq
        await self._down.catch_up()
        return {
            "from_seq": response.up.seq + 1,
            "head_seq": self._up.head_seq,
            "fetched": self._down.head.seq - before,
        }

    async def run(self) -> None:
        """Sync until cancelled."""
        # A heartbeat that went out first would say that the journal is empty, and the hub would fence the node.
        await self._up.load()
        await self._down.load()
        self._waits_for_hub = self._up.head_seq == 0 and self._down.head.seq == 0
        self._hold_or_resume()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run(self))
            tasks.create_task(self._up.run())
            tasks.create_task(self._down.run())
            tasks.create_task(self._beat())

    async def keep_last_ack(self) -> None:
        """After `run` has ended and before the store is closed."""
        await self._up.keep_last_ack()

    # LinkListener: what comes over the link unasked.

    def connection_changed(self, connected: bool) -> None:
        """See LinkListener."""
        if connected:
            self._online.set()
            self._beat_now.set()
        else:
            self._online.clear()
        self._up.connection_changed()

    def ack_received(self, ack: sync_pb2.Ack) -> None:
        """See LinkListener."""
        self._believe(ack)

    def _believe(self, ack: sync_pb2.Ack) -> bool:
        """Take an ack if the hub has signed it; nothing else is believed."""
        if ack.node_id != self._node_id:
            self._warn_once("ack_foreign", node=ack.node_id)
            return False
        if not self._hub_key.has_signed(ack_text(ack), ack.signature):
            self._warn_once("ack_signature_bad", seq=ack.seq)
            return False
        self._warned -= {"ack_foreign", "ack_signature_bad"}
        self._last_ack_at_s = asyncio.get_running_loop().time()
        self._up.take_ack(head_from_ack(ack))
        return True

    def want_received(self, want: sync_pb2.WantRequest) -> None:
        """See LinkListener. A repeat within WANT_REPEAT_S is the same gap, seen by a later envelope."""
        now = asyncio.get_running_loop().time()
        if want.node_id != self._node_id or want.epoch != self._up.epoch or want.from_seq < 1:
            self._warn_once("want_foreign", node=want.node_id, epoch=want.epoch)
            return
        from_seq, asked_at = self._last_want
        if want.from_seq == from_seq and now - asked_at < WANT_REPEAT_S:
            return
        self._last_want = (want.from_seq, now)
        self._up.rewind_to(want.from_seq - 1)

    async def _beat(self) -> None:
        while True:
            await self._online.wait()
            self._beat_now.clear()
            try:
                request = await self._request()
                await self._take(await self._link.heartbeat(request), request)
            except LinkLost as error:
                if self._link.connected:
                    self._warn_once("hub_silent", reason=error.message)
                    self._unjudged = False
                    self._hold_or_resume()
            except Unavailable as error:
                log.warning("heartbeat_failed", reason=error.message)
            await self._wait_for_next_beat()

    async def _wait_for_next_beat(self) -> None:
        try:
            async with asyncio.timeout(next_beat_s(self._spread_s, self._draw())):
                await self._beat_now.wait()
        except TimeoutError:
            return

    def _note_applied(self) -> None:
        """Tell the hub soon that there is room for more of its stream, unless it has too much to do already."""
        untold = self._down.head.seq - self._told_down_seq
        if untold >= DOWN_EVENTS_PER_BEAT_MAX and not self._spread_s:
            self._beat_now.set()

    async def _request(self) -> sync_pb2.HeartbeatRequest:
        self._told_down_seq = self._down.head.seq
        return sync_pb2.HeartbeatRequest(
            node_id=self._node_id,
            epoch=self._up.epoch,
            boot_nonce=self._boot_nonce,
            head_seq=self._up.head_seq,
            down=head_to_ack(self._node_id, self._down.head),
            health=await self._health(),
            protocol=PROTOCOL,
            acked=head_to_ack(self._node_id, self._up.acked),
            stopped=self._fenced_here or self._up.fenced,
            paused_at_ms=self.paused_at_ms,
            understands=packing.UNDERSTOOD,
        )

    async def _take(self, response: sync_pb2.HeartbeatResponse, request: sync_pb2.HeartbeatRequest) -> None:
        if "hub_silent" in self._warned:
            self._warned.discard("hub_silent")
            log.info("hub_answers_again")
        self._spread_s = spread_s(response.come_back_after_ms)
        self._link.spread_over(self._spread_s)
        self._hub_wants_new_epoch = response.needs_new_epoch
        self._unjudged = self._waits_for_hub = False
        self._take_fence(response.fenced or skew_fault("the hub", response.protocol))
        self._up.take_understood(response.understands)
        if response.up_incarnation != self._up_incarnation:
            if self._up_incarnation:
                log.info("stream_up_changed", was=self._up_incarnation, incarnation=response.up_incarnation)
            self._up_incarnation = response.up_incarnation
            self._up.doubt()
        if response.HasField("up") and self._believe(response.up):
            up = response.up
            # Held against what was acknowledged when we asked: an ack may have overtaken this answer.
            if not response.fenced and up.epoch == self._up.epoch and up.seq < request.acked.seq:
                self._up.take_hub_went_back(head_from_ack(up))
            else:
                self._notice_loss(up)
        await self._down.take_news(response.down_epoch, response.down_head_seq)

    def _take_fence(self, reason: str) -> None:
        if reason and not self._fenced_by_hub:
            log.error("fenced_by_hub", reason=reason)
        elif self._fenced_by_hub and not reason:
            log.info("fence_lifted_by_hub")
        self._fenced_by_hub = reason
        self._hold_or_resume()

    def _hold_or_resume(self) -> None:
        self._fence_changed.set()
        if self._fence_reason or self.paused_at_ms or self._unjudged:
            self._up.hold()
        else:
            self._up.resume()
        if self._fence_reason or self.paused_at_ms or self._waits_for_hub:
            self._down.hold()
        else:
            self._down.resume()

    @property
    def _fence_reason(self) -> str:
        return self._fenced_here or self._up.fenced or self._fenced_by_hub

    def _notice_loss(self, up: sync_pb2.Ack) -> None:
        if up.epoch != self._up.epoch:
            return
        self._silence = self._silence.heard(up.seq, self._up.sent_seq)
        if self._silence.is_loss:
            self._silence = self._silence.after_rewind()
            self._up.rewind_to(up.seq)

    def _warn_once(self, event: str, **values: object) -> None:
        if event not in self._warned:
            self._warned.add(event)
            log.warning(event, **values)
