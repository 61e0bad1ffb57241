"""Plays a plan: faults first, then healing, and looks for what must not be and for what must come."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bodega.core.chain import GENESIS
from simulator import comebacks, faults, offices, work
from simulator.checks import answers, books, level, order, parts, promises, streams
from simulator.checks import comebacks as came_back
from simulator.disk import SimVfs
from simulator.first import make_first
from simulator.mutants import Mutant
from simulator.node import SimNode
from simulator.plan import Plan, Step
from simulator.seeding import seed_identifiers
from simulator.story import sentence_of
from simulator.world import Broken, World

ACTIONS: dict[str, Callable[[World, Step], None]] = {
    **work.ACTIONS,
    **offices.ACTIONS,
    **faults.ACTIONS,
    **comebacks.ACTIONS,
}

Check = Callable[[World], Iterator[str]]
ALWAYS: Sequence[Check] = (
    streams.the_journals_only_grow,
    streams.the_hub_holds_the_beginning_of_each_journal,
    streams.what_is_acked_is_at_the_hub,
    streams.each_epoch_has_one_writer,
    streams.the_hubs_streams_are_whole,
    books.each_movement_sums_to_zero,
    books.balances_are_the_fold_of_the_journal,
    books.the_hubs_stock_is_the_fold_of_its_copy,
    books.a_serial_is_in_one_place,
    books.transfers_are_conserved,
    promises.rights_are_conserved,
    promises.promises_are_within_rights,
    promises.nothing_is_oversold,
    promises.each_promise_ends_once,
    parts.tokens_rise,
    parts.an_order_follows_from_its_parts,
    parts.a_promise_lasts_as_long_as_its_work,
    answers.what_was_answered_is_recorded,
    answers.a_command_is_done_once,
    answers.the_same_command_has_the_same_answer,
    answers.no_real_scan_is_refused,
    answers.no_program_ends_by_itself,
    answers.orders_that_were_confirmed_are_there,
    came_back.a_command_moves_goods_once,
)
AT_THE_END: Sequence[Check] = (
    level.the_hub_sees_what_the_node_has,
    level.the_ledgers_verify,
    level.orders_are_where_the_node_says,
    parts.one_node_at_a_time_has_a_part,
    parts.what_was_sent_twice_is_told,
    level.nothing_was_set_aside_unasked,
    level.poison_harms_nobody,
    order.any_order_gives_the_same,
    came_back.what_was_recorded_since_is_kept,
    came_back.what_a_fork_became_is_told,
)

LOOK_EVERY_S = 10.0
LEVEL_WITHIN_S = 120.0
SLICE_S = 0.5


@dataclass
class Outcome:
    """How a world ended: what broke, or "", and its story; per node, how long after the faults it was current."""

    broke: str
    story: list[str]
    level_after_s: list[float] = field(default_factory=list)
    events: int = 0
    virtual_s: float = 0.0
    happened: Counter[str] = field(default_factory=Counter)

    @property
    def rule(self) -> str:
        """The name of the rule that broke."""
        return self.broke.partition(":")[0]


class Simulator:
    """Plays plans, each in a folder of its own."""

    def __init__(self, vfs: SimVfs, folder: Path) -> None:
        self._vfs = vfs
        self._folder = folder
        self._numbers = itertools.count()
        self._firsts: dict[tuple[str, ...], Path] = {}

    def play(self, plan: Plan, mutant: Mutant | None = None) -> Outcome:
        """Play it to its end, or until something does not hold."""
        first = self._firsts.get(plan.nodes)
        if first is None:
            name = f"first-{len(self._firsts)}"
            first = self._firsts[plan.nodes] = make_first(self._folder / name, plan.nodes)
        seed_identifiers(plan.seed)
        folder = self._folder / f"world-{next(self._numbers)}"
        folder.mkdir()
        world = World(plan, self._vfs, folder, first)
        with world.loop.running(), mutant.around() if mutant else nullcontext():
            if mutant is not None:
                mutant.install(world)
            return _live(world)


def _live(world: World) -> Outcome:
    outcome = Outcome("", world.story)
    try:
        _begin(world)
        _play_faults(world)
        outcome.level_after_s = _heal(world)
        check(world, (*ALWAYS, *AT_THE_END))
        outcome.events = sum(seen.seq for seen in world.seen.values())
        _note_what_happened(world, outcome.happened)
    except Broken as broken:
        outcome.broke = str(broken)
        world.say(f"BROKEN: {broken}")
    finally:
        outcome.virtual_s = world.loop.time()
        world.end_all()
    return outcome


def _note_what_happened(world: World, happened: Counter[str]) -> None:
    """By the hub's audit trail and its conflicts, by what is set aside, and by how programs died."""
    for sql in (
        "SELECT action, count(*) FROM audit GROUP BY action",
        "SELECT 'conflict ' || kind, count(*) FROM conflict GROUP BY kind",
        "SELECT 'promise ' || state, count(*) FROM node_reservation GROUP BY state",
        "SELECT 'envelope refused', count(*) FROM refused_envelope",
        "SELECT 'event parked', count(*) FROM parked_event",
    ):
        happened.update({what: int(times) for what, times in world.hub.rows(sql) if times})
    happened.update(world.deaths)


def _begin(world: World) -> None:
    """The plan's time begins when every node has its profile and the catalogue: unknown goods are refused."""
    for machine in world.machines:
        machine.start()
    _wait_until_level(world)
    world.warped_s = world.loop.time()


def _play_faults(world: World) -> None:
    for step in world.plan.steps:
        _run_to(world, step.at_s)
        world.say(sentence_of(step))
        ACTIONS[step.what](world, step)
    _run_to(world, world.plan.heal_s)


def _run_to(world: World, moment_s: float) -> None:
    """Let time pass up to a moment of the plan, and look around on the way."""
    while world.loop.time() < moment_s + world.warped_s:
        world.loop.run_until(min(moment_s + world.warped_s, world.next_look_s))
        if world.loop.time() >= world.next_look_s:
            world.next_look_s = world.loop.time() + LOOK_EVERY_S
            check(world, ALWAYS)


def _heal(world: World) -> list[float]:
    world.say("all faults end")
    if world.hub.is_ready:
        world.before_healing = world.hub.copy("before-healing")
    world.network.heal()
    world.broker.is_up = True
    comebacks.stop_clones(world)
    for node in world.nodes.values():
        node.break_disk(None)
    for machine in world.machines:
        machine.start()
        if machine.process is not None:
            machine.process.fuse = None
    levels = _wait_until_level(world)
    world.facts.in_doubt.clear()
    return levels


def _wait_until_level(world: World) -> list[float]:
    """For each node the seconds until it was current; Broken if that does not come to pass."""
    began_s = world.loop.time()
    current_s: dict[str, float] = {}
    while world.loop.time() < began_s + LEVEL_WITHIN_S:
        world.loop.run_until(world.loop.time() + SLICE_S)
        left = unlevel(world)
        for name in world.single:
            if name not in world.facts.uprooted and not any(name in one for one in left):
                current_s.setdefault(name, world.loop.time() - began_s)
        if not left:
            return list(current_s.values())
    raise Broken("everything_ends_level: " + "; ".join(left))


def check(world: World, checks: Sequence[Check]) -> None:
    """Look for what does not hold; raises Broken with everything that was found."""
    world.look()
    found = [f"{one.__name__}: {fault}" for one in checks for fault in one(world)]
    if found:
        raise Broken("\n".join(found))


def unlevel(world: World) -> list[str]:
    """What is still under way; nothing when both ends of each stream agree and everybody was answered."""
    if not world.hub.is_ready:
        return [f"the hub is down, and with it {', '.join(world.nodes)}"]
    found = [f"{name} is down" for name, node in world.nodes.items() if not node.is_ready]
    found += [
        f"{machine.name} has not answered {list(machine.asked)}"
        for machine in world.machines
        if machine.asked
    ]
    sql = "SELECT node_id, applied_seq, down_seq, epoch, down_epoch, down_hash FROM node"
    rows = {row[0]: row[1:] for row in world.hub.rows(sql)}
    for name, node in world.single.items():
        if not node.is_ready or node.sync is None:
            continue
        (at_hub, down, epoch, *stream), status = rows[name], node.sync.status()
        # By the ledger: the service hears of a commit a moment later.
        head_seq = _head_at(node)
        if not head_seq == at_hub == status.acked_seq:
            found.append(f"{name} is at {head_seq}, the hub at {at_hub}, acked {status.acked_seq}")
        if status.down_seq != down:
            found.append(f"{name} has applied {status.down_seq} of {down} of the hub's events")
        if status.epoch != epoch:
            found.append(f"{name} is in epoch {status.epoch}, the hub in {epoch}")
        if _stream_at(node) != stream:
            found.append(f"{name} has applied another stream of the hub's: {_stream_at(node)}, not {stream}")
        if status.fenced:
            found.append(f"{name} is fenced: {status.fenced}")
    return found


def _head_at(node: SimNode) -> int:
    assert node.store is not None, "it is ready"
    return int(node.store.rows("SELECT coalesce(max(seq), 0) FROM journal")[0][0])


def _stream_at(node: SimNode) -> list[object]:
    """Epoch and hash of the hub's stream, as far as the node has applied it."""
    assert node.store is not None, "it is ready"
    rows = dict(node.store.rows("SELECT key, value FROM meta WHERE key IN ('down_epoch', 'down_hash')"))
    return [rows.get("down_epoch", 1), rows.get("down_hash", GENESIS)]
