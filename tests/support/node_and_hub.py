"""A real hub and a real node on one real broker, in this process: both databases, both links, calls both ways.

What is left out is what this file's users do not look at: devices, the floor, the control socket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodega.broker.connection import Broker
from bodega.core.commands import decode
from bodega.v1 import fleet_pb2
from bodega_agent.identity import HubKey
from bodega_agent.services.diagnosing import Diagnosis, server
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.services.sync_control import SyncControl
from bodega_agent.services.syncing import SyncService
from bodega_agent.store import commands
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context
from bodega_agent.transport.nats_link import NatsLink
from bodega_controlplane.api.node.services import NodeServices
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import NodeView
from bodega_controlplane.artifacts import Shelf
from bodega_controlplane.authority import load_authority
from bodega_controlplane.services.linking import LinkService
from bodega_controlplane.services.reconciling import Reconciler
from bodega_controlplane.transport.nats_fleet import NatsFleet
from support.controlplane import OPERATOR, make_hub, node_draft, sku
from support.nats import NatsServer
from support.waiting import until_async

NODE = "lisbon-01"


class Health:
    """The little of HealthService that diagnosis asks."""

    def __init__(self) -> None:
        self.sync: SyncService | None = None

    async def status(self) -> dict[str, Any]:
        return {"version": "test", "uptime_s": 1.0, "health": []}

    def sync_status(self) -> dict[str, Any]:
        return {"head_seq": self.sync.status().head_seq if self.sync else 0}

    async def report(self) -> fleet_pb2.Health:
        return fleet_pb2.Health(version="test", ledger_ok=True)


@dataclass
class Pair:
    """A hub and its node."""

    hub: Hub
    fleet: NatsFleet
    reconciler: Reconciler
    folder: Path
    store: Store
    integrity: IntegrityService
    link: NatsLink
    sync: SyncService
    control: SyncControl
    health: Health

    async def do(self, command: str, **facts: Any) -> dict[str, Any]:
        """A ledger command at the node."""
        body = {"command": command, "cmd_id": f"{command}-{time.monotonic_ns()}", **facts}
        decoded = decode(body)
        return await self.store.write(lambda tx: commands.run(tx, Context(decoded.cmd_id, "ana"), decoded))

    async def view(self) -> NodeView:
        """The node as operators see it."""
        (view,) = await self.hub.read(nodes.list_nodes)
        return view

    async def caught_up(self) -> None:
        """Return once the hub has committed all that the node has recorded."""

        async def same() -> bool:
            return (await self.view()).applied_seq == (await self.store.head()).seq

        await until_async(same, what="the hub has the whole journal")

    async def tell(self, op: str) -> dict[str, Any]:
        """An operation of the control socket."""
        answer: dict[str, Any] = await self.control.answers[op]({})
        return answer

    async def tasks(self) -> list[dict[str, Any]]:
        """What `bodega tasks` shows."""
        return await self.store.read(Reader.tasks)


@asynccontextmanager
async def pair(broker: NatsServer, folder: Path, *skus: str, online: bool = True) -> AsyncIterator[Pair]:
    """Both ends, connected; not `online`: the node's link is made and not run."""
    async with AsyncExitStack() as parts:
        hub = make_hub("sqlite", _made(folder / "hub"))
        parts.callback(hub.close)
        await hub.run(lambda tx: nodes.register_node(tx, OPERATOR, node_draft(NODE)))
        await hub.run(lambda tx: catalogue.upsert_skus(tx, OPERATOR, [sku(one) for one in skus]))
        services = NodeServices(
            hub, Shelf(_made(folder / "artifacts")), load_authority(folder / "hub", hub.now_ms())
        ).over_the_broker()
        fleet = NatsFleet(Broker(broker.url), lambda: services)
        hub.channel_to = fleet.channel
        await parts.enter_async_context(_running(LinkService(hub, fleet, draw=lambda: 0.1).run()))
        store = Store(
            _made(folder / "node") / "ledger.db",
            node_id=NODE,
            now_ms=lambda: time.time_ns() // 1_000_000,
            verify=lambda _signature, _text: True,
        )
        parts.callback(store.close)
        integrity = IntegrityService(store)
        await integrity.start()
        parts.push_async_callback(integrity.close)
        health = Health()
        diagnosis = server(Diagnosis(store, health, lambda: sync.refused))  # type: ignore[arg-type]  # the asked half
        link = NatsLink(NODE, Broker(broker.url), calls=lambda: diagnosis, draw=lambda: 0.1)
        sync = SyncService(
            node_id=NODE,
            boot_nonce="nonce",
            journal=store,
            link=link,
            hub_key=HubKey(hub.key.verify_key),
            health=health.report,
            draw=lambda: 0.1,
        )
        health.sync = sync
        control = SyncControl(store, integrity, sync)
        reconciler = Reconciler(hub, fleet.channel)
        if online:
            await parts.enter_async_context(_running(sync.run()))
        yield Pair(hub, fleet, reconciler, folder, store, integrity, link, sync, control, health)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.2)


running = _running
