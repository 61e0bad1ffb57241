"""Plays a plan: faults first, then healing, and looks for what must not be and for what must come."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator import faults, offices, work
from simulator.disk import SimVfs
from simulator.first import make_first
from simulator.plan import Plan, Step
from simulator.seeding import seed_identifiers
from simulator.world import Broken, World

ACTIONS: dict[str, Callable[[World, Step], None]] = {**work.ACTIONS, **offices.ACTIONS, **faults.ACTIONS}

LOOK_EVERY_S = 10.0
LEVEL_WITHIN_S = 120.0
SLICE_S = 0.5


@dataclass
class Outcome:
    """How a world ended: what broke, or "", and its story."""

    broke: str
    story: list[str]
    level_after_s: float = 0.0
    events: int = 0
    virtual_s: float = 0.0


class Simulator:
    """Plays plans, each in a folder of its own."""

    def __init__(self, vfs: SimVfs, folder: Path) -> None:
        self._vfs = vfs
        self._folder = folder
        self._numbers = itertools.count()
        self._firsts: dict[tuple[str, ...], Path] = {}

    def play(self, plan: Plan) -> Outcome:
        """Play it to its end, or until something does not hold."""
        first = self._firsts.get(plan.nodes)
        if first is None:
            name = f"first-{len(self._firsts)}"
            first = self._firsts[plan.nodes] = make_first(self._folder / name, plan.nodes)
        seed_identifiers(plan.seed)
        folder = self._folder / f"world-{next(self._numbers)}"
        folder.mkdir()
        world = World(plan, self._vfs, folder, first)
        with world.loop.running():
            return _live(world)


def _live(world: World) -> Outcome:
    outcome = Outcome("", world.story)
    try:
        _begin(world)
        _play_faults(world)
        outcome.level_after_s = _heal(world)
    except Broken as broken:
        outcome.broke = str(broken)
        world.say(f"BROKEN: {broken}")
    finally:
        outcome.virtual_s = world.loop.time()
        world.end_all()
    return outcome


def _begin(world: World) -> None:
    for machine in world.machines:
        machine.start()


def _play_faults(world: World) -> None:
    for step in world.plan.steps:
        world.loop.run_until(max(step.at_s, world.loop.time()))
        world.say(f"{step.who}: {step.what} {step.values}")
        ACTIONS[step.what](world, step)
    world.loop.run_until(max(world.plan.heal_s, world.loop.time()))


def _heal(world: World) -> float:
    world.say("all faults end")
    world.network.heal()
    world.broker.is_up = True
    for node in world.nodes.values():
        node.break_disk(None)
    for machine in world.machines:
        machine.start()
        if machine.process is not None:
            machine.process.fuse = None
    began_s = world.loop.time()
    while world.loop.time() < began_s + LEVEL_WITHIN_S:
        world.loop.run_until(world.loop.time() + SLICE_S)
        if not unlevel(world):
            return world.loop.time() - began_s
    raise Broken("; ".join(unlevel(world)))


def unlevel(world: World) -> list[str]:
    """What is still under way; nothing when both ends of each stream agree and everybody was answered."""
    found = [f"{machine.name} is down" for machine in world.machines if not machine.is_ready]
    if found:
        return found
    found = [f"{machine.name} has not answered {list(machine.asked)}" for machine in world.machines if machine.asked]
    rows = {row.node_id: row for row in world.hub.read(_nodes)}
    for name, node in world.nodes.items():
        row, status = rows[name], node.sync.status() if node.sync else None
        if status is None:
            continue
        if not status.head_seq == row.applied_seq == status.acked_seq:
            found.append(f"{name} is at {status.head_seq}, the hub at {row.applied_seq}, acked {status.acked_seq}")
        if not status.down_seq == row.down_seq:
            found.append(f"{name} has applied {status.down_seq} of {row.down_seq} of the hub's events")
        if status.fenced:
            found.append(f"{name} is fenced: {status.fenced}")
    return found


def _nodes(tx: object) -> object:
    from bodega_controlplane.store import nodes

    return nodes.all_of(tx)  # type: ignore[arg-type]  # a transaction
