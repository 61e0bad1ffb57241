"""The sync's two ports over a simulated broker: `SimHubLink` for a node, `SimFleet` for the hub."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError

from bodega.broker.port import LinkLost, StoredEnvelope, StreamMissing
from bodega.broker.rpc_channel import RpcChannel
from bodega.broker.rpc_server import RpcServer
from bodega.core.backoff import full_jitter_s
from bodega.core.incarnation import StreamState
from bodega.errors import Unavailable
from bodega.limits import (
    DOWN_ENVELOPES_PER_PULL_MAX,
    HEARTBEAT_S,
    RECONNECT_BASE_S,
    RECONNECT_MAX_S,
)
from bodega.v1 import sync_pb2, telemetry_pb2
from bodega_agent.services.ports import DownDelivery, LinkListener
from bodega_controlplane.services.ports import NodeQuestions, UpMessage
from simulator.broker import Hear, Message, Reply, SimBroker
from simulator.connection import BrokerEnd, Connection
from simulator.network import Wire

UP, DOWN, HUB = "UP", "DOWN", "hub"
_PULL_MESSAGES = 128
PAYLOAD_BYTES_MAX = 1024 * 1024
Ask: TypeAlias = Callable[[str, Any], Coroutine[Any, Any, Any]]


class Delivery:
    """One message of a consumer, as both ports want it."""

    def __init__(self, connection: Connection, stream: str, consumer: str, message: Message) -> None:
        self.body = message.body
        self.behind = message.behind
        self.subject = message.subject
        self.node_id = message.subject.split(".")[1]
        self._connection = connection
        self._done = lambda broker: broker.ack(stream, consumer, message.seq)

    async def ack(self) -> None:
        """See DownDelivery and UpMessage."""
        self._connection.post(self._done)


class SimHubLink:
    """HubLink of one node."""

    def __init__(self, node_id: str, end: BrokerEnd, wire: Wire, *, draw: Callable[[], float]) -> None:
        self._node_id = node_id
        self._end = end
        self._wire = wire
        self._draw = draw
        self._connection: Connection | None = None
        self._spread_s = 0.0
        self._arrived: asyncio.Queue[Delivery] = asyncio.Queue(maxsize=1)

    @property
    def connected(self) -> bool:
        """See HubLink."""
        return self._connection is not None and self._connection.is_open

    def spread_over(self, seconds: float) -> None:
        """See HubLink."""
        self._spread_s = seconds

    async def run(self, listener: LinkListener) -> None:
        """See HubLink."""
        clock = asyncio.get_running_loop().time
        attempt = 0
        while True:
            started_s = clock()
            with contextlib.suppress(LinkLost):
                await self._one_connection(listener)
            attempt = 0 if clock() - started_s > HEARTBEAT_S else attempt + 1
            draw, spread_s = self._draw(), self._spread_s
            await asyncio.sleep(
                full_jitter_s(attempt, RECONNECT_BASE_S, RECONNECT_MAX_S, draw, spread_s=spread_s)
            )

    async def _one_connection(self, listener: LinkListener) -> None:
        connection = Connection(self._end, self._wire)
        receiving: asyncio.Task[None] | None = None
        try:
            await connection.open()
            for word, kind, hear in (
                ("ack", sync_pb2.Ack, listener.ack_received),
                ("want", sync_pb2.WantRequest, listener.want_received),
            ):
                await connection.listen(f"{word}.{self._node_id}", _hearing(kind, hear))
            self._connection = connection
            listener.connection_changed(connected=True)
            receiving = asyncio.create_task(self._receive(connection))
            await connection.until_closed()
        finally:
            connection.end()
            if receiving is not None:
                receiving.cancel()
            if self._connection is not None:
                self._connection = None
                listener.connection_changed(connected=False)

    async def _receive(self, connection: Connection) -> None:
        consumer = f"node-{self._node_id}"
        misses = 0
        while connection.is_open:
            try:
                async for message in connection.pulled(DOWN, consumer, DOWN_ENVELOPES_PER_PULL_MAX):
                    misses = 0
                    await self._arrived.put(Delivery(connection, DOWN, consumer, message))
            except Unavailable:
                misses += 1
            await asyncio.sleep(full_jitter_s(misses, RECONNECT_BASE_S, RECONNECT_MAX_S, self._draw()))

    def _live(self) -> Connection:
        if self._connection is None:
            raise LinkLost("the broker is not connected")
        return self._connection

    async def publish_up(self, epoch: int, body: bytes, expected_last: int) -> int:
        """See HubLink."""
        subject = f"up.{self._node_id}.{epoch}"
        return await self._live().call(lambda broker: broker.publish(UP, subject, body, expected_last))

    async def last_up(self, epoch: int) -> StoredEnvelope | None:
        """See HubLink."""
        return await self._live().call(lambda broker: broker.last(UP, f"up.{self._node_id}.{epoch}"))

    async def heartbeat(self, request: sync_pb2.HeartbeatRequest) -> sync_pb2.HeartbeatResponse:
        """See HubLink."""
        body = await self._live().ask(f"hb.{self._node_id}", request.SerializeToString())
        return sync_pb2.HeartbeatResponse.FromString(body)

    async def want_down(self, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse:
        """See HubLink."""
        body = await self._live().ask(f"events.{self._node_id}", request.SerializeToString())
        return sync_pb2.WantResponse.FromString(body)

    async def report(self, telemetry: telemetry_pb2.TelemetryReport) -> telemetry_pb2.TelemetryKept:
        """See HubLink."""
        body = await self._live().ask(f"tel.{self._node_id}", telemetry.SerializeToString())
        return telemetry_pb2.TelemetryKept.FromString(body)

    async def next_down(self) -> DownDelivery:
        """See HubLink."""
        return await self._arrived.get()

    def channel(self) -> RpcChannel:
        """See HubLink."""
        return RpcChannel(_RpcWire(self._live), f"rpc.hub.{self._node_id}")


class _RpcWire:
    """Carries the frames of calls over whichever connection is there: see `bodega.broker.rpc_channel.Wire`."""

    def __init__(self, live: Callable[[], Connection]) -> None:
        self._live = live

    @property
    def payload_bytes_max(self) -> int:
        """See Wire."""
        self._live()
        return PAYLOAD_BYTES_MAX

    async def request(self, subject: str, frame: bytes, timeout_s: float) -> bytes:
        """See Wire."""
        async with asyncio.timeout(timeout_s):
            return await self._live().ask(subject, frame)

    async def send(self, subject: str, frame: bytes) -> None:
        """See Wire."""
        with contextlib.suppress(Unavailable):
            self._live().post(lambda broker: broker.say(subject, frame))


class SimFleet:
    """FleetLink of a hub; `calls` serves what nodes may call."""

    address = "simulated"

    def __init__(self, end: BrokerEnd, wire: Wire, calls: RpcServer | None = None) -> None:
        self._end = end
        self._wire = wire
        self._calls = calls

    async def connect(self, questions: NodeQuestions) -> SimFleetConnection:
        """See FleetLink."""
        connection = Connection(self._end, self._wire)
        await connection.open()
        fleet = SimFleetConnection(connection)
        await fleet.answer("hb.*", sync_pb2.HeartbeatRequest, questions, questions.heartbeat)
        await fleet.answer("events.*", sync_pb2.WantRequest, questions, questions.want)
        await fleet.answer("tel.*", telemetry_pb2.TelemetryReport, questions, questions.telemetry)
        if self._calls is not None:
            await fleet.serve(self._calls)
        return fleet


class SimFleetConnection:
    """See `services.ports.FleetConnection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answering: set[asyncio.Task[None]] = set()

    async def answer(self, subject: str, kind: Any, questions: NodeQuestions, ask: Ask) -> None:
        """Let nodes ask; the subject says who does."""

        def hear(said_on: str, body: bytes, reply: Reply) -> None:
            self._begin(_answer(said_on, kind, questions, ask, body, reply))

        await self._connection.listen(subject, hear)

    async def serve(self, calls: RpcServer) -> None:
        """Let nodes call; the subject says who does: rpc.hub.NODE.SERVICE.METHOD, or rpc.hub.NODE.cancel."""

        async def call(caller: str, method: str, frame: bytes, reply: Reply) -> None:
            answer = await calls.answer(caller, method, frame, PAYLOAD_BYTES_MAX)
            if answer is not None:
                reply(answer)

        def hear(said_on: str, frame: bytes, reply: Reply) -> None:
            _, _, caller, rest = said_on.split(".", 3)
            service, _, name = rest.rpartition(".")
            if service:
                self._begin(call(caller, f"/{service}/{name}", frame, reply))
            else:
                calls.cancel(caller, frame)

        await self._connection.listen("rpc.*", hear)

    def _begin(self, answering: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(answering)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def until_closed(self) -> None:
        """See FleetConnection."""
        await self._connection.until_closed()

    async def close(self) -> None:
        """See FleetConnection."""
        self._connection.end()

    async def make_streams(self) -> None:
        """See FleetConnection."""
        for name in (UP, DOWN):
            await self._connection.call(partial(SimBroker.make_stream, name=name))
        await self._connection.call(lambda broker: broker.make_consumer(UP, HUB, "up."))

    async def stream_states(self) -> Mapping[str, StreamState]:
        """See FleetConnection."""
        states = {}
        for name in (UP, DOWN):
            states[name] = await self._connection.call(partial(SimBroker.state, name=name))
        return states

    async def make_node_consumer(self, node_id: str) -> None:
        """See FleetConnection."""
        name, prefix = f"node-{node_id}", f"down.{node_id}."
        await self._connection.call(lambda broker: broker.make_consumer(DOWN, name, prefix))

    async def up_batches(self, batch_max: int) -> AsyncGenerator[Sequence[UpMessage], None]:
        """See FleetConnection."""
        arrived: asyncio.Queue[Delivery] = asyncio.Queue()
        gathering = asyncio.create_task(self._gather(arrived))
        try:
            while True:
                waiting = asyncio.ensure_future(arrived.get())
                await asyncio.wait({waiting, gathering}, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    waiting.cancel()
                    gathering.result()
                    raise StreamMissing("the hub's consumer is silent")
                batch = [waiting.result()]
                while not arrived.empty() and len(batch) < batch_max:
                    batch.append(arrived.get_nowait())
                yield batch
        finally:
            gathering.cancel()

    async def _gather(self, arrived: asyncio.Queue[Delivery]) -> None:
        async for message in self._connection.pulled(UP, HUB, _PULL_MESSAGES):
            arrived.put_nowait(Delivery(self._connection, UP, HUB, message))

    async def publish_down(self, node_id: str, epoch: int, body: bytes, expected_last: int) -> int:
        """See FleetConnection."""
        subject = f"down.{node_id}.{epoch}"
        return await self._connection.call(lambda broker: broker.publish(DOWN, subject, body, expected_last))

    async def last_down(self, node_id: str, epoch: int) -> StoredEnvelope | None:
        """See FleetConnection."""
        return await self._connection.call(lambda broker: broker.last(DOWN, f"down.{node_id}.{epoch}"))

    async def tell(self, node_id: str, news: sync_pb2.Ack | sync_pb2.WantRequest) -> None:
        """See FleetConnection."""
        kind = "ack" if isinstance(news, sync_pb2.Ack) else "want"
        body = news.SerializeToString()
        self._connection.post(lambda broker: broker.say(f"{kind}.{node_id}", body))


def _hearing(kind: Any, hear: Callable[[Any], None]) -> Hear:
    def heard(_subject: str, body: bytes, _reply: Reply) -> None:
        try:
            message = kind.FromString(body)
        except DecodeError:
            return
        hear(message)

    return heard


async def _answer(
    subject: str, kind: Any, questions: NodeQuestions, ask: Ask, body: bytes, reply: Reply
) -> None:
    node_id = subject.split(".")[1]
    try:
        question = kind.FromString(body)
    except DecodeError as error:
        await questions.malformed(node_id, subject, body, str(error))
        return
    answer = await ask(node_id, question)
    if answer is not None:
        reply(answer.SerializeToString())
