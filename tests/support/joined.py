"""A hub on a real database and nodes' sync services, joined by a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from bodega.broker.connection import Broker
from bodega.v1 import fleet_pb2, journal_pb2
from bodega_agent.identity import HubKey
from bodega_agent.services.syncing import SyncService
from bodega_agent.transport.nats_link import NatsLink
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.services.linking import LinkService
from bodega_controlplane.transport.nats_fleet import NatsFleet
from support.controlplane import LISBON, OPERATOR, make_hub, node_draft
from support.nats import NatsServer
from support.sync_journal import MemoryJournal
from support.waiting import until

NODE = "lisbon-01"


@asynccontextmanager
async def hub_at(
    server: NatsServer, folder: Path, *, database: str = "sqlite", node_ids: tuple[str, ...] = (NODE,)
) -> AsyncIterator[Hub]:
    """A hub that knows these nodes, linked to the broker."""
    hub = make_hub(database, folder)
    for number, node_id in enumerate(node_ids):
        draft = node_draft(node_id, LISBON, number=number)
        await hub.run(partial(nodes.register_node, caller=OPERATOR, draft=draft))
    task = asyncio.create_task(LinkService(hub, NatsFleet(Broker(server.url)), draw=lambda: 0.1).run())
    await until(lambda: hub.broker_connected, what="the hub is linked")
    yield hub
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.2)
    hub.close()


@asynccontextmanager
async def node_at(
    server: NatsServer, hub: Hub, journal: MemoryJournal, node_id: str = NODE
) -> AsyncIterator[SyncService]:
    """A node's sync, as the agent runs it."""

    async def health() -> fleet_pb2.Health:
        return fleet_pb2.Health(version="test", ledger_ok=True)

    service = SyncService(
        node_id=node_id,
        boot_nonce="nonce",
        journal=journal,
        link=NatsLink(node_id, Broker(server.url), draw=lambda: 0.1),
        hub_key=HubKey(hub.key.verify_key),
        health=health,
        draw=lambda: 0.5,
    )
    task = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def tasks_opened(count: int, start: int = 1) -> list[bytes]:
    """Bytes of events that a hub applies without knowing anything else."""
    return [
        journal_pb2.NodeEvent(
            cmd_id=f"c{number}",
            task_opened=journal_pb2.TaskOpened(task_id=f"T{number}", kind="count", bin_id="A-01-01"),
        ).SerializeToString()
        for number in range(start, start + count)
    ]
