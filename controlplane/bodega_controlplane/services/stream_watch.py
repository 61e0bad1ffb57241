"""Watches that the broker's streams are the ones that they were; both ends send again from SQL when they are not."""

from __future__ import annotations

import asyncio

from bodega.broker.port import StreamMissing
from bodega.core.incarnation import Change
from bodega.host.log import get_logger
from bodega.limits import STREAM_CHECK_S
from bodega_controlplane.app.fleet import streams
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.services.down import DownPump
from bodega_controlplane.services.ports import FleetConnection

log = get_logger(__name__)

UP, DOWN = "UP", "DOWN"


class StreamWatch:
    """`up_incarnation` goes to the nodes with each heartbeat: one that sees another reads its own stream back."""

    def __init__(self, hub: Hub, down: DownPump) -> None:
        self._hub = hub
        self._down = down
        self.up_incarnation = 0

    async def run(self, connection: FleetConnection) -> None:
        """Until the connection is lost: raises LinkLost."""
        while True:
            await asyncio.sleep(STREAM_CHECK_S)
            await self.check(connection)

    async def check(self, connection: FleetConnection) -> None:
        """Once; makes what is not there."""
        made = self._down.consumers_made
        before = await self._hub.read(lambda tx: streams.known(tx, (UP, DOWN)))
        try:
            now = await connection.stream_states()
        except StreamMissing as error:
            log.warning("stream_missing", reason=error.message)
            await connection.make_streams()
            now = await connection.stream_states()
        if now[UP].consumers == 0:
            log.warning("up_consumer_missing")
            await connection.make_streams()
        found = await self._hub.run(lambda tx: streams.note(tx, self._hub.now_ms(), before, now))
        for name, (what, incarnation) in found.items():
            if what is not Change.SAME:
                log.warning(
                    "broker_stream_changed", stream=name, what=str(what), incarnation=incarnation,
                    last_seq=now[name].last_seq, hint="nothing is lost: both ends send again from SQL",
                )  # fmt: skip
        self.up_incarnation = found[UP][1]
        fewer = now[DOWN].consumers < made
        if fewer:
            log.warning("node_consumers_missing", made=made, there=now[DOWN].consumers)
        if fewer or found[DOWN][0] is not Change.SAME:
            self._down.start_over()
