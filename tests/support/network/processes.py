"""All processes of the network, and the benches at its nodes; started, stopped, and killed one by one.

Every process is a child of this one. Hubs share one database, one key and the tokens; nodes know all three brokers.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bodega_agent.demo.bench import PRINTER, SCANNER, Bench, set_up
from bodega_agent.demo.places import Site, sites
from bodega_agent.demo.processes import Child, Recipe
from bodega_agent.demo.world import python_module
from bodega_controlplane.store.engine import Store, open_store
from support.bodega_command import write_config
from support.nats_cluster import SERVERS, NatsCluster, running_cluster
from support.postgres import PostgresServer

HUBS, NODES = 2, 4
COMMAND_S = 60.0


@dataclass
class Post:
    """One node: what it is, its agent, and the devices on its bench."""

    site: Site
    folder: Path
    bench: Bench
    agent: Child

    @property
    def node_id(self) -> str:
        """The node's id."""
        return self.site.node_id

    @property
    def ledger(self) -> Path:
        """The agent's database."""
        return self.folder / "ledger.db"

    @property
    def socket(self) -> Path:
        """The agent's control socket."""
        return self.folder / "control.sock"


@dataclass
class Network:
    """Everything that runs; `hubs[n]` serves from `hub_dir(n)`."""

    folder: Path
    cluster: NatsCluster
    postgres: PostgresServer
    database: str
    hubs: list[Child] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    def hub_dir(self, number: int = 0) -> Path:
        """The data folder of one instance."""
        return self.folder / f"hub-{number}"

    def http(self, number: int = 0) -> str:
        """Where an instance's storefront API is now: a new port with each start."""
        return str(self._endpoint(number, "http"))

    def _endpoint(self, number: int, face: str) -> str:
        return str(json.loads((self.hub_dir(number) / "endpoints.json").read_text())[face])

    def storefront_token(self) -> str:
        """What a shop shows to every instance."""
        return (self.hub_dir() / "storefront.token").read_text().strip()

    async def bodegactl(self, *arguments: str, number: int = 0) -> Any:
        """The document of `bodegactl ... --json` at one instance; AssertionError with what it says if it fails."""
        process = await asyncio.create_subprocess_exec(
            *python_module("bodega_controlplane.cli", *arguments, "--json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "BODEGACTL_HUB": self._endpoint(number, "grpc"),
                "BODEGACTL_TOKEN_FILE": str(self.hub_dir() / "operator.token"),
            },
        )
        async with asyncio.timeout(COMMAND_S):
            out, err = await process.communicate()
        assert process.returncode == 0, f"bodegactl {' '.join(arguments)}: {err.decode()}"
        return json.loads(out)

    def open_store(self) -> Store:
        """The database that the hubs share; to be closed."""
        return open_store(self.database, self.hub_dir())

    @property
    def children(self) -> list[Child]:
        """Hubs and agents."""
        return [*self.hubs, *(post.agent for post in self.posts)]

    def last_words(self) -> str:
        """The end of every log, for a test that fails."""
        return "\n".join(f"{child.recipe.name}: {child.last_words()}" for child in self.children)

    async def _start(self, closing: AsyncExitStack, places: Sequence[Site]) -> None:
        for number in range(HUBS):
            config = self.folder / f"hub-{number}.toml"
            config.write_text(self._hub_toml(number))
            self.hubs.append(self._child(f"hub-{number}", "bodega_controlplane.cli", "serve", config))
        await self.hubs[0].start()
        for number, hub in enumerate(self.hubs[1:], start=1):
            shutil.copytree(self.hub_dir(), self.hub_dir(number))
            await hub.start()
        for place in places:
            self.posts.append(await self._post(closing, place))
        await asyncio.gather(*(post.agent.start() for post in self.posts))

    def _hub_toml(self, number: int) -> str:
        return (
            f'data_dir = "{self.hub_dir(number)}"\ndatabase = "{self.database}"\n'
            f'[nats]\nurl = "{self.cluster.url}"\nreplicas = {SERVERS}\n'
            "[http]\nport = 0\n[grpc]\nport = 0\n"
            # The very last unit may be sold, so that one too many would show.
            "[promise]\nsafety_stock = 0\n"
            '[webhooks]\nnetworks = ["127.0.0.0/8"]\n'
        )

    async def _post(self, closing: AsyncExitStack, place: Site) -> Post:
        profile = self.folder / f"{place.node_id}.json"
        profile.write_text(json.dumps(place.profile()))
        registered = await self.bodegactl("nodes", "register", str(profile))
        folder = self.folder / place.node_id
        folder.mkdir()
        bench = await set_up(folder, watched=False)
        closing.push_async_callback(bench.close)
        hub = f'[hub]\nnats_url = "{self.cluster.url}"\nverify_key = "{registered["hub_verify_key"]}"\n'
        config = write_config(folder, node_id=place.node_id, extra=hub + _devices(bench))
        agent = self._child(place.node_id, "bodega_agent.cli", "run", config)
        return Post(place, folder, bench, agent)

    def _child(self, name: str, module: str, command: str, config: Path) -> Child:
        argv = python_module(module, command, "--config", str(config))
        return Child(Recipe(name, argv, self.folder / f"{name}.log"), self.folder)

    async def stop(self) -> list[str]:
        """Stop hubs and agents; who did not stop as it should, and each bug that somebody has logged."""
        said = await asyncio.gather(*(child.stop() for child in self.children))
        return [one for one in said if one] + [
            bug for child in self.children for bug in _bugs_in(child.recipe.log)
        ]


def _bugs_in(log: Path) -> list[str]:
    """What was logged with a traceback: a service survives it, a test must not."""
    return [line for line in log.read_text().splitlines() if '"exception": ' in line]


def _devices(bench: Bench) -> str:
    printer = bench.printer
    return (
        f'[[scanners]]\nname = "{SCANNER}"\ndriver = "serial"\noptions = {{ port = "{bench.scanner.path}" }}\n'
        f'[printer]\nname = "{PRINTER}"\ndriver = "zpl-tcp"\n'
        f'options = {{ host = "{printer.host}", port = {printer.port} }}\n'
    )


@asynccontextmanager
async def running_network(folder: Path, postgres: PostgresServer) -> AsyncIterator[Network]:
    """All of it, started and ready, and stopped at the end; the first hub makes the keys that all share."""
    async with running_cluster(folder / "nats") as cluster, AsyncExitStack() as closing:
        network = Network(folder, cluster, postgres, postgres.new_database())
        try:
            await network._start(closing, sites(NODES))
            yield network
        except BaseException as error:
            error.add_note(network.last_words())
            raise
        finally:
            unclean = await network.stop()
        assert unclean == []
