"""The agent without vision: memory, start and idle CPU, with ledger, scanner, printer, broker and hub (limits: issue).

Real parts: nats-server, the control plane, one agent with the demo's catalogue; the scanner is a
pseudo-terminal and the printer a TCP port. `agent.pss` sums the proportional set size of all processes of the
agent; `agent.idle_cpu` is their user and system time over the idle minute; `agent.ready` is the median of
several starts, from exec to sd_notify's READY=1.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result
from bodega_agent.demo import gather
from bodega_agent.demo.catalogue import catalogue
from bodega_agent.demo.handheld import ask
from bodega_agent.demo.patience import until
from bodega_agent.demo.places import sites
from bodega_agent.demo.processes import Child
from bodega_agent.demo.shop import Shop
from bodega_agent.demo.world import Node, World

NAME = "agent"

IDLE_S = 60.0
STARTS = 5
PSS_MIB_MAX = 64.0
READY_S_MAX = 1.5
IDLE_CPU_PERCENT_MAX = 1.0


def run() -> Iterator[Result]:
    """One result a figure."""
    with tempfile.TemporaryDirectory(prefix="bench-agent-") as folder:
        yield from asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Result]:
    root = folder / "world"
    root.mkdir()
    world = World(root, folder, sites(1), vision=False)
    try:
        await world.start()
        node = world.nodes[0]
        await _load_catalogue(world, node)
        ready_s = await _starts(node.agent)
        await until("the agent to be connected", lambda: _is_current(world, node))
        cpu_percent, pss_mib = await _idle(node.agent)
    finally:
        await world.stop()
    return [
        Result.against("agent.pss", round(pss_mib, 1), "MiB", PSS_MIB_MAX),
        Result.against("agent.ready", round(ready_s, 3), "s", READY_S_MAX),
        Result.against("agent.idle_cpu", round(cpu_percent, 3), "%", IDLE_CPU_PERCENT_MAX),
    ]


async def _load_catalogue(world: World, node: Node) -> None:
    shop = Shop(world.endpoints["http"], world.storefront_token, [node.site])
    products = catalogue()
    try:
        await shop.load(products)
    finally:
        await shop.close()
    await until("the node to know the catalogue", lambda: gather.skus_known(node.ledger) == len(products))


async def _starts(agent: Child) -> float:
    """Stop and start the agent; the median of its times to be ready, in seconds."""
    times = []
    for _ in range(STARTS):
        await agent.stop()
        await agent.start()
        times.append(agent.ready_s)
    return statistics.median(times)


async def _is_current(world: World, node: Node) -> bool:
    sync = await ask(node.socket, "sync")
    heads = gather.down_heads(world.hub_database)
    return bool(sync["connected"]) and sync["down_seq"] == heads[node.site.node_id]


async def _idle(agent: Child) -> tuple[float, float]:
    """CPU per cent of one core over the idle time, and MiB of PSS at its end."""
    before_s = sum(_cpu_s(pid) for pid in family(agent.pid))
    await asyncio.sleep(IDLE_S)
    there = family(agent.pid)
    used_s = sum(_cpu_s(pid) for pid in there) - before_s
    return used_s * 100 / IDLE_S, sum(_pss_mib(pid) for pid in there)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {
        int(path.name): _stat(int(path.name)) for path in Path("/proc").glob("[0-9]*") if path.exists()
    }
    found = [pid]
    for member in found:
        found += [child for child, stat in parents.items() if stat and int(stat[1]) == member]
    return found


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the command's name, from "state" on; empty for one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_s(pid: int) -> float:
    """User and system time, proc_pid_stat(5) fields 14 and 15."""
    stat = _stat(pid)
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def _pss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
