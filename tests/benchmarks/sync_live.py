"""A working day as it happens: how far the hub is behind ten nodes, and what one node costs on the wire."""

from __future__ import annotations

import asyncio
import math
import random
import statistics
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from benchmarks import ledger_rows as rows
from benchmarks.result import Result
from benchmarks.sync_parts import Agent, Centre, at_work, moments, running
from bodega.broker.connection import Broker
from bodega.v1 import fleet_pb2, sync_pb2
from bodega_agent.identity import HubKey
from bodega_agent.services.syncing import SyncService
from bodega_agent.store.store import Store
from bodega_agent.transport.nats_link import NatsLink
from support.proxy import Proxy
from support.waiting import until

NODES = 10
EVENTS_PER_S = 200
HOUR_S = 3_600
SETTLE_S = 5.0
BUSY_EVENTS_PER_S = 20
SKUS = 200


class WatchedSync(SyncService):
    """A node's session that notes when each event was committed, and when the hub's word came that it has it."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.lags_s: list[float] = []
        self.missing: dict[int, float] = {}

    def committed(self, seq: int) -> None:
        """The caller has just been answered."""
        self.missing[seq] = asyncio.get_running_loop().time()

    def ack_received(self, ack: sync_pb2.Ack) -> None:
        """See LinkListener."""
        now = asyncio.get_running_loop().time()
        for seq in [seq for seq in self.missing if seq <= ack.seq]:
            self.lags_s.append(now - self.missing.pop(seq))
        super().ack_received(ack)


class Floor:
    """One node in this process: a real store, the real session, a real connection, and commands at random times."""

    def __init__(self, folder: Path, node_id: str, centre: Centre, verify_key: bytes, seed: int) -> None:
        self.store = Store(
            folder / node_id / "ledger.db",
            node_id=node_id,
            now_ms=lambda: rows.AT_MS,
            verify=lambda _key, _text: False,
        )
        self.sync = WatchedSync(
            node_id=node_id,
            boot_nonce=node_id,
            journal=self.store,
            link=NatsLink(node_id, Broker(centre.broker.url)),
            hub_key=HubKey(verify_key),
            health=_well,
        )
        self._ids = rows.cmd_ids(seed)
        self._random = random.Random(seed)

    async def work(self, seconds: float, events_per_s: float) -> None:
        """Commands of the day, exponentially spaced."""
        clock = asyncio.get_running_loop().time
        end, number, due = clock() + seconds, 0, clock()
        while (due := due + self._random.expovariate(events_per_s)) < end:
            await moments(max(0.0, due - clock()))
            asked = rows.arrived(next(self._ids), rows.step(number))
            number += 1
            result = await self.store.write(lambda tx, asked=asked: rows.through_store(tx, asked))
            self.sync.committed(int(str(result["seq"])))


async def _well() -> fleet_pb2.Health:
    return fleet_pb2.Health(version="bench", ledger_ok=True)


async def lag(folder: Path, seconds: float, nodes: int = NODES, events_per_s: float = EVENTS_PER_S) -> Result:
    """99th percentile of milliseconds from the commit at a node to the hub's signed ack at that node.

    That is later than the hub's commit by the way back. All nodes share this process, the hub has its own.
    """
    names = [f"bench-{number:02}" for number in range(1, nodes + 1)]
    centre = Centre(folder / "centre", names)
    async with running(centre), AsyncExitStack() as closing:
        floors = []
        for seed, name in enumerate(names):
            floor = Floor(folder, name, centre, centre.verify_key_bytes, seed)
            closing.callback(floor.store.close)
            floors.append(floor)
        sessions = [asyncio.create_task(floor.sync.run()) for floor in floors]
        closing.push_async_callback(_end, sessions)
        await until(lambda: all(floor.sync.status().connected for floor in floors), 30.0, "ten sessions")
        await moments(SETTLE_S)
        await asyncio.gather(*(floor.work(seconds, events_per_s / nodes) for floor in floors))
        await until(lambda: not any(floor.sync.missing for floor in floors), 30.0, "the last acks")
    lags_s = [one for floor in floors for one in floor.sync.lags_s]
    return Result("sync.lag_p99", round(percentile(lags_s, 99) * 1e3, 1), "ms")


async def wire(folder: Path, seconds: float) -> list[Result]:
    """Bytes between one agent and the broker, both ways: idle by hour, and by event at one and at many a second."""
    centre = Centre(folder / "centre", [rows.NODE_ID], skus=SKUS)
    (folder / "node").mkdir()
    async with running(centre), Proxy(centre.broker.port) as cable:
        async with at_work(centre.agent(rows.NODE_ID, folder / "node", cable.url)) as agent:
            await until(lambda: cable.passed_bytes > 0, 30.0, "the agent's connection")
            await moments(SETTLE_S)
            idle = await _passed(cable, moments(seconds))
            calm = await _passed(cable, _book(agent, 1, int(seconds)))
            busy = await _passed(cable, _book(agent, BUSY_EVENTS_PER_S, int(seconds) * BUSY_EVENTS_PER_S))
    quiet = idle / seconds
    return [
        Result("sync.bytes_idle_hour", round(quiet * HOUR_S), "bytes"),
        Result("sync.bytes_live_1", round((calm / seconds - quiet), 1), "bytes"),
        Result(
            f"sync.bytes_live_{BUSY_EVENTS_PER_S}",
            round((busy / seconds - quiet) / BUSY_EVENTS_PER_S, 1),
            "bytes",
        ),
    ]


async def _passed(cable: Proxy, happening: Any) -> int:
    before = cable.passed_bytes
    await happening
    return cable.passed_bytes - before


async def _book(agent: Agent, events_per_s: int, events: int) -> None:
    """Receive a unit, so often a second."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    for number, cmd_id in zip(range(events), rows.cmd_ids(events), strict=False):
        await moments(max(0.0, begun + number / events_per_s - clock()))
        await agent.command(
            command="receive",
            cmd_id=cmd_id,
            sku_id=f"SKU-{number % SKUS:04}",
            quantity=1 + number % 5,
        )
    await moments(max(0.0, begun + events / events_per_s - clock()))


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


def percentile(values: list[float], percent: int) -> float:
    """The smallest value that so many per cent of all do not exceed."""
    ranked = sorted(values)
    return ranked[math.ceil(len(ranked) * percent / 100) - 1] if ranked else statistics.mean(values)
