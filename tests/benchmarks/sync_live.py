"""A working day as it happens: how far the hub is behind ten nodes, and what one node costs on the wire."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import ledger_rows as rows
from benchmarks.result import Result
from benchmarks.sync_parts import Agent, Centre, Worker, at_work, moments, running
from support.proxy import Proxy
from support.waiting import until

NODES = 10
EVENTS_PER_S = 200
HOUR_S = 3_600
SETTLE_S = 5.0
BUSY_EVENTS_PER_S = 20
SKUS = 200


async def lag(
    folder: Path, seconds: float, nodes: int = NODES, events_per_s: float = EVENTS_PER_S
) -> list[Result]:
    """Milliseconds from the commit at a node to the hub's signed ack at that node; p99, and p50 for comparison.

    That is later than the hub's commit by the way back. Each node is a process, as broker and hub are.
    """
    names = [f"bench-{number:02}" for number in range(1, nodes + 1)]
    centre = Centre(folder / "centre", names)
    lags_s: list[float] = []
    async with running(centre), AsyncExitStack() as closing:
        floors = []
        for seed, name in enumerate(names):
            told = {
                "folder": str(folder),
                "seed": seed,
                "seconds": seconds,
                "events_per_s": events_per_s / nodes,
            }
            floors.append(await closing.enter_async_context(Worker.started("floor", centre, [name], told)))
        for floor in floors:
            await floor.said("ready")
        await moments(SETTLE_S)
        for floor in floors:
            floor.begin()
        for floor in floors:
            lags_s += await floor.said("lags_s")
    return [
        Result(f"sync.lag_p{percent}", round(percentile(lags_s, percent) * 1e3, 1), "ms")
        for percent in (50, 99)
    ]


async def wire(folder: Path, seconds: float) -> list[Result]:
    """Bytes between one agent and the broker, both ways: idle by hour, and by event at one and at many a second."""
    centre = Centre(folder / "centre", [rows.NODE_ID], skus=SKUS)
    (folder / "node").mkdir()
    async with (
        running(centre),
        Proxy(centre.broker.port) as cable,
        at_work(centre.agent(rows.NODE_ID, folder / "node", cable.url)) as agent,
    ):
        await until(lambda: cable.passed_bytes > 0, 30.0, "the agent's connection")
        await moments(SETTLE_S)
        idle = await _passed(cable, moments(seconds))
        calm = await _passed(cable, _book(agent, 1, int(seconds)))
        busy = await _passed(cable, _book(agent, BUSY_EVENTS_PER_S, int(seconds) * BUSY_EVENTS_PER_S))
    quiet = idle / seconds
    busy_each = (busy / seconds - quiet) / BUSY_EVENTS_PER_S
    return [
        Result("sync.bytes_idle_hour", round(quiet * HOUR_S), "bytes"),
        Result("sync.bytes_live_1", round(calm / seconds - quiet, 1), "bytes"),
        Result(f"sync.bytes_live_{BUSY_EVENTS_PER_S}", round(busy_each, 1), "bytes"),
    ]


async def _passed(cable: Proxy, happening: Awaitable[None]) -> int:
    before = cable.passed_bytes
    await happening
    return cable.passed_bytes - before


async def _book(agent: Agent, events_per_s: int, events: int) -> None:
    """Receive a unit, so often a second."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    for number, cmd_id in zip(range(events), rows.cmd_ids(events), strict=False):
        await moments(max(0.0, begun + number / events_per_s - clock()))
        await agent.receive(cmd_id, number % SKUS)
    await moments(max(0.0, begun + events / events_per_s - clock()))


def percentile(values: list[float], percent: int) -> float:
    """The smallest value that so many per cent of all do not exceed."""
    ranked = sorted(values)
    return ranked[math.ceil(len(ranked) * percent / 100) - 1]
