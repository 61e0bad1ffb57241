"""Brokers for the contract suite: each carries between nodes (`HubLink`) and the hub (`FleetLink`), and can be harmed.

A new implementation of the ports adds a rig to RIGS and passes tests/contracts/test_fleet_link_contract.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import nats

from bodega.broker.connection import Broker
from bodega_agent.services.ports import HubLink
from bodega_agent.transport.nats_link import NatsLink
from bodega_controlplane.services.ports import FleetLink
from bodega_controlplane.transport.nats_fleet import NatsFleet
from simulator.rig import SimulatedRig
from support.nats import NatsServer


class BrokerRig(Protocol):
    """A broker with both of its ends. Names of streams: "UP", "DOWN"; of consumers: "hub", "node-<node>"."""

    @property
    def fleet(self) -> FleetLink: ...
    def node(self, node_id: str) -> HubLink: ...
    async def delete_stream(self, name: str) -> None: ...
    async def purge_stream(self, name: str) -> None: ...
    async def delete_consumer(self, stream: str, name: str) -> None: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


class NatsRig:
    """A real nats-server."""

    def __init__(self, folder: Path) -> None:
        self._server = NatsServer(folder / "nats").start()
        self.kill = self._server.kill
        self.close = self._server.stop

    @property
    def fleet(self) -> FleetLink:
        return NatsFleet(Broker(self._server.url))

    def node(self, node_id: str) -> HubLink:
        return NatsLink(node_id, Broker(self._server.url), draw=lambda: 0.1)

    async def delete_stream(self, name: str) -> None:
        client = await nats.connect(self._server.url)
        await client.jetstream().delete_stream(name)
        await client.close()

    async def purge_stream(self, name: str) -> None:
        client = await nats.connect(self._server.url)
        await client.jetstream().purge_stream(name)
        await client.close()

    async def delete_consumer(self, stream: str, name: str) -> None:
        client = await nats.connect(self._server.url)
        await client.jetstream().delete_consumer(stream, name)
        await client.close()


RIGS: dict[str, Callable[[Path], BrokerRig]] = {"nats": NatsRig, "simulated": SimulatedRig}
