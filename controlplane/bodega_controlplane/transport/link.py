"""The hub's link to its broker: one connection after the other, for ever, with everything that runs on it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from nats.errors import Error as NatsError

from bodega.core.backoff import full_jitter_s
from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import BROKER_REQUEST_S, HEARTBEAT_S, RECONNECT_BASE_S, RECONNECT_MAX_S
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.config import NatsConfig
from bodega_controlplane.transport.connection import close, connect, until_closed
from bodega_controlplane.transport.down import DownPump
from bodega_controlplane.transport.pulling import ConsumerLost
from bodega_controlplane.transport.replies import Replies
from bodega_controlplane.transport.streams import make_streams
from bodega_controlplane.transport.up import UpReceiver

log = get_logger(__name__)


class Link:
    """Everything between the hub and its broker; `run` never ends by itself."""

    def __init__(self, hub: Hub, broker: NatsConfig, *, draw: Callable[[], float] = random.random) -> None:
        self._hub = hub
        self._broker = broker
        self._draw = draw
        self._up = UpReceiver(hub)
        self._down = DownPump(hub)
        self._replies = Replies(hub)
        self._warned = False
        hub.on_commit(self._down.wake)

    async def run(self) -> None:
        """Connect, work until the connection ends, wait with full jitter, and again."""
        clock = asyncio.get_running_loop().time
        attempt = 0
        while True:
            started = clock()
            try:
                await self._one_connection()
            except* (NatsError, OSError, TimeoutError, ConsumerLost, Unavailable) as errors:
                self._say_lost(_first(errors))
            attempt = 0 if clock() - started > HEARTBEAT_S else attempt + 1
            await asyncio.sleep(full_jitter_s(attempt, RECONNECT_BASE_S, RECONNECT_MAX_S, self._draw()))

    async def _one_connection(self) -> None:
        closed = asyncio.Event()
        client = await connect(self._broker, closed=closed)
        try:
            await make_streams(client)
            await self._replies.listen(client)
            await client.flush(timeout=int(BROKER_REQUEST_S))
            self._hub.broker_connected = True
            self._warned = False
            log.info("broker_connected", url=self._broker.url)
            async with asyncio.TaskGroup() as working:
                tasks = [working.create_task(part.run(client)) for part in (self._up, self._down)]
                await until_closed(client, closed)
                for task in tasks:
                    task.cancel()
            self._say_lost("the connection ended")
        finally:
            self._hub.broker_connected = False
            await close(client)

    def _say_lost(self, reason: str) -> None:
        """Once per outage."""
        if not self._warned:
            self._warned = True
            log.warning("broker_lost", url=self._broker.url, reason=reason, hint="trying again for ever")


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
