"""The world of one run: broker, control plane and agents as processes, a cable and a bench per node.

Everything lies in one folder, listens on free ports of 127.0.0.1, and is stopped in the order in which it
depends on each other. Nothing is stopped or deleted that this run did not start or make.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodega.errors import Unavailable
from bodega_agent.demo.bench import CAMERA, PRINTER, Bench, set_up
from bodega_agent.demo.broker import HUB_USER, Broker
from bodega_agent.demo.places import Site
from bodega_agent.demo.processes import Child, Recipe
from bodega_agent.demo.proxy import Cable

OPERATOR_CALL_S = 30.0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """One site with all that belongs to it."""

    site: Site
    agent: Child
    cable: Cable
    bench: Bench
    config: Path
    state_dir: Path
    socket: Path

    @property
    def ledger(self) -> Path:
        """The agent's database."""
        return self.state_dir / "ledger.db"


class World:
    """`root` holds everything; `runtime` holds sockets, whose paths must be short. Both exist.

    `associates`: how many work at each node. `vision`: whether the nodes have a camera and look at picks.
    """

    def __init__(
        self, root: Path, runtime: Path, places: Sequence[Site], *, associates: int = 1, vision: bool = True
    ) -> None:
        self.root, self.runtime = root, runtime
        self.logs = root / "logs"
        self.logs.mkdir()
        self.hub_dir = root / "hub"
        self.hub_config = root / "controlplane.toml"
        self.broker = Broker(root, runtime, [place.node_id for place in places])
        self.nodes: list[Node] = []
        self.unclean_stops: list[str] = []
        self._places = places
        self._associates, self._vision = associates, vision
        self._closing = AsyncExitStack()
        self._hub = Child(
            Recipe(
                "hub",
                python_module("bodega_controlplane.cli", "serve", "--config", str(self.hub_config)),
                self.logs / "hub.log",
            ),
            runtime,
        )

    async def start(self) -> None:
        """Start all of it; on failure, `stop` takes down what was started."""
        self._closing.push_async_callback(self._stop, self.broker.child)
        await self.broker.start()
        self.hub_config.write_text(self._hub_toml(), encoding="utf-8")
        self._closing.push_async_callback(self._stop, self._hub)
        await self._hub.start()
        keys = await asyncio.gather(*(self._register(place) for place in self._places))
        self.nodes = [await self._prepare(place, key) for place, key in zip(self._places, keys, strict=True)]
        await asyncio.gather(*(self._start_agent(node) for node in self.nodes))

    async def _start_agent(self, node: Node) -> None:
        self._closing.push_async_callback(self._stop, node.agent)
        await node.agent.start()

    async def stop(self) -> None:
        """Stop everything; `unclean_stops` then says who did not stop as it should."""
        await self._closing.aclose()

    async def _stop(self, child: Child) -> None:
        if problem := await child.stop():
            self.unclean_stops.append(problem)

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where the control plane listens: "http" (a URL) and "grpc" (host:port)."""
        found: Mapping[str, str] = json.loads((self.hub_dir / "endpoints.json").read_text())
        return found

    @property
    def hub_database(self) -> Path:
        """The control plane's database."""
        return self.hub_dir / "hub.db"

    @property
    def storefront_token(self) -> Path:
        """Where the shop's token lies."""
        return self.hub_dir / "storefront.token"

    @property
    def operator_env(self) -> dict[str, str]:
        """What `bodegactl` needs to find this control plane."""
        return {
            "BODEGACTL_HUB": self.endpoints["grpc"],
            "BODEGACTL_TOKEN_FILE": str(self.hub_dir / "operator.token"),
        }

    async def bodegactl(self, *arguments: str) -> Any:
        """Run `bodegactl ... --json`; its document. Unavailable with its own words if it fails."""
        process = await asyncio.create_subprocess_exec(
            *python_module("bodega_controlplane.cli", *arguments, "--json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self.operator_env},
        )
        try:
            async with asyncio.timeout(OPERATOR_CALL_S):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode != 0:
            raise Unavailable(
                f"bodegactl {' '.join(arguments)} failed: {err.decode(errors='replace').strip()}",
                hint=f"read {self.logs / 'hub.log'}",
            )
        return json.loads(out)

    async def _register(self, place: Site) -> str:
        """Make a node known; the public key that it must trust, as base64."""
        profile = self.root / f"{place.node_id}.profile.json"
        profile.write_text(json.dumps(place.profile(), indent=2, ensure_ascii=False), encoding="utf-8")
        answer = await self.bodegactl("nodes", "register", str(profile))
        return str(answer["hub_verify_key"])

    async def _prepare(self, place: Site, verify_key: str) -> Node:
        """Plug in one node's cable and devices and write its configuration; the agent is not started yet."""
        state_dir = self.root / place.node_id
        state_dir.mkdir()
        cable = Cable(self.broker.port)
        await cable.start()
        self._closing.push_async_callback(cable.close)
        bench = await set_up(state_dir, watched=self._vision, scanners=self._associates)
        self._closing.push_async_callback(bench.close)
        config = self.root / f"{place.node_id}.toml"
        agent = Child(
            Recipe(
                place.node_id,
                python_module("bodega_agent.cli", "run", "--config", str(config)),
                self.logs / f"{place.node_id}.log",
            ),
            self.runtime,
        )
        node = Node(
            place, agent, cable, bench, config, state_dir, socket=self.runtime / f"{place.node_id}.sock"
        )
        config.write_text(self._agent_toml(node, verify_key), encoding="utf-8")
        return node

    def _hub_toml(self) -> str:
        return _toml(
            f"""
            data_dir = {self.hub_dir}
            [nats]
            url = nats://127.0.0.1:{self.broker.port}
            user = {HUB_USER}
            password_file = {self.broker.password_file(HUB_USER)}
            [http]
            port = 0
            [grpc]
            port = 0
            """
        )

    def _agent_toml(self, node: Node, verify_key: str) -> str:
        bench = node.bench
        lines = _toml(
            f"""
            node_id = {node.site.node_id}
            state_dir = {node.state_dir}
            control_socket = {node.socket}
            [hub]
            nats_url = nats://127.0.0.1:{node.cable.port}
            nats_user = {node.site.node_id}
            nats_password_file = {self.broker.password_file(node.site.node_id)}
            verify_key = {verify_key}
            [printer]
            name = {PRINTER}
            driver = zpl-tcp
            options.host = {bench.printer.host}
            options.port = {bench.printer.port}
            """
        )
        lines += "".join(_scanner_toml(name, scanner.path) for name, scanner in bench.scanners.items())
        return lines + self._vision_toml(bench) if self._vision else lines

    def _vision_toml(self, bench: Bench) -> str:
        return _toml(
            f"""
            [[cameras]]
            name = {CAMERA}
            driver = folder
            options.path = {bench.tray.folder}
            [vision]
            camera = {CAMERA}
            mode = advisory
            """
        )


def _scanner_toml(name: str, port: str) -> str:
    return _toml(
        f"""
        [[scanners]]
        name = {name}
        driver = serial
        options.port = {port}
        """
    )


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line of one of our programs, run by this very Python."""
    return (sys.executable, "-m", module, *arguments)


def _toml(text: str) -> str:
    """TOML from lines of `key = value` where whole numbers stay numbers and all else is text."""
    lines = []
    for line in text.strip().splitlines():
        key, equals, value = line.strip().partition(" = ")
        quoted = value if value.isdigit() else json.dumps(value, ensure_ascii=False)
        lines.append(f"{key} = {quoted}" if equals else key)
    return "\n".join(lines) + "\n"
