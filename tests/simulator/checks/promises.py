"""Promises and rights: no right is made or lost on its way, and nothing is promised that is not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from bodega.codec import movement_from_wire
from bodega.core.rights import spent_by
from bodega.v1 import journal_pb2
from bodega_agent.store.reads.stage import LEFT_ON_STAGE
from simulator.plan import LOOSE, STRICT
from simulator.world import World


def rights_are_conserved(world: World) -> Iterator[str]:
    """Held by the node, on their way to it, or on their way back: the three are what the hub may not promise."""
    for name, sku_id in _pairs(world):
        held, in_flight = _at_hub(world, name, sku_id)
        own = _own(world, name, sku_id)
        coming = _granted_after(world, name, sku_id)
        unread = world.seen[name].events[world.seen_at_hub[name].seq :]
        taken = sum(event.rights_taken.quantity for event in unread if event.rights_taken.sku_id == sku_id)
        gone = sum(_given_up(event, sku_id) for event in unread)
        if held + in_flight != own + coming + gone:
            yield (
                f"rights to {sku_id} at {name}: the hub counts {held} held and {in_flight} in flight,"
                f" in truth {own} are held, {coming} on their way down, {gone} on their way up"
            )
        if in_flight != coming + taken:
            yield f"rights to {sku_id} for {name}: {in_flight} in flight, {coming} coming and {taken} taken"


def promises_are_within_rights(world: World) -> Iterator[str]:
    """A node promises no more than it holds."""
    for name, sku_id in _pairs(world):
        held, promised = _own(world, name, sku_id), _promised(world, name, sku_id)
        if not 0 <= promised <= held:
            yield f"{name} promises {promised} of {sku_id} and holds {held} rights"


def nothing_is_oversold(world: World) -> Iterator[str]:
    """All promises of what never shrinks are on its shelves: by the hub's book, and in truth."""
    for name, sku_id in _pairs(world):
        if sku_id != STRICT:
            continue
        held, in_flight = _at_hub(world, name, sku_id)
        to_put_back = _to_put_back(world, name, sku_id)
        reserved, on_shelf = (
            _reserved(world, name, sku_id),
            _on_shelf_at_hub(world, name, sku_id) + to_put_back,
        )
        if reserved + held + in_flight > on_shelf:
            yield f"{sku_id} at {name}: the hub promises {reserved} and {held + in_flight} rights of {on_shelf}"
        unread = world.seen[name].events[world.seen_at_hub[name].seq :]
        unpicked = reserved - sum(_picked(event, sku_id) for event in unread)
        there = _on_shelf(world, name, sku_id) + to_put_back
        promised = _promised(world, name, sku_id)
        if unpicked + promised > there:
            yield f"{sku_id} at {name}: {unpicked} promised by the hub and {promised} by the node, {there} are there"


def each_promise_ends_once(world: World) -> Iterator[str]:
    """By the journals alone: one opening, at most one end, and its units add up."""
    for name, seen in world.seen.items():
        told: dict[str, list[journal_pb2.NodeEvent]] = defaultdict(list)
        for event in seen.events:
            if event.HasField("reservation_changed"):
                told[event.reservation_changed.reservation_id].append(event)
        for reservation_id, events in told.items():
            changes = [event.reservation_changed for event in events]
            last = changes[-1]
            openings = [change.event for change in changes].count("reserve")
            ends = [change.state for change in changes if change.state != "pending"]
            whole = last.posted + last.voided == last.quantity
            if name in world.facts.uprooted and [change.event for change in changes] == ["void"]:
                continue  # made in a fork, from rights that were gone: the new epoch only says that it is void
            if openings != 1 or len(ends) > 1 or whole != bool(ends):
                yield f"promise {reservation_id} of {name} began {openings} times and ended {len(ends)} times"


def _pairs(world: World) -> list[tuple[str, str]]:
    if not world.hub.is_ready:
        return []
    return [(name, sku) for name, node in world.steady.items() if node.is_ready for sku in (STRICT, LOOSE)]


def _at_hub(world: World, name: str, sku_id: str) -> tuple[int, int]:
    rows = world.hub.rows(
        "SELECT held, in_flight FROM node_rights WHERE node_id = ? AND sku_id = ?", name, sku_id
    )
    return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)


def _granted_after(world: World, name: str, sku_id: str) -> int:
    """Rights in the hub's stream that the node has not applied."""
    sql = "SELECT coalesce((SELECT value FROM meta WHERE key = ?), ?)"
    seq, epoch = (_node_rows(world, name, sql, *one)[0][0] for one in (("down_seq", 0), ("down_epoch", 1)))
    sql = "SELECT body FROM down_log WHERE node_id = ? AND epoch = ? AND seq > ?"
    bodies = world.hub.rows(sql, name, epoch, seq)
    granted = [journal_pb2.HubEvent.FromString(body).rights_granted for (body,) in bodies]
    return sum(one.quantity for one in granted if one.sku_id == sku_id)


def _given_up(event: journal_pb2.NodeEvent, sku_id: str) -> int:
    returned = event.rights_returned.quantity if event.rights_returned.sku_id == sku_id else 0
    spent = spent_by(movement_from_wire(event.movement)) if event.HasField("movement") else {}
    return returned + spent.get(sku_id, 0)


def _picked(event: journal_pb2.NodeEvent, sku_id: str) -> int:
    """Units that left a shelf for an order of the hub."""
    if event.movement.command != "pick" or not event.movement.fulfillment_order_id:
        return 0
    return sum(
        posting.quantity
        for posting in event.movement.postings
        if posting.account.sku_id == sku_id
        and posting.quantity > 0
        and posting.account.bin.startswith("STAGE")
    )


def _own(world: World, name: str, sku_id: str) -> int:
    rows = _node_rows(world, name, "SELECT held FROM rights WHERE sku_id = ?", sku_id)
    return int(rows[0][0]) if rows else 0


def _promised(world: World, name: str, sku_id: str) -> int:
    sql = "SELECT coalesce(sum(quantity - posted - voided), 0) FROM reservation WHERE state = 'pending' AND sku_id = ?"
    return int(_node_rows(world, name, sql, sku_id)[0][0])


def _reserved(world: World, name: str, sku_id: str) -> int:
    sql = (
        "SELECT coalesce(sum(quantity - posted - voided), 0) FROM fulfillment_line"
        " WHERE state = 'pending' AND node_id = ? AND sku_id = ?"
    )
    return int(world.hub.rows(sql, name, sku_id)[0][0])


_SHELF = "disposition = 'sellable_accessible' AND external = '' AND sku_id = ?"


def _on_shelf(world: World, name: str, sku_id: str) -> int:
    sql = f"SELECT coalesce(sum(quantity), 0) FROM balance WHERE {_SHELF}"
    return int(_node_rows(world, name, sql, sku_id)[0][0])


def _on_shelf_at_hub(world: World, name: str, sku_id: str) -> int:
    sql = f"SELECT coalesce(sum(quantity), 0) FROM stock WHERE {_SHELF} AND node_id = ?"
    return int(world.hub.rows(sql, sku_id, name)[0][0])


def _to_put_back(world: World, name: str, sku_id: str) -> int:
    """Who came back with an old book may have picked for an order that had left: those goods wait on its stage."""
    if name not in world.facts.uprooted:
        return 0
    sql = f"SELECT coalesce(sum(quantity), 0) FROM balance WHERE sku_id = ? AND {LEFT_ON_STAGE}"
    return int(str(_node_rows(world, name, sql, sku_id)[0][0]))


def _node_rows(world: World, name: str, sql: str, *values: object) -> list[tuple[object, ...]]:
    store = world.nodes[name].store
    assert store is not None, "it is ready"
    return store.rows(sql, *values)
