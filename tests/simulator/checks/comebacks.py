"""Who came back: nothing that a node still had is lost, nothing is done twice, and what was lost has left a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bodega.errors import BodegaError
from simulator.world import World

# Commands that book one movement, whatever the book says.
_ONE_MOVEMENT = frozenset({"receive", "put_away", "move", "return", "scrap"})


def a_command_moves_goods_once(world: World) -> Iterator[str]:
    """By the journals alone, over all epochs: a fork that is taken over repeats nothing that the hub has."""
    for name, seen in world.seen.items():
        if name in world.facts.in_doubt:
            continue
        moved = Counter(
            event.cmd_id for event in seen.events if event.movement.command in _ONE_MOVEMENT and event.cmd_id
        )
        yield from (
            f"{name} moved goods {times} times for {cmd_id}" for cmd_id, times in moved.items() if times > 1
        )


def what_was_recorded_since_is_kept(world: World) -> Iterator[str]:
    """What a node has answered since its disk was changed is in its journal, under the command's id."""
    for name, before in world.facts.uprooted.items():
        there = {event.cmd_id for event in world.seen[name].events}
        for cmd_id, answers in world.nodes[name].answers.items():
            body = world.facts.commands.get(name, {}).get(cmd_id, {})
            is_done = any(not isinstance(answer, BodegaError) for answer in answers)
            if is_done and cmd_id not in before and body.get("command") == "receive" and cmd_id not in there:
                yield f"{name} has answered {cmd_id} since it came back, and its journal does not know it"


def what_a_fork_became_is_told(world: World) -> Iterator[str]:
    """A new epoch that found events of a fork has left a conflict row at the hub."""
    told = Counter(
        row[0] for row in world.hub.rows("SELECT node_id FROM conflict WHERE kind = 'restored_node'")
    )
    for name, seen in world.seen.items():
        forks = sum(event.epoch_begun.fork_events > 0 for event in seen.events)
        if told[name] != forks:
            yield f"{name} began {forks} epochs with a fork, and {told[name]} of them left a row"
