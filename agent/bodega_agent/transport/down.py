"""The receiving half of the link: a node's durable consumer, over as many connections as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from bodega.broker.connection import stop_if_cancelled
from bodega.broker.port import LinkLost
from bodega.broker.pulling import ConsumerMissing, Pull, PullEnded, batches
from bodega.broker.streams import DOWN
from bodega.core.backoff import full_jitter_s
from bodega.host.log import get_logger
from bodega.limits import (
    DOWN_ENVELOPES_PER_PULL_MAX,
    DOWN_PULL_HEARTBEAT_S,
    DOWN_PULL_S,
    RECONNECT_BASE_S,
    RECONNECT_MAX_S,
)

log = get_logger(__name__)


class Delivery:
    """One message of the stream; see `services.ports.DownDelivery`."""

    def __init__(self, message: Msg) -> None:
        self._message = message

    @property
    def body(self) -> bytes:
        """Bytes of an Envelope."""
        return self._message.data

    async def ack(self) -> None:
        """Raises LinkLost if the connection that brought it is gone."""
        try:
            await self._message.ack()
        except (NatsError, OSError) as error:
            raise LinkLost(f"acknowledge: {error}") from error


class DownReceiver:
    """Hands out messages one at a time, whichever connection brings them.

    A consumer that does not exist is said once: the hub makes it when it registers the node.
    """

    def __init__(self, consumer: str, *, draw: Callable[[], float]) -> None:
        self._consumer = consumer
        self._pulled = Pull(
            DOWN,
            consumer,
            messages_max=DOWN_ENVELOPES_PER_PULL_MAX,
            batch_max=DOWN_ENVELOPES_PER_PULL_MAX,
            expires_s=DOWN_PULL_S,
            heartbeat_s=DOWN_PULL_HEARTBEAT_S,
        )
        self._draw = draw
        self._arrived: asyncio.Queue[Delivery] = asyncio.Queue(maxsize=1)
        self._misses = 0
        self._said_missing = False

    async def next(self) -> Delivery:
        """Wait for the next message, for ever."""
        return await self._arrived.get()

    async def run(self, client: Client) -> None:
        """Pull over this connection until it ends; bind again whenever the consumer is lost or silent."""
        # Not `while True`: nats-py turns a cancellation into an error once the connection is closed.
        while not client.is_closed:
            try:
                await self._pull(client)
            except ConsumerMissing:
                self._say_missing()
            except (NatsError, OSError, PullEnded) as error:
                log.debug("down_pull_ended", reason=str(error) or type(error).__name__)
            stop_if_cancelled()
            if client.is_closed:
                return
            self._misses += 1
            await asyncio.sleep(full_jitter_s(self._misses, RECONNECT_BASE_S, RECONNECT_MAX_S, self._draw()))

    async def _pull(self, client: Client) -> None:
        async with aclosing(batches(client, self._pulled)) as pulled:
            async for batch in pulled:
                self._misses = 0
                self._said_missing = False
                for message in batch:
                    stop_if_cancelled()
                    await self._arrived.put(Delivery(message))

    def _say_missing(self) -> None:
        if not self._said_missing:
            self._said_missing = True
            log.warning(
                "node_not_registered",
                consumer=self._consumer,
                hint="register the node at the hub: bodegactl nodes register",
            )
