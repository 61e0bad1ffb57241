"""A thousand nodes come back at once, because their broker was restarted, each with a backlog.

The sessions are the real ones over a real connection each, in a few processes; their journals are in memory. Hub
and broker are processes, the hub's database a SQLite file.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.result import Result
from benchmarks.sync_live import percentile
from benchmarks.sync_parts import Centre, Worker, moments, running

NODES = 1_000
PROCESSES = 4
BACKLOG = 100
# How long the broker is away; the nodes' attempts have spread by then.
AWAY_S = 5.0


async def storm(
    folder: Path,
    nodes: int = NODES,
    processes: int = PROCESSES,
    backlog: int = BACKLOG,
    away_s: float = AWAY_S,
) -> list[Result]:
    """Seconds from the broker's first greeting until the last node holds the hub's ack of all of its backlog.

    `storm_median` is the node in the middle: the last one must not be far behind it.
    """
    names = [f"bench-{number:04}" for number in range(nodes)]
    centre = Centre(folder / "centre", names)
    async with running(centre), AsyncExitStack() as closing:
        workers = [
            await closing.enter_async_context(
                Worker.started("storm", centre, names[number::processes], {"backlog": backlog})
            )
            for number in range(processes)
        ]
        for worker in workers:
            await worker.said("ready")
        await moments(away_s)
        centre.broker.kill()
        for worker in workers:
            worker.begin()
        for worker in workers:
            await worker.said("filled")
        await moments(away_s)
        await asyncio.to_thread(centre.broker.start)
        begun = time.monotonic()
        current_s = [one for worker in workers for one in (await worker.said("current_s")).values()]
    took_s = [one - begun for one in current_s]
    return [
        Result.against("sync.storm", round(max(took_s), 2), "s", round(percentile(took_s, 50), 2)),
        Result("sync.storm_rate", round(nodes * backlog / max(took_s)), "1/s"),
    ]
