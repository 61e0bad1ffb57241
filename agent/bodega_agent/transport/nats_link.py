"""HubLink over NATS JetStream.

One nats-py client is one connection: when it ends, a new one is made after a wait of our own (full jitter),
for ever. nats-py's reconnecting is off because it gives up after some server errors, keeps half-sent
messages for the next connection, and cannot jitter its first connect. Pings see a half-open link in under
10 s. All errors of nats-py end here: callers see LinkLost, StreamMissing and PublishConflict.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError, ServiceUnavailableError

from bodega.core.backoff import full_jitter_s
from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import BROKER_REQUEST_S, HEARTBEAT_S, RECONNECT_BASE_S, RECONNECT_MAX_S
from bodega.v1 import sync_pb2
from bodega_agent.services.ports import (
    DownDelivery,
    LinkListener,
    LinkLost,
    PublishConflict,
    StoredEnvelope,
    StreamMissing,
)
from bodega_agent.transport.connection import Broker, abort, connect, stop_if_cancelled
from bodega_agent.transport.down import DownReceiver

log = get_logger(__name__)
M = TypeVar("M", bound=Message)
T = TypeVar("T")

_WRONG_LAST_SEQUENCE = 10071
_CLOSED_POLL_S = 1.0
_CLOSE_S = 1.0


class NatsLink:
    """The link of one node; see `services.ports.HubLink`."""

    def __init__(self, node_id: str, broker: Broker, *, draw: Callable[[], float] = random.random) -> None:
        self._node_id = node_id
        self._broker = broker
        self._draw = draw
        self._client: Client | None = None
        self._down = DownReceiver(f"node-{node_id}", draw=draw)
        self._warned = False
        self._calls: set[asyncio.Future[Any]] = set()

    @property
    def connected(self) -> bool:
        """See HubLink."""
        return self._client is not None and self._client.is_connected

    async def run(self, listener: LinkListener) -> None:
        """See HubLink."""
        attempt = 0
        while True:
            started = asyncio.get_running_loop().time()
            await self._one_connection(listener)
            lived = asyncio.get_running_loop().time() - started
            attempt = 0 if lived > HEARTBEAT_S else attempt + 1
            await asyncio.sleep(full_jitter_s(attempt, RECONNECT_BASE_S, RECONNECT_MAX_S, self._draw()))

    async def _one_connection(self, listener: LinkListener) -> None:
        closed = asyncio.Event()
        try:
            client = await connect(self._broker, node_id=self._node_id, closed=closed)
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
            await _close(client)

    async def _receive_until_closed(self, client: Client, closed: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            receiving = tasks.create_task(self._down.run(client))
            await _until_closed(client, closed)
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
        headers = {"Nats-Expected-Last-Subject-Sequence": str(expected_last)}
        call = (
            self._live()
            .jetstream()
            .publish(self._up(epoch), body, timeout=BROKER_REQUEST_S, stream="UP", headers=headers)
        )
        with _told_in_our_words("publish"):
            return int((await self._over_the_link(call)).seq)

    async def last_up(self, epoch: int) -> StoredEnvelope | None:
        """See HubLink."""
        manager = self._live().jsm(timeout=BROKER_REQUEST_S)
        with _told_in_our_words("read back"):
            try:
                last = await self._over_the_link(manager.get_last_msg("UP", self._up(epoch), direct=True))
            except NotFoundError:
                return None
        return StoredEnvelope(int(last.seq or 0), last.data or b"")

    async def heartbeat(self, request: sync_pb2.HeartbeatRequest) -> sync_pb2.HeartbeatResponse:
        """See HubLink."""
        return await self._ask(f"hb.{self._node_id}", request, sync_pb2.HeartbeatResponse())

    async def want_down(self, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse:
        """See HubLink."""
        return await self._ask(f"events.{self._node_id}", request, sync_pb2.WantResponse())

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


@contextmanager
def _told_in_our_words(what: str) -> Iterator[None]:
    """Turn the errors of nats-py into those of the port."""
    try:
        yield
    except (NoStreamResponseError, NoRespondersError, NotFoundError, ServiceUnavailableError) as error:
        raise StreamMissing(
            f"{what}: the broker has no stream for it", hint="the hub makes its streams when it starts"
        ) from error
    except APIError as error:
        if error.err_code == _WRONG_LAST_SEQUENCE:
            raise PublishConflict(f"{what}: {error.description}") from error
        raise LinkLost(f"{what}: {error.description or error}") from error
    except (NatsError, OSError, TimeoutError) as error:
        raise LinkLost(f"{what}: {error or type(error).__name__}") from error


def _parsed(message: M, body: bytes) -> M | None:
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        log.warning("message_malformed", kind=message.DESCRIPTOR.name, reason=str(error))
        return None
    return message


async def _until_closed(client: Client, closed: asyncio.Event) -> None:
    """Return when the connection is over.

    Polled as well, because nats-py tells nobody while its closing waits for a dead socket to drain.
    """
    while client.is_connected:
        try:
            async with asyncio.timeout(_CLOSED_POLL_S):
                await closed.wait()
        except TimeoutError:
            continue


async def _close(client: Client) -> None:
    try:
        async with asyncio.timeout(_CLOSE_S):
            await client.close()
    except (NatsError, OSError, TimeoutError):
        return  # the socket is aborted below in any case
    finally:
        abort(client)
