"""Answers to nodes that ask: heartbeats, and events straight from SQL when the broker has lost them."""

from __future__ import annotations

from bodega import packing
from bodega.codec import envelope_to_wire, head_from_ack, without_zero_characters
from bodega.core.pacing import come_back_after_ms
from bodega.core.protocol import PROTOCOL, skew_fault
from bodega.errors import BodegaError, Unavailable
from bodega.host.log import get_logger
from bodega.v1 import fleet_pb2, sync_pb2, telemetry_pb2
from bodega_controlplane.app.applying import refused
from bodega_controlplane.app.fleet import outbox, telemetry
from bodega_controlplane.app.fleet.heartbeat import Heartbeat
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import HealthView
from bodega_controlplane.services.heartbeats import HeartbeatDesk
from bodega_controlplane.services.signing import signed_ack
from bodega_controlplane.services.stream_watch import StreamWatch
from bodega_controlplane.services.up import UpReceiver
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)

# What every database takes as an integer.
_SEQUENCE_MAX = 2**63 - 1


class Replies:
    """See `services.ports.NodeQuestions`."""

    def __init__(self, hub: Hub, up: UpReceiver, watch: StreamWatch) -> None:
        self._hub = hub
        self._up = up
        self._watch = watch
        self._desk = HeartbeatDesk(hub)

    def come_back_after_ms(self) -> int:
        """Over what time nodes are to spread, by what waits here now; 0: as always."""
        return come_back_after_ms(self._desk.waiting, self._up.waiting)

    async def heartbeat(
        self, node_id: str, request: sync_pb2.HeartbeatRequest
    ) -> sync_pb2.HeartbeatResponse | None:
        """See NodeQuestions."""
        without_zero_characters(request)
        if request.node_id != node_id:
            return await self._fence_foreign(node_id, request)
        if request.head_seq > _SEQUENCE_MAX:
            await self.malformed(
                node_id, f"hb.{node_id}", request.SerializeToString(), "no journal is so long"
            )
            return None
        if fault := skew_fault(f"node {node_id}", request.protocol):
            log.warning("node_too_old", node_id=node_id, protocol=request.protocol)
            return sync_pb2.HeartbeatResponse(fenced=fault, protocol=PROTOCOL)
        beat = Heartbeat(
            node_id=node_id,
            epoch=request.epoch,
            boot_nonce=request.boot_nonce,
            head_seq=request.head_seq,
            down=head_from_ack(request.down),
            health=_health(request.health),
            acked=head_from_ack(request.acked) if request.HasField("acked") else None,
            stopped=request.stopped,
            paused_at_ms=request.paused_at_ms,
            understands=tuple(one for one in packing.UNDERSTOOD if one in request.understands),
        )
        answer = await self._desk.ask(beat)
        if answer is None:
            return None
        return sync_pb2.HeartbeatResponse(
            up=signed_ack(self._hub.key, node_id, answer.up) if answer.up else None,
            down_epoch=answer.down_epoch,
            down_head_seq=answer.down_seq,
            fenced=answer.fenced,
            come_back_after_ms=self.come_back_after_ms(),
            protocol=PROTOCOL,
            needs_new_epoch=answer.needs_new_epoch,
            up_incarnation=self._watch.up_incarnation,
            understands=packing.UNDERSTOOD,
        )

    async def _fence_foreign(
        self, node_id: str, request: sync_pb2.HeartbeatRequest
    ) -> sync_pb2.HeartbeatResponse:
        reason = refused.foreign_reason(node_id, request.node_id)
        await self._refuse(node_id, f"hb.{node_id}", request.SerializeToString(), reason, foreign=True)
        return sync_pb2.HeartbeatResponse(fenced=reason, protocol=PROTOCOL)

    async def malformed(self, node_id: str, subject: str, body: bytes, reason: str) -> None:
        """See NodeQuestions."""
        await self._refuse(node_id, subject, body, f"it is malformed: {reason}")

    async def _refuse(
        self, node_id: str, subject: str, body: bytes, reason: str, *, foreign: bool = False
    ) -> None:
        def keep(tx: Transaction) -> None:
            tx.lock_nodes([node_id])
            refused.keep(
                tx,
                self._hub.now_ms(),
                node_id=node_id,
                subject=subject,
                reason=reason,
                body=body,
                foreign=foreign,
            )

        try:
            await self._hub.run(keep)
        except Unavailable as error:
            log.warning("refusal_not_kept", node_id=node_id, reason=error.message)

    async def want(self, node_id: str, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse | None:
        """See NodeQuestions."""
        if max(request.epoch, request.from_seq) > _SEQUENCE_MAX:
            await self.malformed(
                node_id, f"events.{node_id}", request.SerializeToString(), "no stream is so long"
            )
            return None
        try:
            envelope = await self._hub.read(
                lambda tx: outbox.envelope_from(tx, node_id, request.epoch, request.from_seq)
            )
        except BodegaError as error:
            log.warning("want_unanswered", node_id=node_id, reason=error.message)
            return None
        return sync_pb2.WantResponse(envelope=envelope_to_wire(envelope) if envelope else None)

    async def telemetry(
        self, node_id: str, request: telemetry_pb2.TelemetryReport
    ) -> telemetry_pb2.TelemetryKept | None:
        """See NodeQuestions."""
        without_zero_characters(request)
        try:
            kept = await self._hub.run(
                lambda tx: telemetry.keep(tx, self._hub.now_ms(), node_id, request.rows)
            )
        except BodegaError as error:
            log.warning("telemetry_not_kept", node_id=node_id, reason=error.message)
            return None
        return telemetry_pb2.TelemetryKept(rows=kept)


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
