"""A cancel races a shipment: what the node knew when the parcel left decides, and no clock is asked.

Shipped before the node knew: the parcel stays shipped. Not shipped: the cancel wins, and what was picked goes back
to the shelf. Where nobody had begun, nothing has met and there is no row.
"""

from __future__ import annotations

from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES

KIND = "cancel_races_ship"


def cancel_races_ship(
    *, node_id: str, order_id: str, cancel_event: str, ship_event: str, seen_seq_at_ship: int, cancel_seq: int
) -> Conflict:
    """Rule cancel_races_ship@1, too late: a parcel that left before the node knew of the cancel stays shipped.

    Whether the node knew is a fact: `seen_seq_at_ship` is how far it had applied the hub's stream when it
    shipped; no clock is asked.
    """
    inputs = (cancel_event, ship_event)
    knew = (
        f"{node_id} had applied the hub's stream up to {seen_seq_at_ship} when it shipped; "
        f"the cancel is number {cancel_seq}"
    )
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=knew,
        effect=f"order {order_id} stays shipped; intercept the parcel or take it back as a return",
        undo="register a return for the parcel when it comes back",
        order_id=order_id,
        node_id=node_id,
        effects=(f"stays_shipped:{order_id}",),
        needs="intercept the parcel at the carrier, or take it back as a return",
    )


def cancel_won(
    *, node_id: str, order_id: str, cancel_event: str, work_event: str, state: str, picked: int, sscc: str
) -> Conflict:
    """Rule cancel_races_ship@1, in time: the order is cancelled, its `picked` units go back to the shelf.

    `work_event` is the node's last step of the work, `state` where that had brought it. A closed parcel (`sscc`) is
    unpacked by book. The caller asks only where work was under way.
    """
    inputs = (cancel_event, work_event)
    parcel = f"parcel {sscc} is unpacked and " if sscc else ""
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=f"{node_id} had the order {state} with {picked} units off the shelf when the cancel reached it",
        effect=f"order {order_id} is cancelled; {parcel}{picked} units are put back",
        undo="place the order again: the goods are on the shelf once they are put back",
        order_id=order_id,
        node_id=node_id,
        effects=(
            f"cancelled:{order_id}",
            *([f"unpacked:{sscc}"] if sscc else []),
            f"put_back:{picked}",
        ),
    )
