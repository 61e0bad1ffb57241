"""A JetStream cluster of real nats-servers on loopback: its streams live on a majority of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
from nats.errors import Error as NatsError
from nats.js.api import StreamInfo

from support.nats import NatsServer
from support.ports import free_port
from support.waiting import until_async

SERVERS = 3
# Elections take seconds, on a busy machine many.
ELECTED_S = 90.0


class NatsCluster:
    """Its servers by name; `url` names all of them."""

    def __init__(self, folder: Path) -> None:
        ports = [free_port() for _ in range(2 * SERVERS)]
        clients, routes = ports[:SERVERS], ports[SERVERS:]
        self.servers = {
            f"n{number}": NatsServer(
                folder / f"n{number}",
                config=_config(f"n{number}", routes[number], routes),
                port=clients[number],
            )
            for number in range(SERVERS)
        }

    @property
    def url(self) -> str:
        """All servers, as one value of a configuration."""
        return ",".join(server.url for server in self.servers.values())

    async def start(self) -> None:
        """Start all; a server of a cluster is ready for clients before the cluster is."""
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in self.servers.values()))

    def stop(self) -> None:
        """Stop all that run."""
        for server in self.servers.values():
            server.stop()

    async def stream(self, name: str) -> StreamInfo:
        """A stream as the cluster knows it, once it has a leader."""
        found: list[StreamInfo] = []

        async def asked() -> bool:
            found[:] = await self._ask(name)
            return bool(found)

        await until_async(asked, ELECTED_S, f"the stream {name} has a leader", look_s=0.2)
        return found[0]

    async def whole(self, name: str) -> None:
        """Return once every copy of a stream has all of it."""

        async def current() -> bool:
            cluster = (await self.stream(name)).cluster
            copies = (cluster.replicas or []) if cluster else []
            return len(copies) == SERVERS - 1 and all(one.current and not one.offline for one in copies)

        await until_async(current, ELECTED_S, f"every copy of {name} is current", look_s=0.2)

    async def leader_of(self, name: str) -> NatsServer:
        """The server that leads a stream."""
        cluster = (await self.stream(name)).cluster
        assert cluster is not None
        assert cluster.leader is not None
        return self.servers[cluster.leader]

    async def _ask(self, name: str) -> list[StreamInfo]:
        running = [server.url for server in self.servers.values() if server.process is not None]
        try:
            async with asyncio.timeout(5):
                client = await nats.connect(running, allow_reconnect=False, connect_timeout=1)
                try:
                    info = await client.jetstream(timeout=1).stream_info(name)
                finally:
                    await client.close()
        except (NatsError, OSError, TimeoutError):
            return []
        return [info] if info.cluster and info.cluster.leader else []


def _config(name: str, port: int, routes: list[int]) -> str:
    known = ", ".join(f'"nats://127.0.0.1:{route}"' for route in routes)
    return (
        f'server_name: "{name}"\n'
        f'cluster {{ name: "bodega", listen: "127.0.0.1:{port}", routes: [{known}] }}\n'
    )


@asynccontextmanager
async def running_cluster(folder: Path) -> AsyncIterator[NatsCluster]:
    """Started, and stopped at the end."""
    cluster = NatsCluster(folder)
    try:
        await cluster.start()
        yield cluster
    finally:
        await asyncio.to_thread(cluster.stop)
