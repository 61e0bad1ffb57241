"""A broker and a hub's transport in memory, behind the same ports as the real ones; it can forget and fail.

`MemoryBroker` is what both ends share; `MemoryLink` is the node's HubLink; `MemoryHub` is the other end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bodega.v1 import sync_pb2, telemetry_pb2
from bodega_agent.services.ports import (
    LinkListener,
    LinkLost,
    PublishConflict,
    StoredEnvelope,
    StreamMissing,
)
from support.hub_book import HubBook


@dataclass
class MemoryBroker:
    """One node's two streams. `published` is every accepted up message; `fault` fails the next calls."""

    is_up: asyncio.Event = field(default_factory=asyncio.Event)
    is_down: asyncio.Event = field(default_factory=asyncio.Event)
    has_streams: bool = True
    stream_seq: int = 0
    published: list[bytes] = field(default_factory=list)
    last: dict[int, StoredEnvelope] = field(default_factory=dict)
    down: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    down_acked: int = 0
    book: HubBook | None = None
    on_up: Callable[[bytes], None] | None = None
    listener: LinkListener | None = None
    publish_tries: list[float] = field(default_factory=list)
    lose_receipts: int = 0
    spread_s: float = 0

    def start(self) -> None:
        self.is_down.clear()
        self.is_up.set()

    def stop(self) -> None:
        self.is_up.clear()
        self.is_down.set()

    def forget(self) -> None:
        """Lose the up stream's messages."""
        self.last.clear()
        self.published.clear()


@dataclass
class Delivery:
    """One message of the down stream."""

    body: bytes
    broker: MemoryBroker

    async def ack(self) -> None:
        if not self.broker.is_up.is_set():
            raise LinkLost("gone")
        self.broker.down_acked += 1


class MemoryLink:
    """HubLink of one node."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker
        self._connected = False

    @property
    def connected(self) -> bool:
        return self._connected

    def spread_over(self, seconds: float) -> None:
        self.broker.spread_s = seconds

    async def run(self, listener: LinkListener) -> None:
        self.broker.listener = listener
        try:
            while True:
                await self.broker.is_up.wait()
                self._connected = True
                listener.connection_changed(connected=True)
                await self.broker.is_down.wait()
                self._connected = False
                listener.connection_changed(connected=False)
        finally:
            self._connected = False

    def _live(self) -> MemoryBroker:
        if not self._connected:
            raise LinkLost("not connected")
        return self.broker

    async def publish_up(self, epoch: int, body: bytes, expected_last: int) -> int:
        self.broker.publish_tries.append(asyncio.get_running_loop().time())
        broker = self._live()
        await asyncio.sleep(0)
        if not broker.has_streams:
            raise StreamMissing("no stream")
        last = broker.last.get(epoch)
        if (last.stream_seq if last else 0) != expected_last:
            raise PublishConflict("wrong last sequence")
        broker.stream_seq += 1
        broker.last[epoch] = StoredEnvelope(broker.stream_seq, body)
        broker.published.append(body)
        if broker.on_up:
            broker.on_up(body)
        if broker.lose_receipts:
            broker.lose_receipts -= 1
            raise LinkLost("the receipt was lost")
        return broker.stream_seq

    async def last_up(self, epoch: int) -> StoredEnvelope | None:
        broker = self._live()
        await asyncio.sleep(0)
        if not broker.has_streams:
            raise StreamMissing("no stream")
        return broker.last.get(epoch)

    async def heartbeat(self, request: sync_pb2.HeartbeatRequest) -> sync_pb2.HeartbeatResponse:
        return self._book().answer_heartbeat(request)

    async def want_down(self, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse:
        return self._book().answer_want(request)

    async def report(self, telemetry: telemetry_pb2.TelemetryReport) -> telemetry_pb2.TelemetryKept:
        return self._book().keep_telemetry(telemetry)

    def _book(self) -> HubBook:
        book = self._live().book
        if book is None:
            raise LinkLost("no hub answers")
        return book

    async def next_down(self) -> Delivery:
        return Delivery(await self.broker.down.get(), self.broker)


class MemoryHub:
    """The hub's end: drives a test the same way as `support.nats_hub.NatsHub`."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker

    async def make_streams(self) -> None:
        self.broker.has_streams = True

    async def register(self) -> None:
        return

    async def answer(self, book: HubBook) -> None:
        self.broker.book = book

    async def ack(self, ack: sync_pb2.Ack) -> None:
        assert self.broker.listener is not None
        self.broker.listener.ack_received(ack)

    async def want(self, want: sync_pb2.WantRequest) -> None:
        assert self.broker.listener is not None
        self.broker.listener.want_received(want)

    async def publish_down(self, body: bytes) -> None:
        self.broker.down.put_nowait(body)

    async def up_messages(self) -> list[bytes]:
        return list(self.broker.published)

    async def down_unacked(self) -> int:
        return self.broker.down.qsize()

    async def forget_up(self) -> None:
        self.broker.forget()
