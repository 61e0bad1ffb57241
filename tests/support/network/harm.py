"""Every part of the network dies once, in turn, under load, and is started again after a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from support.nats import NatsServer
from support.network.processes import Network
from support.network.witnesses import Kept, keep

STREAMS = ("UP", "DOWN")

Act = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Part:
    """One part: how it dies, and how it comes back.

    `is_alone`: while it is away no order is answered. `calls_out`: what it was calling out is told again.
    """

    name: str
    kill: Act
    start: Act
    is_alone: bool = False
    calls_out: bool = False


def parts_of(network: Network, kept: Kept) -> list[Part]:
    """All of them; of an agent that is killed, `kept` gets its journal as it was just before."""
    hubs = [Part(hub.recipe.name, hub.kill, hub.start, calls_out=True) for hub in network.hubs]
    brokers = [_broker(network, name, server) for name, server in network.cluster.servers.items()]
    postgres = Part(
        "postgres",
        _in_thread(network.postgres.crash),
        _in_thread(network.postgres.start),
        is_alone=True,
        calls_out=True,
    )
    agents = [_agent(network, number, kept) for number in range(len(network.posts))]
    return [*hubs, postgres, *brokers, *agents]


def _in_thread(act: Callable[[], object]) -> Act:
    async def run() -> None:
        await asyncio.to_thread(act)

    return run


def _broker(network: Network, name: str, server: NatsServer) -> Part:
    async def kill() -> None:
        # One broker of three at a time: the others must have all that it has.
        for stream in STREAMS:
            await network.cluster.whole(stream)
        await asyncio.to_thread(server.kill)

    return Part(f"broker {name}", kill, _in_thread(server.start))


def _agent(network: Network, number: int, kept: Kept) -> Part:
    post = network.posts[number]

    async def kill() -> None:
        keep(kept, network, post.node_id)
        await post.agent.kill()

    return Part(post.node_id, kill, post.agent.start)
