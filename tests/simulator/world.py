"""A world: a hub, a broker, nodes, and everything that happens to them, from one seed and in virtual time.

First the plan is played, with its faults; what must never happen is looked for all the while. Then all faults end,
and what must happen in the end is waited for, and looked at. The first thing that does not hold ends the world.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bodega.errors import BodegaError
from bodega_controlplane.keys import HubKey
from bodega_controlplane.rules.policy import Policy
from simulator.broker import SimBroker
from simulator.chronicle import Seen, Written
from simulator.connection import BrokerEnd
from simulator.disk import SimVfs
from simulator.hub import SimHub
from simulator.loop import SimLoop
from simulator.machine import Machine
from simulator.network import Network
from simulator.node import SimNode
from simulator.plan import Plan
from simulator.seeding import seeded

POLICY = Policy(safety_stock=0)
KEY = HubKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


class Broken(AssertionError):
    """An invariant does not hold; the message says which, and where."""


class World:
    """Everything of one run; `first` is the folder of a hub's database that knows the nodes and the catalogue."""

    def __init__(self, plan: Plan, vfs: SimVfs, folder: Path, first: Path) -> None:
        self.plan = plan
        self.luck = seeded(plan.seed, "world")
        self.loop = SimLoop(seeded(plan.seed, "threads"))
        self.story: list[str] = []
        self.network = Network(self.loop, f"{plan.seed}")
        self.broker = SimBroker(self.loop)
        self.end = BrokerEnd(self.broker)
        self.vfs = vfs
        shared = {"network": self.network, "end": self.end, "folder": folder, "seed": f"{plan.seed}"}
        self._make_node = partial(
            SimNode, loop=self.loop, said=self.say, hub_key=KEY.verify_key, vfs=vfs, **shared
        )
        self.hub = SimHub(
            self.loop,
            self.say,
            key=KEY,
            policy=POLICY,
            first=first,
            **shared,
        )
        self.nodes = {name: self._make_node(name) for name in plan.nodes}
        self.clones: list[SimNode] = []
        self.facts = Facts()
        self.seen = {name: Seen(name) for name in plan.nodes}
        self.seen_at_hub = {name: Seen(f"the hub's copy of {name}") for name in plan.nodes}
        self.seen_of_clones: dict[str, Seen] = {}
        self.written = Written()
        self.warped_s = 0.0
        self.next_look_s = 0.0
        self.before_healing: Path | None = None
        self._ended = False
        self._then: dict[tuple[str, str], Callable[[Any], None]] = {}
        for machine in self.machines:
            machine.on_answer = partial(self._answered, machine.name)

    def then(self, machine: Machine, request_id: str, go_on: Callable[[Any], None]) -> None:
        """Once a request is answered, go on with its answer."""
        self._then[machine.name, request_id] = go_on

    def after(self, seconds: float, go_on: Callable[[], None]) -> None:
        """Go on some time later, unless the world has ended by then."""
        self.loop.call_later(seconds, lambda: None if self._ended else go_on(), context=Context())

    def _answered(self, name: str, request_id: str, answer: Any) -> None:
        if isinstance(answer, BodegaError):
            self.say(f"{name} refuses {request_id}: {answer.message}")
        go_on = self._then.pop((name, request_id), None)
        if go_on is not None:
            self.loop.call_soon(go_on, answer, context=Context())

    @property
    def all_is_seen(self) -> bool:
        """Whether every node could be looked at; what a dead one has recorded since the last look is not known."""
        return all(node.is_ready for node in self.nodes.values())

    @property
    def single(self) -> dict[str, SimNode]:
        """The nodes that are one box each: of a cloned one, the hub may follow either."""
        cloned = {clone.node_id for clone in self.clones}
        return {name: node for name, node in self.nodes.items() if name not in cloned}

    def seen_of(self, box: SimNode) -> Seen:
        """What a node's or a clone's journal has shown."""
        if box.name in self.seen:
            return self.seen[box.name]
        return self.seen_of_clones.setdefault(box.name, Seen(box.name))

    @property
    def steady(self) -> dict[str, SimNode]:
        """The nodes of which everybody knows where they stand."""
        return {name: node for name, node in self.single.items() if name not in self.facts.in_doubt}

    def uproot(self, name: str, *, loses_events: bool) -> None:
        """A node loses its place, and with `loses_events` its journal is not what it was."""
        node = self.nodes[name]
        self.facts.in_doubt.add(name)
        self.facts.uprooted[name] = frozenset(node.answers) if loses_events else frozenset()
        if loses_events:
            self.facts.lost_events.add(name)
            self.seen[name] = Seen(name)

    def forget_hub(self) -> None:
        """The hub has gone back: what it held of the journals it must get again."""
        self.facts.hub_was_restored = True
        self.facts.in_doubt |= set(self.nodes)
        self.seen_at_hub = {name: Seen(f"the hub's copy of {name}") for name in self.nodes}

    def look(self) -> None:
        """Bring what was seen from outside up to date."""
        for name in self.nodes:
            if self.hub.is_ready:
                seen = self.seen_at_hub[name]
                sql = "SELECT seq, body, hash FROM journal WHERE node_id = ? AND seq >= ? ORDER BY seq"
                seen.grow(self.hub.rows(sql, name, seen.seq))
        for node in (*self.nodes.values(), *self.clones):
            if node.is_ready and node.store is not None:
                self._look_at(node)
        self.written.look(self.broker, self.nodes)

    def _look_at(self, node: SimNode) -> None:
        """A new epoch's journal follows the hub's copy of the one before."""
        assert node.store is not None, "it is ready"
        ((epoch,),) = node.store.rows("SELECT coalesce(max(value), 1) FROM meta WHERE key = 'epoch'")
        seen = self.seen_of(node)
        if epoch != seen.epoch:
            ((basis,),) = node.store.rows("SELECT coalesce(max(last_seq), 0) FROM archive")
            at_hub = self.seen_at_hub[node.node_id]
            if at_hub.seq < basis:
                return
            seen = at_hub.up_to(basis, node.name, epoch)
            (self.seen if node.name in self.seen else self.seen_of_clones)[node.name] = seen
        seen.grow(
            node.store.rows("SELECT seq, body, hash FROM journal WHERE seq >= ? ORDER BY seq", seen.seq)
        )

    def is_under_way(self, transfer: str) -> bool:
        """Whether a lorry's departure has not been recorded yet."""
        out = f"{transfer.removeprefix('T-')}-transfer_out"
        return not any(out in node.answers for node in self.nodes.values())

    def warp(self, seconds: float) -> None:
        """Time passes for everybody, and nobody works."""
        self.warped_s += seconds
        self.loop.warp(seconds)

    @property
    def deaths(self) -> list[str]:
        """What programs died of."""
        return [death for machine in self.machines for death in machine.deaths]

    @property
    def machines(self) -> list[Machine]:
        """The hub, the nodes, and who says that it is one."""
        return [self.hub, *self.nodes.values(), *self.clones]

    def clone(self, node: SimNode) -> SimNode:
        """A copy of a node's disk in another box, with the same name and credentials."""
        assert node.drive is not None, "it has booted"
        copy = self._make_node(f"{node.name}-clone-{len(self.clones) + 1}", node_id=node.node_id)
        copy.disk = node.drive.copied()
        self.clones.append(copy)
        return copy

    def machine(self, name: str) -> Machine:
        """One of them by its name."""
        return self.hub if name == self.hub.name else self.nodes[name]

    def say(self, sentence: str) -> None:
        """A line of the story."""
        self.story.append(f"{self.loop.time():9.3f} s  {sentence}")

    def end_all(self) -> None:
        """Every process ends, and every file is closed; nobody comes back from here."""
        self._ended = True
        for machine in self.machines:
            machine.stays_down = True
            machine.kill("the world ends")
        self.loop.run_until(self.loop.time() + 5.0)
        left = [task.get_coro() for task in asyncio.all_tasks(self.loop)]
        assert not left, f"the world has ended, and these go on: {left}"
        self.loop.close()


@dataclass
class Facts:
    """What people outside of the machines know: what they were told, and what they did."""

    orders: list[str] = field(default_factory=list)
    reservations: dict[str, list[str]] = field(default_factory=dict)
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    hub_was_restored: bool = False
    # Nodes of which nobody knows yet where they stand, nodes that ever were, and what those had answered before.
    in_doubt: set[str] = field(default_factory=set)
    uprooted: dict[str, frozenset[str]] = field(default_factory=dict)
    lost_events: set[str] = field(default_factory=set)
    readmitted: list[str] = field(default_factory=list)
    is_operated: bool = False


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder in memory, if the machine has such."""
    shared = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(prefix="simulator-", dir=shared if shared.is_dir() else None)).resolve()
    try:
        yield path
    finally:
        shutil.rmtree(path)
