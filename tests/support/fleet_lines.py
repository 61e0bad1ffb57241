"""A fleet on one broker with a proxy in each of its lines, and the work that it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import nats
from nats.js.manager import JetStreamManager

from support.fleet import NODES, Fleet, Plan, running_fleet
from support.fleet_load import PATIENCE_S, Work, hub_is_linked, is_linked, open_shop
from support.nats import NatsServer
from support.proxy import Proxy
from support.waiting import until_async


@dataclass(frozen=True)
class Lines:
    """The broker, the hub's line to it and that of each node."""

    broker: NatsServer
    fleet: Fleet
    work: Work
    hub: Proxy
    nodes: dict[str, Proxy]

    @property
    def all(self) -> list[Proxy]:
        """Every line."""
        return [self.hub, *self.nodes.values()]

    async def linked(self, *, wanted: bool) -> None:
        """Return once every process sees its line as it is."""

        async def seen() -> bool:
            sights = [await is_linked(self.fleet, node_id) for node_id in NODES]
            return {*sights, await hub_is_linked(self.fleet)} == {wanted}

        await until_async(seen, PATIENCE_S, f"everybody sees that linked is {wanted}", look_s=0.2)

    @asynccontextmanager
    async def managed(self) -> AsyncIterator[JetStreamManager]:
        """The broker's streams, as whoever administers it has them."""
        client = await nats.connect(self.broker.url)
        yield client.jsm()
        await client.close()


@asynccontextmanager
async def running_lines(folder: Path) -> AsyncIterator[Lines]:
    """All of it, with goods on the shelves; nothing works yet."""
    broker = NatsServer(folder / "nats")
    await asyncio.to_thread(broker.start)
    try:
        async with Proxy(broker.port) as hub, Proxy(broker.port) as lisbon, Proxy(broker.port) as porto:
            nodes = dict(zip(NODES, (lisbon, porto), strict=True))
            plan = Plan(hub.url, {node_id: line.url for node_id, line in nodes.items()})
            async with running_fleet(folder, plan) as fleet:
                await open_shop(fleet)
                yield Lines(broker, fleet, Work(fleet), hub, nodes)
    finally:
        await asyncio.to_thread(broker.stop)
