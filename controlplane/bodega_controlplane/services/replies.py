"""Answers to nodes that ask: heartbeats, and events straight from SQL when the broker has lost them."""

from __future__ import annotations

from bodega.codec import envelope_to_wire, head_from_ack
from bodega.errors import BodegaError
from bodega.host.log import get_logger
from bodega.v1 import fleet_pb2, sync_pb2
from bodega_controlplane.app import heartbeat, outbox
from bodega_controlplane.app.heartbeat import Heartbeat
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import HealthView
from bodega_controlplane.services.signing import signed_ack
from bodega_controlplane.services.stream_watch import StreamWatch

log = get_logger(__name__)


class Replies:
    """See `services.ports.NodeQuestions`."""

    def __init__(self, hub: Hub, watch: StreamWatch) -> None:
        self._hub = hub
        self._watch = watch

    async def heartbeat(
        self, node_id: str, request: sync_pb2.HeartbeatRequest
    ) -> sync_pb2.HeartbeatResponse | None:
        """See NodeQuestions."""
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
        try:
            answer = await self._hub.run(lambda tx: heartbeat.beat(tx, self._hub.now_ms(), beat))
        except BodegaError as error:
            log.warning("heartbeat_unanswered", node_id=node_id, reason=error.message)
            return None
        return sync_pb2.HeartbeatResponse(
            up=signed_ack(self._hub.key, node_id, answer.up) if answer.up else None,
            down_epoch=answer.down_epoch,
            down_head_seq=answer.down_seq,
            fenced=answer.fenced,
            up_incarnation=self._watch.up_incarnation,
        )

    async def want(self, node_id: str, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse | None:
        """See NodeQuestions."""
        try:
            envelope = await self._hub.read(
                lambda tx: outbox.envelope_from(tx, node_id, request.epoch, request.from_seq)
            )
        except BodegaError as error:
            log.warning("want_unanswered", node_id=node_id, reason=error.message)
            return None
        return sync_pb2.WantResponse(envelope=envelope_to_wire(envelope) if envelope else None)


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
