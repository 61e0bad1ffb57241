"""Two nodes work on one order: a fencing token says who may ship, and what was shipped stays shipped.

Each assignment of a part of an order has a token higher than the one before it. A node that has not heard yet that its
own was revoked may ship; a parcel on its way is a fact that no token undoes (`core.parts` says what the order is).
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES

KIND = "two_nodes_claim"
DUPLICATE = "duplicate_shipment"


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel that left: whose, under which token, by which event of which node."""

    fulfillment_order_id: str
    node_id: str
    fencing_token: int
    sscc: str
    event: str


def stale_shipment(
    order_id: str, shipped: Shipment, *, revoked_event: str, seen_seq_at_ship: int
) -> Conflict:
    """Rule two_nodes_claim@1: a node shipped work that had been given to another. The parcel stands."""
    inputs = tuple(filter(None, (revoked_event, shipped.event)))
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=(
            f"{shipped.node_id} had applied the hub's stream up to {seen_seq_at_ship} when it shipped under token "
            f"{shipped.fencing_token}; that it was revoked is event {revoked_event} of its stream"
        ),
        effect=(
            f"parcel {shipped.sscc} stands and order {order_id} counts as shipped; whoever has it now is told to stop"
        ),
        undo="recall the parcel, register it as a return, and place the order again",
        order_id=order_id,
        node_id=shipped.node_id,
        effects=(f"counts_as_shipped:{order_id}", f"stands:{shipped.sscc}"),
    )


def duplicate_shipment(order_id: str, one: Shipment, other: Shipment) -> Conflict:
    """Rule two_nodes_claim@1: both have shipped. Both parcels stand, and a person recalls one of them."""
    first, second = sorted((one, other), key=lambda shipment: shipment.fencing_token)
    inputs = (first.event, second.event)
    return Conflict(
        conflict_id=conflict_id(DUPLICATE, inputs),
        kind=DUPLICATE,
        rule=CASES[DUPLICATE].rule,
        inputs=inputs,
        knew=(
            f"{first.node_id} shipped under token {first.fencing_token} before it knew that {second.node_id} "
            f"had token {second.fencing_token}"
        ),
        effect=f"order {order_id} has two parcels on their way: {first.sscc} and {second.sscc}",
        undo="register the parcel that was recalled as a return where it comes back",
        order_id=order_id,
        node_id=first.node_id,
        effects=(f"duplicate:{first.sscc}", f"duplicate:{second.sscc}"),
        needs=f"recall one parcel: {first.sscc} of {first.node_id} or {second.sscc} of {second.node_id}",
    )
