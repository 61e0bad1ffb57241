"""A whole Bodega as processes: one hub or several, nodes, and whatever broker they are told of.

Every process is a `Child` of this one: the tests kill, stop and start them as they like, and nothing outlives the
fleet. What the nodes and the hub have written is read from their files, by `support.fleet_books`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bodega_agent.demo.processes import Child, Recipe
from bodega_agent.demo.world import python_module
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.store.engine import open_store
from support.bodega_command import write_config
from support.controlplane import settle

NODES = ("lisbon-01", "porto-01")
SKU = "TEA"


@dataclass(frozen=True)
class Plan:
    """Where everybody finds the broker (`hub_url`, `node_urls`; each may name several servers), and what the hub is.

    `hubs` instances share one `database`, which must be PostgreSQL's if there are several.
    """

    hub_url: str
    node_urls: Mapping[str, str]
    hubs: int = 1
    database: str = "sqlite"
    replicas: int = 1

    @staticmethod
    def on(url: str, **more: object) -> Plan:
        """Everybody at one address."""
        return Plan(url, dict.fromkeys(NODES, url), **more)  # type: ignore[arg-type]  # checked by the dataclass


@dataclass
class Fleet:
    """Its processes and where their files are; `hubs[n]` serves from `hub_dirs[n]`."""

    folder: Path
    plan: Plan
    hubs: list[Child] = field(default_factory=list)
    nodes: dict[str, Child] = field(default_factory=dict)

    @property
    def hub(self) -> Child:
        """The only hub, or the first."""
        return self.hubs[0]

    def hub_dir(self, number: int = 0) -> Path:
        """The data folder of one instance."""
        return self.folder / f"hub-{number}"

    def state_dir(self, node_id: str) -> Path:
        """The state folder of one node."""
        return self.folder / node_id

    @property
    def processes(self) -> list[Child]:
        """All of them."""
        return [*self.hubs, *self.nodes.values()]

    def prepare(self) -> None:
        """Make folders, keys, a catalogue, nodes and configurations; nothing runs yet."""
        first = self.hub_dir()
        first.mkdir(mode=0o700)
        store = open_store(self.plan.database, first)
        settle(store, SKU, node_ids=NODES)
        store.close()
        key = base64.b64encode(load_hub_key(first).verify_key).decode()
        for number in range(self.plan.hubs):
            self.hubs.append(
                self._child(f"hub-{number}", "bodega_controlplane.cli", "serve", self._hub(number))
            )
        for node_id in NODES:
            config = self._node(node_id, key)
            self.nodes[node_id] = self._child(node_id, "bodega_agent.cli", "run", config)

    def clone(self, node_id: str, name: str) -> Child:
        """A second agent of a node that is stopped, from a copy of its disk, as `nodes[name]`; not started."""
        shutil.copytree(self.state_dir(node_id), self.state_dir(name))
        config = self.state_dir(name) / "agent.toml"
        before, after = str(self.state_dir(node_id)), str(self.state_dir(name))
        config.write_text(config.read_text().replace(f'"{before}"', f'"{after}"'))
        self.nodes[name] = self._child(name, "bodega_agent.cli", "run", config)
        return self.nodes[name]

    def _child(self, name: str, module: str, command: str, config: Path) -> Child:
        argv = python_module(module, command, "--config", str(config))
        return Child(Recipe(name, argv, self.folder / f"{name}.log"), self.folder)

    def _hub(self, number: int) -> Path:
        path = self.folder / f"hub-{number}.toml"
        path.write_text(
            f'data_dir = "{self.hub_dir(number)}"\ndatabase = "{self.plan.database}"\n'
            f'[nats]\nurl = "{self.plan.hub_url}"\nreplicas = {self.plan.replicas}\n'
            "[http]\nport = 0\n[grpc]\nport = 0\n"
        )
        return path

    def _node(self, node_id: str, key: str) -> Path:
        folder = self.state_dir(node_id)
        folder.mkdir()
        hub = f'[hub]\nnats_url = "{self.plan.node_urls[node_id]}"\nverify_key = "{key}"\n'
        return write_config(folder, node_id=node_id, extra=hub)

    def http(self, number: int = 0) -> str:
        """Where a hub's storefront API is now: a new port with each start."""
        return str(json.loads((self.hub_dir(number) / "endpoints.json").read_text())["http"])

    def grpc(self, number: int = 0) -> str:
        """Where a hub's operators call it now."""
        return str(json.loads((self.hub_dir(number) / "endpoints.json").read_text())["grpc"])

    def storefront_token(self) -> str:
        """What the shop shows to every instance."""
        return (self.hub_dir() / "storefront.token").read_text().strip()

    async def stop(self) -> list[str]:
        """Stop every process; who did not stop as it should."""
        for child in self.processes:
            if child.running:
                os.kill(child.pid, signal.SIGCONT)
        return [said for said in await asyncio.gather(*(child.stop() for child in self.processes)) if said]

    def last_words(self) -> str:
        """The end of every log, for a test that fails."""
        return "\n".join(f"{child.recipe.name}: {child.last_words()}" for child in self.processes)


@asynccontextmanager
async def running_fleet(folder: Path, plan: Plan) -> AsyncIterator[Fleet]:
    """All of it, started and ready, and stopped at the end; the first hub makes the keys and tokens that all share."""
    fleet = Fleet(folder, plan)
    await asyncio.to_thread(fleet.prepare)
    try:
        await fleet.hub.start()
        for number, child in enumerate(fleet.hubs[1:], start=1):
            shutil.copytree(fleet.hub_dir(), fleet.hub_dir(number))
            await child.start()
        await asyncio.gather(*(child.start() for child in fleet.nodes.values()))
        yield fleet
    except BaseException as error:
        error.add_note(fleet.last_words())
        raise
    finally:
        unclean = await fleet.stop()
    assert unclean == []
