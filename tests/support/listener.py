"""A LinkListener that keeps what it hears."""

from __future__ import annotations

from dataclasses import dataclass, field

from bodega.v1 import sync_pb2


@dataclass
class Heard:
    """Everything, in order."""

    connections: list[bool] = field(default_factory=list)
    acks: list[sync_pb2.Ack] = field(default_factory=list)
    wants: list[sync_pb2.WantRequest] = field(default_factory=list)

    def connection_changed(self, connected: bool) -> None:
        self.connections.append(connected)

    def ack_received(self, ack: sync_pb2.Ack) -> None:
        self.acks.append(ack)

    def want_received(self, want: sync_pb2.WantRequest) -> None:
        self.wants.append(want)
