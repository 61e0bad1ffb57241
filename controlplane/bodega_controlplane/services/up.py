"""The nodes' journals from the broker into the database: commit first, acknowledge afterwards.

A batch is one transaction. The broker's own acknowledgement and the counter-signed Ack to the node follow
the commit, so a crash in between only makes the broker deliver again what the hub then knows already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing

from bodega.core.backoff import full_jitter_s
from bodega.core.sync import Verdict
from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import RECONNECT_BASE_S, RECONNECT_MAX_S, UP_ENVELOPES_PER_COMMIT_MAX
from bodega.v1 import sync_pb2
from bodega_controlplane.app.applying import journal
from bodega_controlplane.app.applying.journal import Applied, Delivery
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.services.ports import FleetConnection, StreamMissing, UpMessage
from bodega_controlplane.services.signing import signed_ack

log = get_logger(__name__)


class UpReceiver:
    """Applies what the nodes send, over one connection; `waiting` envelopes were still to come when it looked last."""

    def __init__(self, hub: Hub, *, draw: Callable[[], float]) -> None:
        self._hub = hub
        self._draw = draw
        self.waiting = 0

    async def run(self, connection: FleetConnection) -> None:
        """Until the connection is lost: raises LinkLost. A consumer that is lost is made again."""
        misses = 0
        while True:
            try:
                async with aclosing(connection.up_batches(UP_ENVELOPES_PER_COMMIT_MAX)) as batches:
                    async for messages in batches:
                        misses = 0
                        await self._take(connection, messages)
            except StreamMissing as error:
                log.warning("up_consumer_lost", reason=error.message)
                await asyncio.sleep(full_jitter_s(misses, RECONNECT_BASE_S, RECONNECT_MAX_S, self._draw()))
                misses += 1
                await connection.make_streams()

    async def _take(self, connection: FleetConnection, messages: Sequence[UpMessage]) -> None:
        self.waiting = messages[-1].behind
        applied = await self._apply([Delivery(one.node_id, one.subject, one.body) for one in messages])
        for message in messages:
            await message.ack()
        for node_id, answer in _last_per_node(applied).items():
            await self._answer(connection, node_id, answer)

    async def _apply(self, deliveries: Sequence[Delivery]) -> Sequence[Applied]:
        """Apply a batch as a whole, however long the database is away."""
        attempt = 0
        while True:
            try:
                return await self._hub.run(lambda tx: journal.apply(tx, self._hub.now_ms(), deliveries))
            except Unavailable as error:
                log.warning("apply_waits_for_database", reason=error.message)
            except Exception:  # one bad envelope must not stop the fleet: find it and set it aside
                log.exception("batch_failed", envelopes=len(deliveries))
                return [await self._apply_alone(delivery) for delivery in deliveries]
            attempt += 1
            await asyncio.sleep(full_jitter_s(attempt, RECONNECT_BASE_S, RECONNECT_MAX_S, self._draw()))

    async def _apply_alone(self, delivery: Delivery) -> Applied:
        """An envelope that may be the bad one: each of its events by itself, or, if that fails too, not at all."""
        now_ms = self._hub.now_ms()
        try:
            return await self._hub.run(lambda tx: journal.apply_with_care(tx, now_ms, delivery))
        except Unavailable:
            raise
        except Exception as error:  # the envelope is kept for people; its node waits, the others go on
            log.exception("envelope_failed", node_id=delivery.node_id)
            reason = f"it could not be applied: {type(error).__name__}"
            return await self._hub.run(lambda tx: journal.refuse(tx, now_ms, delivery, reason))

    async def _answer(self, connection: FleetConnection, node_id: str, answer: Applied) -> None:
        if answer.head is None or answer.verdict is Verdict.REFUSE:
            return
        if answer.verdict is Verdict.GAP:
            want = sync_pb2.WantRequest(
                node_id=node_id, epoch=answer.head.epoch, from_seq=answer.head.seq + 1
            )
            log.info("gap_found", node_id=node_id, reason=answer.reason, from_seq=want.from_seq)
            await connection.tell(node_id, want)
            return
        await connection.tell(node_id, signed_ack(self._hub.key, node_id, answer.head))


def _last_per_node(applied: Sequence[Applied]) -> dict[str, Applied]:
    """Acks are cumulative, so the last answer to a node says it all; a refusal says nothing."""
    return {one.node_id: one for one in applied if one.verdict is not Verdict.REFUSE}
