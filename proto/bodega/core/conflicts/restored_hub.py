"""A hub that was put back from a backup has forgotten an order that its node holds: a person decides."""

from __future__ import annotations

from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES

KIND = "restored_hub"


def restored_hub(
    *, node_id: str, order_id: str, fulfillment_order_id: str, state: str, down_epoch: int
) -> Conflict:
    """Rule restored_hub@1: `down_epoch` is the hub's stream in which the order was not said again."""
    inputs = (f"{node_id}/fulfillment_order/{fulfillment_order_id}", f"hub/{down_epoch}/restated")
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=f"{node_id} holds order {order_id} ({fulfillment_order_id}, {state}); the hub has forgotten it",
        effect=f"the order stays at {node_id} as it is, and the hub promises none of its goods away by itself",
        undo="place the order at the hub again, or have the node put its goods back",
        order_id=order_id,
        node_id=node_id,
        effects=(f"kept:{fulfillment_order_id}",),
        needs="ask the channel whether the order stands: then ship it, or put its goods back",
    )
