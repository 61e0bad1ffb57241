"""The hub's end of one node's sync as plain values: what it has committed, and how it answers.

A transport (in memory, or NATS) is wrapped around it by `support.sync_links`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bodega.codec import ack_text, envelope_from_bytes, envelope_to_bytes, head_to_ack
from bodega.core.chain import GENESIS, link
from bodega.core.sync import Head, Recorded, Verdict, judge, pack
from bodega.limits import ENVELOPE_EVENTS_MAX
from bodega.v1 import sync_pb2, telemetry_pb2
from bodega_agent.identity import HubKey


@dataclass
class HubBook:
    """Applies the node's stream and writes its own; `fenced` goes out with every heartbeat."""

    node_id: str = "lisbon-01"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    head: Head = field(default_factory=Head)
    up: list[bytes] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    down_epoch: int = 1
    down: list[Recorded] = field(default_factory=list)
    heartbeats: list[sync_pb2.HeartbeatRequest] = field(default_factory=list)
    wants: list[sync_pb2.WantRequest] = field(default_factory=list)
    fenced: str = ""
    come_back_after_ms: int = 0
    up_incarnation: int = 0
    telemetry: list[telemetry_pb2.TelemetryRow] = field(default_factory=list)

    @property
    def hub_key(self) -> HubKey:
        """The public half, as a node pins it."""
        return HubKey(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def take_up(self, body: bytes) -> Verdict:
        """Commit an envelope of the node, if it fits."""
        judgement = judge(self.head, envelope_from_bytes(body))
        self.verdicts.append(judgement.verdict)
        if judgement.verdict is Verdict.APPLY:
            self.up += judgement.events
            self.head = Head(self.head.epoch, len(self.up), judgement.hashes[-1])
        return judgement.verdict

    def ack(self, head: Head | None = None) -> sync_pb2.Ack:
        """A signed ack of `head`, or of what is committed."""
        ack = head_to_ack(self.node_id, head or self.head)
        ack.signature = self.key.sign(ack_text(ack))
        return ack

    def write_down(self, *bodies: bytes) -> None:
        """Record hub events for the node."""
        for body in bodies:
            before = self.down[-1].hash if self.down else GENESIS
            self.down.append(Recorded(len(self.down) + 1, body, link(before, body)))

    def down_envelope(self, from_seq: int, count: int = ENVELOPE_EVENTS_MAX) -> bytes:
        """The events of the down stream from a sequence on."""
        before = Head(
            self.down_epoch, from_seq - 1, self.down[from_seq - 2].hash if from_seq > 1 else GENESIS
        )
        events = self.down[from_seq - 1 : from_seq - 1 + count]
        return envelope_to_bytes(pack(self.node_id, before, events))

    def answer_heartbeat(self, request: sync_pb2.HeartbeatRequest) -> sync_pb2.HeartbeatResponse:
        """What the hub says to a heartbeat."""
        self.heartbeats.append(request)
        return sync_pb2.HeartbeatResponse(
            up=self.ack(),
            down_epoch=self.down_epoch,
            down_head_seq=len(self.down),
            fenced=self.fenced,
            come_back_after_ms=self.come_back_after_ms,
            up_incarnation=self.up_incarnation,
        )

    def keep_telemetry(self, report: telemetry_pb2.TelemetryReport) -> telemetry_pb2.TelemetryKept:
        """Take what is good to know."""
        self.telemetry += report.rows
        return telemetry_pb2.TelemetryKept(rows=len(report.rows))

    def answer_want(self, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse:
        """Events of the down stream straight from the book."""
        self.wants.append(request)
        if not 1 <= request.from_seq <= len(self.down):
            return sync_pb2.WantResponse()
        body = self.down_envelope(request.from_seq)
        return sync_pb2.WantResponse(envelope=sync_pb2.Envelope.FromString(body))
