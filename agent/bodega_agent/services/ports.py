"""What the services of the node need from its store and from the network, as small protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bodega.broker.port import LinkLost, PublishConflict, StoredEnvelope, StreamMissing
from bodega.core.sync import Head, Recorded
from bodega.v1 import sync_pb2, telemetry_pb2

__all__ = [
    "DownDelivery",
    "HubLink",
    "LinkListener",
    "LinkLost",
    "PublishConflict",
    "StoredEnvelope",
    "StreamMissing",
    "SyncJournal",
]


class SyncJournal(Protocol):
    """The node's store, as sync sees it. Errors are `Unavailable` if trying again may help."""

    async def head(self) -> Head:
        """The journal's last event; sequence 0 and the genesis hash if it is empty."""
        ...

    async def events_after(self, seq: int, limit: int) -> list[Recorded]:
        """Consecutive events from `seq + 1` on, at most `limit`; empty at the head."""
        ...

    async def hash_at(self, seq: int) -> bytes | None:
        """Chain hash at a sequence from 0 (genesis) to the head; None beyond it."""
        ...

    async def acked(self) -> Head:
        """The highest head of this epoch that the hub has acknowledged."""
        ...

    async def record_ack(self, head: Head) -> None:
        """Keep an ack, durably; one that is not higher than the last changes nothing."""
        ...

    async def down_head(self) -> Head:
        """How far the hub's stream has been applied."""
        ...

    async def apply_down(self, events: Sequence[tuple[int, bytes]], head: Head) -> None:
        """Apply hub events (sequence, bytes) and move the down head to `head`, in one durable transaction.

        They are consecutive, checked against the chain, and follow `down_head()`; one that is not
        understood is parked, never refused. None at all: only the head moves, to a new stream's start.
        """
        ...

    async def wait_for_news(self, after_seq: int) -> None:
        """Return once the journal's head is beyond `after_seq`."""
        ...


class DownDelivery(Protocol):
    """One message of the hub's stream; it comes again until it is acknowledged."""

    @property
    def body(self) -> bytes:
        """Bytes of an Envelope."""
        ...

    async def ack(self) -> None:
        """Done with it. May be lost with the link: then it comes again."""
        ...


class LinkListener(Protocol):
    """Who hears what comes over the link unasked. The calls return at once and never raise."""

    def connection_changed(self, connected: bool) -> None:
        """The broker is there now, or is gone."""
        ...

    def ack_received(self, ack: sync_pb2.Ack) -> None:
        """The hub says that it has committed; not yet verified."""
        ...

    def want_received(self, want: sync_pb2.WantRequest) -> None:
        """The hub asks for the journal from a sequence on."""
        ...


class HubLink(Protocol):
    """The way to the hub. Every call raises LinkLost while there is none."""

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        ...

    async def run(self, listener: LinkListener) -> None:
        """Connect, and connect again, for ever; returns only by cancellation, with the link closed."""
        ...

    def spread_over(self, seconds: float) -> None:
        """The hub asks that, if this connection is lost, the next tries are spread over so long; 0 takes it back."""
        ...

    async def publish_up(self, epoch: int, body: bytes, expected_last: int) -> int:
        """Append an envelope to the journal's stream and return its sequence in the broker's stream.

        `expected_last` is the stream sequence of the subject's last message, 0 for none; raises
        PublishConflict if that is not so, StreamMissing if the broker has no such stream.
        """
        ...

    async def last_up(self, epoch: int) -> StoredEnvelope | None:
        """The subject's last message, or None; raises StreamMissing."""
        ...

    async def heartbeat(self, request: sync_pb2.HeartbeatRequest) -> sync_pb2.HeartbeatResponse:
        """Ask the hub; raises LinkLost if it does not answer."""
        ...

    async def want_down(self, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse:
        """Ask the hub for events of its stream, straight from its database."""
        ...

    async def report(self, telemetry: telemetry_pb2.TelemetryReport) -> telemetry_pb2.TelemetryKept:
        """Give the hub what is good to know; raises LinkLost if it does not say that it has it."""
        ...

    async def next_down(self) -> DownDelivery:
        """Wait for the next message of the hub's stream, over lost links too."""
        ...
