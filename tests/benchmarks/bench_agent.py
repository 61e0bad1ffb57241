"""The agent without vision: memory, start and idle CPU, with ledger, scanner, printer, broker and hub.

Real parts: nats-server, the control plane, one agent with the demo's catalogue; the scanner is a
pseudo-terminal and the printer a TCP port. `agent.pss` sums the proportional set size of all processes of the
agent; `agent.idle_cpu` is their user and system time over the idle minute; `agent.ready` is the median of
several starts, from exec to sd_notify's READY=1. The raw limit beside each is raw_python.py, a Python with the
same libraries and no work, measured in the same way and the same minute. The bars: 64 MiB, 1.5 s, 1 %.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.result import Result
from bodega_agent.demo import gather
from bodega_agent.demo.catalogue import catalogue
from bodega_agent.demo.handheld import ask
from bodega_agent.demo.patience import until
from bodega_agent.demo.places import sites
from bodega_agent.demo.processes import Child, Recipe
from bodega_agent.demo.shop import Shop
from bodega_agent.demo.world import Node, World

NAME = "agent"

IDLE_S = 60.0
STARTS = 5
RAW_PROGRAM = Path(__file__).with_name("raw_python.py")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def run() -> Iterator[Result]:
    """One result a figure."""
    with tempfile.TemporaryDirectory(prefix="bench-agent-") as folder:
        yield from asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Result]:
    root = folder / "world"
    root.mkdir()
    world = World(root, folder, sites(1), vision=False)
    raw = Child(Recipe("raw-python", (sys.executable, str(RAW_PROGRAM)), root / "raw.log"), folder)
    try:
        await world.start()
        node = world.nodes[0]
        await _load_catalogue(world, node)
        raw_ready_s, ready_s = await _starts(raw), await _starts(node.agent)
        await until("the agent to be connected", lambda: _is_current(world, node))
        used, raw_used = await _idle(node.agent, raw)
    finally:
        await raw.stop()
        await world.stop()
    return [
        Result.against("agent.pss", round(used.pss_mib, 1), "MiB", round(raw_used.pss_mib, 1)),
        Result.against("agent.ready", round(ready_s, 3), "s", round(raw_ready_s, 3)),
        Result.against("agent.idle_cpu", round(used.cpu_percent, 3), "%", round(raw_used.cpu_percent, 3)),
    ]


async def _load_catalogue(world: World, node: Node) -> None:
    shop = Shop(world.endpoints["http"], world.storefront_token, [node.site])
    products = catalogue()
    try:
        await shop.load(products)
    finally:
        await shop.close()
    await until("the node to know the catalogue", lambda: gather.skus_known(node.ledger) == len(products))


async def _starts(child: Child) -> float:
    """Stop and start it; the median of its times to be ready, in seconds. It runs on afterwards."""
    times = []
    for _ in range(STARTS):
        if child.running:
            await child.stop()
        await child.start()
        times.append(child.ready_s)
    return statistics.median(times)


async def _is_current(world: World, node: Node) -> bool:
    sync = await ask(node.socket, "sync")
    heads = gather.down_heads(world.hub_database)
    return bool(sync["connected"]) and sync["down_seq"] == heads[node.site.node_id]


@dataclass(frozen=True, slots=True)
class Use:
    """What a process and its children take: per cent of one core, at least the clock's resolution, and MiB."""

    cpu_percent: float
    pss_mib: float


async def _idle(*children: Child) -> list[Use]:
    """What each takes over the idle time, all at once, and its PSS at the end."""
    before_s = [sum(_cpu_s(pid) for pid in family(child.pid)) for child in children]
    await asyncio.sleep(IDLE_S)
    uses = []
    for child, was_s in zip(children, before_s, strict=True):
        there = family(child.pid)
        used_s = max(TICK_S, sum(_cpu_s(pid) for pid in there) - was_s)
        uses.append(Use(used_s * 100 / IDLE_S, sum(_pss_mib(pid) for pid in there)))
    return uses


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
    return (int(stat[11]) + int(stat[12])) * TICK_S


def _pss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
