"""HubLink over NATS JetStream.

One nats-py client is one connection: when it ends, a new one is made after a wait of our own (full jitter),
for ever. nats-py's reconnecting is off because it gives up after some server errors, keeps half-sent
messages for the next connection, and cannot jitter its first connect. Pings see a half-open link in under
10 s. All errors of nats-py end here: callers see LinkLost, StreamMissing and PublishConflict.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from bodega.broker.connection import Broker, close, connect, stop_if_cancelled, until_closed
from bodega.broker.port import LinkLost, StoredEnvelope
from bodega.broker.streams import UP, consumer_of, last_of, publish_after
from bodega.core.backoff import full_jitter_s
from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import BROKER_REQUEST_S, HEARTBEAT_S, RECONNECT_BASE_S, RECONNECT_MAX_S
from bodega.v1 import sync_pb2, telemetry_pb2
from bodega_agent.services.ports import DownDelivery, LinkListener
from bodega_agent.transport.down import DownReceiver

log = get_logger(__name__)
M = TypeVar("M", bound=Message)
T = TypeVar("T")


class NatsLink:
    """The link of one node; see `services.ports.HubLink`."""

    def __init__(self, node_id: str, broker: Broker, *, draw: Callable[[], float] = random.random) -> None:
        self._node_id = node_id
        self._broker = broker
        self._draw = draw
        self._client: Client | None = None
        self._down = DownReceiver(consumer_of(node_id), draw=draw)
        self._spread_s = 0.0
        self._warned = False
        self._calls: set[asyncio.Future[Any]] = set()

    @property
    def connected(self) -> bool:
        """See HubLink."""
        return self._client is not None and self._client.is_connected

    def spread_over(self, seconds: float) -> None:
        """See HubLink."""
        self._spread_s = seconds

    async def run(self, listener: LinkListener) -> None:
        """See HubLink."""
        attempt = 0
        while True:
            started = asyncio.get_running_loop().time()
            await self._one_connection(listener)
            lived = asyncio.get_running_loop().time() - started
            attempt = 0 if lived > HEARTBEAT_S else attempt + 1
            await asyncio.sleep(
                full_jitter_s(
                    attempt, RECONNECT_BASE_S, RECONNECT_MAX_S, self._draw(), spread_s=self._spread_s
                )
            )

    async def _one_connection(self, listener: LinkListener) -> None:
        closed = asyncio.Event()
        try:
            client = await connect(
                self._broker, name=self._node_id, inbox_prefix=f"_INBOX_{self._node_id}", closed=closed
            )
        except Unavailable as error:
            self._say_lost(error.message)
            return
        try:
            await self._listen(client, listener)
            self._client = client
            self._say_connected()
            listener.connection_changed(connected=True)
            await self._receive_until_closed(client, closed)
            self._say_lost("the connection ended")
        except (NatsError, OSError, TimeoutError) as error:
            self._say_lost(str(error) or type(error).__name__)
        finally:
            self._end_calls()
            if self._client is not None:
                self._client = None
                listener.connection_changed(connected=False)
            await close(client)

    async def _receive_until_closed(self, client: Client, closed: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            receiving = tasks.create_task(self._down.run(client))
            await until_closed(client, closed)
            receiving.cancel()

    def _end_calls(self) -> None:
        for call in self._calls:
            call.cancel()

    def _say_connected(self) -> None:
        self._warned = False
        log.info("broker_connected", url=self._broker.url)

    def _say_lost(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            log.warning("broker_lost", url=self._broker.url, reason=reason, hint="trying again for ever")

    async def _listen(self, client: Client, listener: LinkListener) -> None:
        async def on_ack(message: Msg) -> None:
            ack = _parsed(sync_pb2.Ack(), message.data)
            if ack is not None:
                listener.ack_received(ack)

        async def on_want(message: Msg) -> None:
            want = _parsed(sync_pb2.WantRequest(), message.data)
            if want is not None:
                listener.want_received(want)

        await client.subscribe(f"ack.{self._node_id}", cb=on_ack)
        await client.subscribe(f"want.{self._node_id}", cb=on_want)
        # Only when the server has both is the link up: an ack to the first heartbeat must not be missed.
        await client.flush(timeout=int(BROKER_REQUEST_S))

    def _live(self) -> Client:
        if self._client is None:
            raise LinkLost("the broker is not connected", hint="see bodega sync; it connects by itself")
        return self._client

    async def _over_the_link(self, call: Coroutine[Any, Any, T]) -> T:
        """Await a call; LinkLost as soon as its connection has ended, without waiting for its timeout."""
        task = asyncio.ensure_future(call)
        self._calls.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            stop_if_cancelled()
            raise LinkLost("the connection ended before the answer came") from None
        finally:
            self._calls.discard(task)
            stop_if_cancelled()

    async def publish_up(self, epoch: int, body: bytes, expected_last: int) -> int:
        """See HubLink."""
        call = publish_after(self._live(), UP, self._up(epoch), body, expected_last)
        return await self._over_the_link(call)

    async def last_up(self, epoch: int) -> StoredEnvelope | None:
        """See HubLink."""
        return await self._over_the_link(last_of(self._live(), UP, self._up(epoch)))

    async def heartbeat(self, request: sync_pb2.HeartbeatRequest) -> sync_pb2.HeartbeatResponse:
        """See HubLink."""
        return await self._ask(f"hb.{self._node_id}", request, sync_pb2.HeartbeatResponse())

    async def want_down(self, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse:
        """See HubLink."""
        return await self._ask(f"events.{self._node_id}", request, sync_pb2.WantResponse())

    async def report(self, telemetry: telemetry_pb2.TelemetryReport) -> telemetry_pb2.TelemetryKept:
        """See HubLink."""
        return await self._ask(f"tel.{self._node_id}", telemetry, telemetry_pb2.TelemetryKept())

    async def next_down(self) -> DownDelivery:
        """See HubLink."""
        return await self._down.next()

    def _up(self, epoch: int) -> str:
        return f"up.{self._node_id}.{epoch}"

    async def _ask(self, subject: str, question: Message, answer: M) -> M:
        client = self._live()
        try:
            reply = await self._over_the_link(
                client.request(subject, question.SerializeToString(), timeout=BROKER_REQUEST_S)
            )
        except (NatsError, OSError, TimeoutError) as error:
            raise LinkLost(f"the hub does not answer on {subject}: {error}", hint="is it running?") from error
        if _parsed(answer, reply.data) is None:
            raise LinkLost(f"the hub's answer on {subject} is malformed", hint="is it a Bodega hub?")
        return answer


def _parsed(message: M, body: bytes) -> M | None:
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        log.warning("message_malformed", kind=message.DESCRIPTOR.name, reason=str(error))
        return None
    return message
