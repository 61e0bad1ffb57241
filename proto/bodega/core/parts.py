"""An order is served in parts, and what it is follows from them: the rules, and nothing else.

A part is what one node at a time is asked for. Each time that it is given to a node is an assignment, and the
assignments of an order have rising fencing tokens. A node that was told to stop may not have heard it yet and may ship,
so a part follows from all of its assignments, and the order from all of its parts, in whatever order the words arrive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from bodega.core.lifecycles import FulfillmentState, OrderState


class PartState(StrEnum):
    """Where a part of an order stands."""

    # Nobody has it: it waits for its date, for stock, or for another node.
    PREORDERED = "preordered"
    BACKORDERED = "backordered"
    HANDED_BACK = "handed_back"
    # A node has it.
    ASSIGNED = "assigned"
    IN_FULFILLMENT = "in_fulfillment"
    READY_FOR_PICKUP = "ready_for_pickup"
    # It has ended.
    SHIPPED = "shipped"
    COLLECTED = "collected"
    NOT_COLLECTED = "not_collected"
    CANCELLED = "cancelled"
    UNFULFILLABLE = "unfulfillable"


NOBODYS = frozenset({PartState.PREORDERED, PartState.BACKORDERED, PartState.HANDED_BACK})
AT_A_NODE = frozenset({PartState.ASSIGNED, PartState.IN_FULFILLMENT, PartState.READY_FOR_PICKUP})
ENDED = frozenset(PartState) - NOBODYS - AT_A_NODE
# Nobody works on it, so that it may go elsewhere without a person's word.
UNTOUCHED = NOBODYS | {PartState.ASSIGNED}

# An order that is in one of these never changes by itself; a parcel of a node that was out of touch still counts.
FINAL = frozenset(
    {
        OrderState.SHIPPED,
        OrderState.PARTIALLY_SHIPPED,
        OrderState.COLLECTED,
        OrderState.PARTIALLY_COLLECTED,
        OrderState.NOT_COLLECTED,
        OrderState.CANCELLED,
        OrderState.UNFULFILLABLE,
    }
)

# What a part is where nothing of it has left, by its newest assignment.
BY_NEWEST: Mapping[FulfillmentState, PartState] = {
    FulfillmentState.ASSIGNED: PartState.ASSIGNED,
    FulfillmentState.PICKING: PartState.IN_FULFILLMENT,
    FulfillmentState.PICKED: PartState.IN_FULFILLMENT,
    FulfillmentState.PACKED: PartState.IN_FULFILLMENT,
    FulfillmentState.LABELLED: PartState.IN_FULFILLMENT,
    FulfillmentState.STAGED: PartState.READY_FOR_PICKUP,
    FulfillmentState.SHIPPED: PartState.SHIPPED,
    FulfillmentState.COLLECTED: PartState.COLLECTED,
    FulfillmentState.EXPIRED: PartState.NOT_COLLECTED,
    FulfillmentState.HANDED_BACK: PartState.HANDED_BACK,
    FulfillmentState.CANCELLED: PartState.CANCELLED,
    FulfillmentState.SHORT: PartState.UNFULFILLABLE,
}

# The hub's own word on a part that nobody has: its assignments, all ended, say no more than that.
_SAID_BY_THE_HUB = frozenset(
    {PartState.PREORDERED, PartState.BACKORDERED, PartState.CANCELLED, PartState.UNFULFILLABLE}
)

# What an order is while a part of it is going on, first match first: something was begun, or everything that is going
# on waits for its customer; else the part that is furthest behind says it.
_BEGUN = frozenset({PartState.IN_FULFILLMENT, PartState.SHIPPED, PartState.COLLECTED})
_FURTHEST_BEHIND: tuple[tuple[PartState, OrderState], ...] = (
    (PartState.HANDED_BACK, OrderState.HANDED_BACK),
    (PartState.BACKORDERED, OrderState.BACKORDERED),
    (PartState.PREORDERED, OrderState.PREORDERED),
    (PartState.ASSIGNED, OrderState.CONFIRMED),
)
# What an order is where no part of it is going on, first match first: in full, and else.
_AT_THE_END: tuple[tuple[PartState, OrderState, OrderState], ...] = (
    (PartState.SHIPPED, OrderState.SHIPPED, OrderState.PARTIALLY_SHIPPED),
    (PartState.COLLECTED, OrderState.COLLECTED, OrderState.PARTIALLY_COLLECTED),
    (PartState.CANCELLED, OrderState.CANCELLED, OrderState.CANCELLED),
    (PartState.NOT_COLLECTED, OrderState.NOT_COLLECTED, OrderState.NOT_COLLECTED),
    (PartState.UNFULFILLABLE, OrderState.UNFULFILLABLE, OrderState.UNFULFILLABLE),
)
# Of these there is nothing left to stop once a cancel was asked for.
_STOPS_AT_ONCE = NOBODYS | {PartState.NOT_COLLECTED}


def part_of(before: PartState, assignments: Sequence[FulfillmentState]) -> PartState:
    """What a part is, from where each of its assignments stands (lowest token first); `before` if it has none.

    What has left, has left, whoever sent it. Else the hub's own word holds until it gives the part to a node again,
    which begins with `before` "assigned"; and else the newest assignment decides.
    """
    if FulfillmentState.SHIPPED in assignments:
        return PartState.SHIPPED
    if FulfillmentState.COLLECTED in assignments:
        return PartState.COLLECTED
    if not assignments or before in _SAID_BY_THE_HUB:
        return before
    return BY_NEWEST[assignments[-1]]


def order_of(parts: Collection[PartState], *, cancel_asked: bool, in_full: bool) -> OrderState:
    """What an order is, from its parts. `in_full`: what has left covers every line."""
    states = {PartState.CANCELLED if cancel_asked and part in _STOPS_AT_ONCE else part for part in parts}
    going_on = states - ENDED
    if not going_on:
        for part, whole, else_ in _AT_THE_END:
            if part in states:
                return whole if in_full else else_
    if cancel_asked:
        return OrderState.CANCEL_REQUESTED
    if going_on == {PartState.READY_FOR_PICKUP}:
        return OrderState.READY_FOR_PICKUP
    if states & (_BEGUN | {PartState.READY_FOR_PICKUP}):
        return OrderState.IN_FULFILLMENT
    return next(order for part, order in _FURTHEST_BEHIND if part in states)
