"""The hub's link to its broker: one connection after the other, for ever, with everything that runs on it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from bodega.core.backoff import full_jitter_s
from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import HEARTBEAT_S, HUB_RECONNECT_MAX_S, RECONNECT_BASE_S
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.services.down import DownPump
from bodega_controlplane.services.ports import FleetLink
from bodega_controlplane.services.replies import Replies
from bodega_controlplane.services.stream_watch import StreamWatch
from bodega_controlplane.services.up import UpReceiver

log = get_logger(__name__)


class LinkService:
    """Everything between the hub and its broker; `run` never ends by itself. `up`: what takes the nodes' journals."""

    def __init__(self, hub: Hub, link: FleetLink, *, draw: Callable[[], float] = random.random) -> None:
        self._hub = hub
        self._link = link
        self._draw = draw
        self.up = UpReceiver(hub, draw=draw)
        self._down = DownPump(hub)
        self._watch = StreamWatch(hub, self._down)
        self._replies = Replies(hub, self.up, self._watch)
        self._parts = (self.up, self._down, self._watch)
        self._warned = False
        hub.on_commit(self._down.wake)
        hub.come_back_after_ms = self._replies.come_back_after_ms

    async def run(self) -> None:
        """Connect, work until the connection ends, wait with full jitter, and again."""
        clock = asyncio.get_running_loop().time
        attempt = 0
        while True:
            started = clock()
            try:
                # A task for each: a group whose part fails while it ends leaves its task marked as being cancelled,
                # and there Python 3.11.2 takes the next timeout for a cancel.
                await asyncio.create_task(self._one_connection())
            except* Unavailable as errors:
                self._say_lost(_first(errors))
            attempt = 0 if clock() - started > HEARTBEAT_S else attempt + 1
            await asyncio.sleep(full_jitter_s(attempt, RECONNECT_BASE_S, HUB_RECONNECT_MAX_S, self._draw()))

    async def _one_connection(self) -> None:
        connection = await self._link.connect(self._replies)
        try:
            await connection.make_streams()
            await self._watch.check(connection)
            self._hub.broker_connected = True
            self._warned = False
            log.info("broker_connected", url=self._link.address)
            async with asyncio.TaskGroup() as working:
                tasks = [working.create_task(part.run(connection)) for part in self._parts]
                await connection.until_closed()
                for task in tasks:
                    task.cancel()
            self._say_lost("the connection ended")
        finally:
            self._hub.broker_connected = False
            await connection.close()

    def _say_lost(self, reason: str) -> None:
        """Once per outage."""
        if not self._warned:
            self._warned = True
            log.warning("broker_lost", url=self._link.address, reason=reason, hint="trying again for ever")


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
