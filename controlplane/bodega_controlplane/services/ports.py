"""What the hub's running parts need from a broker, as small protocols: the mirror of the node's `HubLink`.

A link makes one connection after the other; what happens on each of them, and when the next one is tried, is the
business of `linking`. So a simulated broker has only to carry.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from bodega.broker.port import LinkLost, PublishConflict, StoredEnvelope, StreamMissing
from bodega.core.incarnation import StreamState
from bodega.v1 import sync_pb2, telemetry_pb2

__all__ = [
    "FleetConnection",
    "FleetLink",
    "LinkLost",
    "NodeQuestions",
    "PublishConflict",
    "StoredEnvelope",
    "StreamMissing",
    "StreamState",
    "UpMessage",
]


class UpMessage(Protocol):
    """One message of the nodes' streams; it comes again until it is acknowledged."""

    @property
    def node_id(self) -> str:
        """Whose stream: the broker lets nobody else publish on its subject."""
        ...

    @property
    def subject(self) -> str:
        """Where it was published, for people."""
        ...

    @property
    def body(self) -> bytes:
        """Bytes of an Envelope, or of anything."""
        ...

    @property
    def behind(self) -> int:
        """How many messages waited behind this one when it was delivered."""
        ...

    async def ack(self) -> None:
        """Done with it; raises LinkLost, and then it comes again."""
        ...


class NodeQuestions(Protocol):
    """Who answers nodes that ask. `node_id` is who asks: the broker vouches for it. None: no answer."""

    async def heartbeat(
        self, node_id: str, request: sync_pb2.HeartbeatRequest
    ) -> sync_pb2.HeartbeatResponse | None:
        """A node says how it is. Never raises."""
        ...

    async def want(self, node_id: str, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse | None:
        """A node asks for events of its stream, straight from the database. Never raises."""
        ...

    async def telemetry(
        self, node_id: str, request: telemetry_pb2.TelemetryReport
    ) -> telemetry_pb2.TelemetryKept | None:
        """A node tells what is good to know. Never raises."""
        ...

    async def malformed(self, node_id: str, subject: str, body: bytes, reason: str) -> None:
        """What a node asked is no question at all. Never raises."""
        ...


class FleetConnection(Protocol):
    """One connection to the broker. Every call raises LinkLost once it has ended."""

    async def until_closed(self) -> None:
        """Return when the connection has ended."""
        ...

    async def close(self) -> None:
        """End it, at once."""
        ...

    async def make_streams(self) -> None:
        """Make both streams and the hub's consumer, or bring them up to date; loses nothing that is there."""
        ...

    async def stream_states(self) -> Mapping[str, StreamState]:
        """What the broker says of both streams, by name ("UP", "DOWN"); raises StreamMissing if one is not there."""
        ...

    async def make_node_consumer(self, node_id: str) -> None:
        """Make the consumer that a node receives by, if it is not there; raises StreamMissing."""
        ...

    def up_batches(self, batch_max: int) -> AsyncGenerator[Sequence[UpMessage], None]:
        """Messages of all nodes, in the order of each node's stream, 1 to `batch_max` at a time, for ever.

        Raises StreamMissing when the consumer is gone or silent: make the streams, and call again. One that is left
        before its end must be closed, or it keeps receiving.
        """
        ...

    async def publish_down(self, node_id: str, epoch: int, body: bytes, expected_last: int) -> int:
        """Append an envelope to the stream for a node and return its sequence in the broker's stream.

        `expected_last` is the stream sequence of the subject's last message, 0 for none; raises
        PublishConflict if that is not so, StreamMissing if the broker has no such stream.
        """
        ...

    async def last_down(self, node_id: str, epoch: int) -> StoredEnvelope | None:
        """The last message to a node, or None; raises StreamMissing."""
        ...

    async def tell(self, node_id: str, news: sync_pb2.Ack | sync_pb2.WantRequest) -> None:
        """Say something to a node at once; it may be lost, a heartbeat heals it."""
        ...


class FleetLink(Protocol):
    """Where connections come from."""

    @property
    def address(self) -> str:
        """Where the broker is, for people."""
        ...

    async def connect(self, questions: NodeQuestions) -> FleetConnection:
        """Connect once, and from then on let `questions` answer the nodes; raises Unavailable."""
        ...
