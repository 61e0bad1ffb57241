"""The simulated broker as a rig of the contract suite: what the worlds rest on keeps the contract of the real one."""

from __future__ import annotations

import asyncio
from functools import cached_property
from pathlib import Path

from bodega_agent.services.ports import HubLink
from bodega_controlplane.services.ports import FleetLink
from simulator.broker import SimBroker
from simulator.connection import BrokerEnd
from simulator.links import SimFleet, SimHubLink
from simulator.network import Network


class SimulatedRig:
    """A simulated broker and network on the loop that runs."""

    def __init__(self, _folder: Path) -> None:
        """Nothing is made before it is used: only then is there a loop."""

    @cached_property
    def _network(self) -> Network:
        return Network(asyncio.get_running_loop(), "rig")

    @cached_property
    def _end(self) -> BrokerEnd:
        return BrokerEnd(SimBroker(asyncio.get_running_loop()))

    @property
    def fleet(self) -> FleetLink:
        return SimFleet(self._end, self._network.wire("hub"))

    def node(self, node_id: str) -> HubLink:
        return SimHubLink(node_id, self._end, self._network.wire(node_id), draw=lambda: 0.1)

    async def delete_stream(self, name: str) -> None:
        self._end.broker.delete(name)

    async def purge_stream(self, name: str) -> None:
        self._end.broker.purge(name)

    async def delete_consumer(self, stream: str, name: str) -> None:
        self._end.broker.delete_consumer(stream, name)

    def kill(self) -> None:
        self._end.broker.is_up = False
        self._end.broker.restart()

    def close(self) -> None:
        """Nothing is open."""
