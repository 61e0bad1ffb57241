"""FleetLink over NATS JetStream; all errors of nats-py end here, callers see those of the port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from bodega.broker.connection import Broker, close, connect, until_closed
from bodega.broker.port import LinkLost, StoredEnvelope, StreamMissing
from bodega.broker.pulling import Pull, PullEnded, batches
from bodega.broker.rpc_channel import RpcChannel
from bodega.broker.rpc_wire import Answering, Listener, NatsWire
from bodega.broker.streams import DOWN, UP, UP_CONSUMER, last_of, publish_after, told_in_our_words
from bodega.core.incarnation import StreamState
from bodega.host.log import get_logger
from bodega.limits import (
    BROKER_REQUEST_S,
    QUESTIONS_AT_ONCE_MAX,
    QUESTIONS_WAITING_MAX,
    UP_ENVELOPES_PER_PULL_MAX,
    UP_PULL_HEARTBEAT_S,
    UP_PULL_S,
)
from bodega.v1 import sync_pb2, telemetry_pb2
from bodega_controlplane.services.ports import NodeQuestions, UpMessage
from bodega_controlplane.transport.streams import make_node_consumer, make_streams, state_of

log = get_logger(__name__)
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

# Several instances of the hub share the questions.
_QUEUE = "hub"
_SUBJECT_PARTS = 3
_NODE_IN_CALL = 2


class NatsFleet:
    """The link of one hub; see `services.ports.FleetLink`."""

    def __init__(
        self, broker: Broker, calls: Callable[[], Answering] | None = None, *, replicas: int = 1
    ) -> None:
        """`calls`: the server of what nodes may call; None serves nothing. `replicas`: servers that keep a stream."""
        self._broker = broker
        self._replicas = replicas
        self._calls = calls
        self._client: Client | None = None
        self._wire = NatsWire(self._live)

    def channel(self, node_id: str) -> RpcChannel:
        """A channel for stubs of the services that a node serves, over whichever connection is there."""
        return RpcChannel(self._wire, f"rpc.node.{node_id}")

    def _live(self) -> Client:
        if self._client is None:
            raise LinkLost("the broker is not connected", hint="see the log of bodegactl serve")
        return self._client

    @property
    def address(self) -> str:
        """See FleetLink."""
        return self._broker.url

    async def connect(self, questions: NodeQuestions) -> NatsConnection:
        """See FleetLink."""
        closed = asyncio.Event()
        client = await connect(
            self._broker, name="bodega-controlplane", inbox_prefix="_INBOX_hub", closed=closed
        )
        connection = NatsConnection(client, closed, self._ended, self._replicas)
        self._client = client
        try:
            await connection.listen(questions, self._calls)
        except BaseException:
            await connection.close()
            raise
        return connection

    def _ended(self) -> None:
        self._client = None
        self._wire.end_calls()


class NatsConnection:
    """One nats-py client; see `services.ports.FleetConnection`."""

    def __init__(
        self, client: Client, closed: asyncio.Event, on_end: Callable[[], None], replicas: int
    ) -> None:
        self._client = client
        self._replicas = replicas
        self._closed = closed
        self._on_end = on_end
        self._listener: Listener | None = None

    async def listen(self, questions: NodeQuestions, calls: Callable[[], Answering] | None) -> None:
        """Subscribe; the subject says who asks, because the broker lets nobody else publish on it."""
        on_heartbeat = _answering(questions, sync_pb2.HeartbeatRequest, questions.heartbeat)
        on_want = _answering(questions, sync_pb2.WantRequest, questions.want)
        on_telemetry = _answering(questions, telemetry_pb2.TelemetryReport, questions.telemetry)
        with told_in_our_words("listen"):
            for subject, callback in (
                ("hb.*", on_heartbeat),
                ("events.*", on_want),
                ("tel.*", on_telemetry),
            ):
                await self._client.subscribe(
                    subject, queue=_QUEUE, cb=callback, pending_msgs_limit=QUESTIONS_WAITING_MAX
                )
            if calls is not None:
                self._listener = Listener(calls, caller_at=_NODE_IN_CALL)
                await self._listener.listen(self._client, "rpc.hub.*", queue=_QUEUE)
            await self._client.flush(timeout=int(BROKER_REQUEST_S))

    async def until_closed(self) -> None:
        """See FleetConnection."""
        await until_closed(self._client, self._closed)

    async def close(self) -> None:
        """See FleetConnection."""
        self._on_end()
        if self._listener is not None:
            self._listener.close()
        await close(self._client)

    async def make_streams(self) -> None:
        """See FleetConnection."""
        with told_in_our_words("make the streams"):
            await make_streams(self._client, self._replicas)

    async def stream_states(self) -> Mapping[str, StreamState]:
        """See FleetConnection."""
        with told_in_our_words("ask for the streams"):
            return {name: await state_of(self._client, name) for name in (UP, DOWN)}

    async def make_node_consumer(self, node_id: str) -> None:
        """See FleetConnection."""
        with told_in_our_words(f"make the consumer of {node_id}"):
            await make_node_consumer(self._client, node_id)

    async def up_batches(self, batch_max: int) -> AsyncGenerator[Sequence[UpMessage], None]:
        """See FleetConnection."""
        pull = Pull(
            UP,
            UP_CONSUMER,
            messages_max=UP_ENVELOPES_PER_PULL_MAX,
            batch_max=batch_max,
            expires_s=UP_PULL_S,
            heartbeat_s=UP_PULL_HEARTBEAT_S,
        )
        with told_in_our_words("pull"):
            try:
                async with aclosing(batches(self._client, pull)) as pulled:
                    async for batch in pulled:
                        yield [NatsUpMessage(message) for message in batch]
            except PullEnded as error:
                raise StreamMissing(f"the hub's consumer does not answer: {error}") from error

    async def publish_down(self, node_id: str, epoch: int, body: bytes, expected_last: int) -> int:
        """See FleetConnection."""
        return await publish_after(self._client, DOWN, f"down.{node_id}.{epoch}", body, expected_last)

    async def last_down(self, node_id: str, epoch: int) -> StoredEnvelope | None:
        """See FleetConnection."""
        return await last_of(self._client, DOWN, f"down.{node_id}.{epoch}")

    async def tell(self, node_id: str, news: sync_pb2.Ack | sync_pb2.WantRequest) -> None:
        """See FleetConnection."""
        kind = "ack" if isinstance(news, sync_pb2.Ack) else "want"
        with told_in_our_words(f"tell {node_id}"):
            await self._client.publish(f"{kind}.{node_id}", news.SerializeToString())


class NatsUpMessage:
    """One message; see `services.ports.UpMessage`."""

    def __init__(self, message: Msg) -> None:
        parts = message.subject.split(".")
        assert len(parts) == _SUBJECT_PARTS, "the stream takes no other subjects"
        self.node_id: str = parts[1]
        self.subject: str = message.subject
        self.body: bytes = message.data
        self.behind: int = message.metadata.num_pending
        self._message = message

    async def ack(self) -> None:
        """See UpMessage."""
        with told_in_our_words("acknowledge"):
            await self._message.ack()


def _answering(
    questions: NodeQuestions, kind: type[Q], answer: Callable[[str, Q], Awaitable[A | None]]
) -> Callable[[Msg], Awaitable[None]]:
    """A callback that answers one kind of question, if an answer was asked for: many at once, up to a bound."""
    room = asyncio.Semaphore(QUESTIONS_AT_ONCE_MAX)
    answering: set[asyncio.Task[None]] = set()

    async def respond(message: Msg) -> None:
        node_id = str(message.subject.split(".")[1])
        try:
            question = kind.FromString(message.data)
            response = await answer(node_id, question)
            if response is not None and message.reply:
                await message.respond(response.SerializeToString())
        except DecodeError as error:
            await questions.malformed(node_id, message.subject, message.data, str(error))
        except (NatsError, OSError):
            log.debug("answer_not_sent", subject=message.subject)  # the connection is gone; it asks again
        finally:
            room.release()

    async def on_question(message: Msg) -> None:
        await room.acquire()
        task = asyncio.create_task(respond(message))
        answering.add(task)
        task.add_done_callback(answering.discard)

    return on_question
