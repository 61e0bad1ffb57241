"""The nodes' journals from the broker into the database: commit first, acknowledge afterwards.

A batch is one transaction. The broker's own acknowledgement and the counter-signed Ack to the node follow
the commit, so a crash in between only makes the broker deliver again what the hub then knows already.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from nats.aio.client import Client
from nats.aio.msg import Msg

from bodega.core.backoff import full_jitter_s
from bodega.core.sync import Verdict
from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import RECONNECT_BASE_S, RECONNECT_MAX_S, UP_ENVELOPES_PER_COMMIT_MAX
from bodega.v1 import sync_pb2
from bodega_controlplane.app import journal
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.journal import Applied, Delivery
from bodega_controlplane.transport.pulling import batches
from bodega_controlplane.transport.signing import signed_ack
from bodega_controlplane.transport.streams import UP, UP_CONSUMER

log = get_logger(__name__)

_SUBJECT_PARTS = 3


class UpReceiver:
    """Applies what the nodes send, over one connection."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def run(self, client: Client) -> None:
        """Until the consumer or the connection is lost: raises ConsumerLost and the errors of nats-py."""
        async for messages in batches(client, UP, UP_CONSUMER, UP_ENVELOPES_PER_COMMIT_MAX):
            applied = await self._apply([_delivery(message) for message in messages])
            for message in messages:
                await message.ack()
            for node_id, answer in _last_per_node(applied).items():
                await self._answer(client, node_id, answer)

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
            await asyncio.sleep(
                full_jitter_s(attempt, RECONNECT_BASE_S, RECONNECT_MAX_S, random.random())  # noqa: S311 - jitter
            )

    async def _apply_alone(self, delivery: Delivery) -> Applied:
        now_ms = self._hub.now_ms()
        try:
            return (await self._hub.run(lambda tx: journal.apply(tx, now_ms, [delivery])))[0]
        except Unavailable:
            raise
        except Exception as error:  # the envelope is kept for people; its node waits, the others go on
            log.exception("envelope_failed", node_id=delivery.node_id)
            reason = f"it could not be applied: {type(error).__name__}"
            return await self._hub.run(lambda tx: journal.refuse(tx, now_ms, delivery, reason))

    async def _answer(self, client: Client, node_id: str, answer: Applied) -> None:
        if answer.head is None or answer.verdict is Verdict.REFUSE:
            return
        if answer.verdict is Verdict.GAP:
            want = sync_pb2.WantRequest(
                node_id=node_id, epoch=answer.head.epoch, from_seq=answer.head.seq + 1
            )
            log.info("gap_found", node_id=node_id, reason=answer.reason, from_seq=want.from_seq)
            await client.publish(f"want.{node_id}", want.SerializeToString())
            return
        ack = signed_ack(self._hub.key, node_id, answer.head)
        await client.publish(f"ack.{node_id}", ack.SerializeToString())


def _delivery(message: Msg) -> Delivery:
    parts = message.subject.split(".")
    assert len(parts) == _SUBJECT_PARTS, "the stream takes no other subjects"
    return Delivery(parts[1], message.subject, message.data)


def _last_per_node(applied: Sequence[Applied]) -> dict[str, Applied]:
    """Acks are cumulative, so the last answer to a node says it all; a refusal says nothing."""
    return {one.node_id: one for one in applied if one.verdict is not Verdict.REFUSE}
