"""Orders in parts: each follows from its assignments, one node at a time has each, and what was sent twice is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from bodega.core.lifecycles import FULFILLMENT, FulfillmentState
from bodega.core.parts import PartState, order_of, part_of
from simulator.world import World

Assignment = tuple[int, str, FulfillmentState, int]


def tokens_rise(world: World) -> Iterator[str]:
    """No two assignments of an order have one token: the higher one is always the later one."""
    if world.hub.is_ready:
        sql = "SELECT order_id, fencing_token, count(*) FROM fulfillment_order GROUP BY 1, 2 HAVING count(*) > 1"
        for order_id, token, times in world.hub.rows(sql):
            yield f"{times} assignments of order {order_id} have the token {token}"


def an_order_follows_from_its_parts(world: World) -> Iterator[str]:
    """At any moment, by the rules alone: its state, its parts, and what of each line has left."""
    if not world.hub.is_ready:
        return
    works = _works(world)
    parts: dict[str, dict[int, PartState]] = defaultdict(dict)
    for order_id, part, state in world.hub.rows("SELECT order_id, part, state FROM order_part"):
        parts[order_id][part] = PartState(state)
        states = [one[2] for one in sorted(works[order_id, part])]
        if part_of(PartState(state), states) is not PartState(state):
            yield f"part {part} of order {order_id} is {state}, its assignments are {states}"
    left = _left(world)
    for order_id, state, cancel_asked in world.hub.rows("SELECT order_id, state, cancel_asked FROM orders"):
        lines = world.hub.rows("SELECT line, quantity, shipped FROM order_line WHERE order_id = ?", order_id)
        in_full = all(shipped >= quantity for _, quantity, shipped in lines)
        follows = order_of(parts[order_id].values(), cancel_asked=bool(cancel_asked), in_full=in_full)
        if follows != state:
            yield f"order {order_id} is {state}; from its parts {parts[order_id]} follows {follows}"
        for line, _, shipped in lines:
            if shipped != left[order_id, line]:
                yield f"of line {line} of order {order_id} {left[order_id, line]} have left, it says {shipped}"


def a_promise_lasts_as_long_as_its_work(world: World) -> Iterator[str]:
    """What a node was promised units for it may send, even when it was told to stop: until it has said that it did."""
    if world.hub.is_ready:
        ended = ", ".join(f"'{state}'" for state in FULFILLMENT.terminal)
        sql = (
            "SELECT line.node_id, work.order_id, work.state, line.voided FROM fulfillment_line AS line"
            " JOIN fulfillment_order AS work USING (fulfillment_order_id)"
            f" WHERE line.voided > 0 AND work.state NOT IN ({ended})"
        )
        for node_id, order_id, state, units in world.hub.rows(sql):
            yield f"{units} units at {node_id} are given back, whose work for order {order_id} is {state}"


def one_node_at_a_time_has_a_part(world: World) -> Iterator[str]:
    """Whoever had it before has heard that it is gone, or has sent it."""
    if world.facts.hub_was_restored:
        return
    for (order_id, part), works in _works(world).items():
        for _, node_id, state, _ in sorted(works)[:-1]:
            if state not in FULFILLMENT.terminal and node_id in world.single:
                yield f"{node_id} still has part {part} of order {order_id}, {state}, which another node was given"


def what_was_sent_twice_is_told(world: World) -> Iterator[str]:
    """A node that was out of touch may have shipped what was given to another one: then a person reads of it."""
    told = {row[0] for row in world.hub.rows("SELECT order_id FROM conflict WHERE kind = 'two_nodes_claim'")}
    for (order_id, part), works in _works(world).items():
        senders = [node_id for _, node_id, state, _ in works if state is FulfillmentState.SHIPPED]
        if len(senders) > 1 and order_id not in told:
            yield f"part {part} of order {order_id} was sent by {senders}, and nobody is told"


def _works(world: World) -> defaultdict[tuple[str, int], list[Assignment]]:
    """The assignments of each part: (token, node, state, part)."""
    found: defaultdict[tuple[str, int], list[Assignment]] = defaultdict(list)
    sql = "SELECT order_id, part, fencing_token, node_id, state FROM fulfillment_order"
    for order_id, part, token, node_id, state in world.hub.rows(sql):
        found[order_id, part].append((token, node_id, FulfillmentState(state), part))
    return found


def _left(world: World) -> defaultdict[tuple[str, int], int]:
    """Units of each line that nodes say have left."""
    found: defaultdict[tuple[str, int], int] = defaultdict(int)
    sql = (
        "SELECT work.order_id, line.line, line.shipped FROM fulfillment_line AS line"
        " JOIN fulfillment_order AS work USING (fulfillment_order_id)"
    )
    for order_id, line, shipped in world.hub.rows(sql):
        found[order_id, line] += shipped
    return found
