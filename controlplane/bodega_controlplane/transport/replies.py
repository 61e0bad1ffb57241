"""Answers to nodes that ask: heartbeats, and events straight from SQL when the broker has lost them."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.aio.msg import Msg

from bodega import packing
from bodega.codec import envelope_to_bytes, head_from_ack
from bodega.errors import BodegaError
from bodega.host.log import get_logger
from bodega.v1 import fleet_pb2, sync_pb2
from bodega_controlplane.app import heartbeat, outbox
from bodega_controlplane.app.heartbeat import Heartbeat
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import HealthView
from bodega_controlplane.transport.signing import signed_ack

log = get_logger(__name__)

# Several instances of the hub share the questions.
_QUEUE = "hub"


class Replies:
    """Answers over one connection."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def listen(self, client: Client) -> None:
        """Subscribe; the subject says who asks, because the broker lets nobody else publish on it."""
        await client.subscribe("hb.*", queue=_QUEUE, cb=self._on_heartbeat)
        await client.subscribe("events.*", queue=_QUEUE, cb=self._on_events)

    async def _on_heartbeat(self, message: Msg) -> None:
        try:
            request = sync_pb2.HeartbeatRequest.FromString(message.data)
            response = await self._heartbeat(_asker(message), request)
        except DecodeError as error:
            log.warning("heartbeat_malformed", subject=message.subject, reason=str(error))
        except BodegaError as error:
            log.warning("heartbeat_unanswered", subject=message.subject, reason=error.message)
        else:
            await _respond(message, response.SerializeToString())

    async def _heartbeat(
        self, node_id: str, request: sync_pb2.HeartbeatRequest
    ) -> sync_pb2.HeartbeatResponse:
        if request.node_id != node_id:
            log.warning("node_speaks_for_another", node_id=node_id, named=request.node_id[:80])
            return sync_pb2.HeartbeatResponse(
                fenced=f"it says it is '{request.node_id[:80]}' with the credentials of '{node_id}'"
            )
        beat = Heartbeat(
            node_id=node_id,
            epoch=request.epoch,
            boot_nonce=request.boot_nonce,
            head_seq=request.head_seq,
            down=head_from_ack(request.down),
            health=_health(request.health),
        )
        answer = await self._hub.run(lambda tx: heartbeat.beat(tx, self._hub.now_ms(), beat))
        return sync_pb2.HeartbeatResponse(
            up=signed_ack(self._hub.key, node_id, answer.up) if answer.up else None,
            down_epoch=answer.down_epoch,
            down_head_seq=answer.down_seq,
            fenced=answer.fenced,
            understands=packing.UNDERSTOOD,
        )

    async def _on_events(self, message: Msg) -> None:
        try:
            want = sync_pb2.WantRequest.FromString(message.data)
        except DecodeError as error:
            log.warning("want_malformed", subject=message.subject, reason=str(error))
            return
        node_id = _asker(message)
        try:
            envelope = await self._hub.read(
                lambda tx: outbox.envelope_from(tx, node_id, want.epoch, want.from_seq)
            )
        except BodegaError as error:
            log.warning("want_unanswered", node_id=node_id, reason=error.message)
            return
        response = sync_pb2.WantResponse()
        if envelope is not None:
            response.envelope.ParseFromString(envelope_to_bytes(envelope))
        await _respond(message, response.SerializeToString())


def _asker(message: Msg) -> str:
    return str(message.subject.split(".")[1])


async def _respond(message: Msg, body: bytes) -> None:
    """Answer, if an answer was asked for: anybody may publish without a reply subject."""
    if message.reply:
        await message.respond(body)


def _health(health: fleet_pb2.Health) -> HealthView:
    return HealthView(
        version=health.version,
        generation=health.generation,
        oldest_unacked_ms=health.oldest_unacked_ms,
        disk_free_bytes=health.disk_free_bytes,
        devices_lost=tuple(health.devices_lost),
        vision_provider=health.vision_provider,
        labels_unknown=health.labels_unknown,
        ledger_ok=health.ledger_ok,
        disk_rung=health.disk_rung,
        ledger_problem=health.ledger_problem,
    )
