"""What people were told: it stays true, is told the same again, is done once, and real scans are never refused."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bodega.errors import BodegaError
from simulator.world import World

PHYSICAL = frozenset(
    {"receive", "put_away", "move", "return", "scrap", "count", "transfer_out", "transfer_in"}
)
UNKNOWN_GOODS = "is no SKU in the catalogue"


def what_was_answered_is_recorded(world: World) -> Iterator[str]:
    """The events of an answered command are in the journal, under its id, where the answer said."""
    for name, cmd_id, answer in _results(world):
        if name in world.facts.uprooted:
            continue
        events = world.seen[name].events
        for seq in answer["seqs"] if world.nodes[name].is_ready else ():
            if seq > len(events) or events[seq - 1].cmd_id != cmd_id:
                yield f"{name} answered {cmd_id} with event {seq}, which is not there"


def a_command_is_done_once(world: World) -> Iterator[str]:
    """However often it was sent: all its events are those that it was answered with."""
    made: dict[tuple[str, str], list[int]] = defaultdict(list)
    for name, seen in world.seen.items():
        for seq, event in enumerate(seen.events, start=1):
            made[name, event.cmd_id].append(seq)
    for name, cmd_id, answer in _results(world):
        found = made[name, cmd_id]
        if name in world.facts.uprooted:
            continue
        if world.nodes[name].is_ready and not set(found) <= set(answer["seqs"]) | _opened(world, name, found):
            yield f"{name} did {cmd_id} more than once: events {found}, answered {answer['seqs']}"


def _opened(world: World, name: str, seqs: list[int]) -> set[int]:
    """Facts that an answer does not count as its own: what a movement uncovered, and how an order went on."""
    return {seq for seq in seqs if world.seen[name].events[seq - 1].WhichOneof("fact") != "movement"}


def the_same_command_has_the_same_answer(world: World) -> Iterator[str]:
    """Whoever asks again, before or after a restart."""
    for name, cmd_id, answers in _commands(world):
        if name in world.facts.uprooted:
            continue
        told = {
            json.dumps(answer, sort_keys=True) for answer in answers if not isinstance(answer, BodegaError)
        }
        if len(told) > 1:
            yield f"{name} answered {cmd_id} in two ways: {sorted(told)}"


def no_real_scan_is_refused(world: World) -> Iterator[str]:
    """What a person has in hand is recorded, whatever the book, the network or the hub say."""
    for name, cmd_id, answers in _commands(world):
        body = world.facts.commands[name][cmd_id]
        for answer in answers:
            if (
                isinstance(answer, BodegaError)
                and name in world.facts.uprooted
                and UNKNOWN_GOODS in answer.message
            ):
                continue  # an empty disk has no catalogue
            if isinstance(answer, BodegaError) and body["command"] in PHYSICAL:
                yield f"{name} refused a real {body['command']}, {cmd_id}: {answer.message}"


def no_program_ends_by_itself(world: World) -> Iterator[str]:
    """A service that fails takes its process down; only a broken disk may do that."""
    for machine in world.machines:
        if machine.crashes and not getattr(machine, "disk_was_broken", False):
            yield from machine.crashes
    yield from world.loop.failures


def orders_that_were_confirmed_are_there(world: World) -> Iterator[str]:
    """A shop that has an order's id finds the order."""
    if world.hub.is_ready and not world.facts.hub_was_restored:
        known = {row[0] for row in world.hub.rows("SELECT order_id FROM orders")}
        yield from (
            f"order {order_id} was confirmed and is gone"
            for order_id in world.facts.orders
            if order_id not in known
        )


def _commands(world: World) -> Iterator[tuple[str, str, list[Any]]]:
    for name, commands in world.facts.commands.items():
        for cmd_id in commands:
            yield name, cmd_id, world.nodes[name].answers.get(cmd_id, [])


def _results(world: World) -> Iterator[tuple[str, str, Any]]:
    for name, cmd_id, answers in _commands(world):
        for answer in answers[:1]:
            if not isinstance(answer, BodegaError):
                yield name, cmd_id, answer
