"""The journals and streams: whole chains, nothing lost that was committed or acknowledged, one writer an epoch."""

from __future__ import annotations

from collections.abc import Iterator

from bodega.core.chain import GENESIS
from simulator.chronicle import Seen
from simulator.world import World


def the_journals_only_grow(world: World) -> Iterator[str]:
    """What a journal has shown stays there, whatever the power does; its chain is whole."""
    for seen in (*world.seen.values(), *world.seen_at_hub.values()):
        if seen.fault:
            yield seen.fault


def the_hub_holds_the_beginning_of_each_journal(world: World) -> Iterator[str]:
    """Event by event, by their hashes; of two boxes that say they are one node, it has followed one."""
    for name, at_hub in world.seen_at_hub.items():
        if name in world.facts.in_doubt:
            continue
        boxes = [box for box in (world.nodes[name], *world.clones) if box.node_id == name]
        if not all(box.is_ready for box in boxes):
            continue
        faults = [_not_the_beginning(at_hub, world.seen_of(box)) for box in boxes]
        if all(faults):
            yield faults[0]


def _not_the_beginning(at_hub: Seen, here: Seen) -> str:
    if at_hub.seq > here.seq:
        return f"the hub has {at_hub.seq} events of {here.name}, which has {here.seq}"
    return (
        ""
        if at_hub.hashes[at_hub.seq] == here.hashes[at_hub.seq]
        else f"{at_hub.name} has another event {at_hub.seq}"
    )


def what_is_acked_is_at_the_hub(world: World) -> Iterator[str]:
    """A node may forget what the hub has acknowledged, so the hub must hold it, whatever dies."""
    for name, node in world.steady.items():
        if node.store is not None and node.is_ready and world.hub.is_ready:
            ((acked,),) = node.store.rows("SELECT coalesce(max(value), 0) FROM meta WHERE key = 'acked_seq'")
            if acked > world.seen_at_hub[name].seq:
                yield f"{name} was told that the hub has {acked} events; it has {world.seen_at_hub[name].seq}"


def each_epoch_has_one_writer(world: World) -> Iterator[str]:
    """The broker never accepted two different events of one number, unless a machine or the broker has lost its memory.

    Of these the hub has followed one: its copies only grow, each event by the hash of the one before.
    """
    for name, fault in world.written.faults.items():
        was_restored = name in world.facts.lost_events or world.facts.hub_was_restored
        could_not_compare = name in world.facts.uprooted and world.broker.has_forgotten
        if not was_restored and not could_not_compare:
            yield f"{name}: {fault}"


def the_hubs_streams_are_whole(world: World) -> Iterator[str]:
    """What a node has applied of the hub's stream is what the hub wrote, by its hash."""
    for name, node in world.steady.items():
        if node.store is None or not (node.is_ready and world.hub.is_ready):
            continue
        applied = dict(
            node.store.rows(
                "SELECT key, value FROM meta WHERE key IN ('down_seq', 'down_hash', 'down_epoch')"
            )
        )
        seq = applied.get("down_seq", 0)
        sql = "SELECT hash FROM down_log WHERE node_id = ? AND epoch = ? AND seq = ?"
        rows = world.hub.rows(sql, name, applied.get("down_epoch", 1), seq)
        if seq and (not rows or bytes(rows[0][0]) != applied.get("down_hash", GENESIS)):
            yield f"{name} has applied event {seq} of the hub's stream, and the hub has another or none"
