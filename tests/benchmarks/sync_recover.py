"""Hub, broker and agent are killed in turn while a node works: how long until everything is current again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks import ledger_rows as rows
from benchmarks.result import Result
from benchmarks.sync_live import percentile
from benchmarks.sync_parts import Agent, Centre, at_work, moments, running
from bodega.errors import BodegaError
from bodega_agent.demo.handheld import AgentGone
from support.waiting import until_async

EVENTS_PER_S = 20
SKUS = 20
BETWEEN_S = 2.0
# As the units have it (RestartSec in systemd/): a service manager does not restart at once. nats-server has no unit
# of ours; Debian's waits as long.
RESTART_S = {"hub": 1.0, "broker": 1.0, "agent": 1.0}


async def recover(folder: Path, rounds: int) -> list[Result]:
    """Seconds from the kill until the hub has acknowledged an event that the node has recorded since; p99.

    The killed one is started again after the time that its unit waits. Also the worst of each kind.
    """
    centre = Centre(folder / "centre", [rows.NODE_ID], skus=SKUS)
    (folder / "node").mkdir()
    took_s: dict[str, list[float]] = {kind: [] for kind in RESTART_S}
    async with (
        running(centre),
        at_work(centre.agent(rows.NODE_ID, folder / "node", centre.broker.url)) as agent,
    ):
        working = asyncio.create_task(_work(agent))
        try:
            await until_async(lambda: _current(agent, 1), 60.0, "the first ack")
            for _, (kind, again) in itertools.product(range(rounds), _kills(centre, agent).items()):
                await moments(BETWEEN_S)
                took_s[kind].append(await _one(agent, kind, again))
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    every = [one for times in took_s.values() for one in times]
    return [
        Result("sync.recover_p99", round(percentile(every, 99), 2), "s"),
        *(Result(f"sync.recover_{kind}_max", round(max(times), 2), "s") for kind, times in took_s.items()),
    ]


async def _one(agent: Agent, kind: str, again: Callable[[], Awaitable[None]]) -> float:
    """Kill, start again, and wait for an ack of what was recorded after the kill."""
    clock = asyncio.get_running_loop().time
    before = int((await agent.sync())["head_seq"])
    begun = clock()
    await again()
    await until_async(lambda: _current(agent, before + 1), 60.0, f"recovery of the {kind}")
    return clock() - begun


def _kills(centre: Centre, agent: Agent) -> dict[str, Callable[[], Awaitable[None]]]:
    async def hub() -> None:
        await centre.hub.kill()
        await moments(RESTART_S["hub"])
        await centre.hub.start()

    async def broker() -> None:
        centre.broker.kill()
        await moments(RESTART_S["broker"])
        await asyncio.to_thread(centre.broker.start)

    async def node() -> None:
        await agent.child.kill()
        await moments(RESTART_S["agent"])
        await agent.child.start()

    return {"hub": hub, "broker": broker, "agent": node}


async def _current(agent: Agent, seq: int) -> bool:
    """Connected, and all acknowledged that is recorded, `seq` and more."""
    try:
        status = await agent.sync()
    except AgentGone:
        return False
    return bool(status["connected"]) and status["acked_seq"] >= seq


async def _work(agent: Agent) -> None:
    """Receive a unit, again and again; what fails while the agent is away is asked again under the same id."""
    for number, cmd_id in enumerate(rows.cmd_ids()):
        while True:
            await moments(1 / EVENTS_PER_S)
            try:
                await agent.receive(cmd_id, number % SKUS)
                break
            except (AgentGone, BodegaError):
                continue
