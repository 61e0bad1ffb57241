"""A person sets a rule aside: a fact with an actor, a reason and an end, which outranks the rule until it is closed."""

from __future__ import annotations

from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES

KIND = "human_override"


def human_override(  # the parts of the fact
    *,
    override_id: str,
    effect: str,
    actor: str,
    reason: str,
    close: str,
    order_id: str = "",
    node_id: str = "",
    sku_id: str = "",
) -> Conflict:
    """The row; told by the hub and by the node that was told, it is the same one. `close`: how it is taken back."""
    inputs = (f"override/{override_id}",)
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=f"{actor} decided it, because: {reason}",
        effect=effect,
        undo=close,
        order_id=order_id,
        node_id=node_id,
        sku_id=sku_id,
        effects=(f"override:{override_id}",),
    )
