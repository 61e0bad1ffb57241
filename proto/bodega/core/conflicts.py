"""Conflicts: two facts that met, resolved by a named and versioned rule, the same in any order of delivery.

`conflict_id` is a hash of the events that met, so the same meeting gives the same row everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row for people: what met, what each side knew, what was done, how to undo it."""

    conflict_id: str
    kind: str
    rule: str
    inputs: tuple[str, ...]
    knew: str
    effect: str
    undo: str
    order_id: str
    node_id: str


def conflict_id(kind: str, inputs: tuple[str, ...]) -> str:
    """16 hexadecimal digits from the kind and the sorted inputs."""
    return sha256("\n".join((kind, *sorted(inputs))).encode()).hexdigest()[:16]


def cancel_races_ship(
    *, node_id: str, order_id: str, cancel_event: str, ship_event: str, seen_seq_at_ship: int, cancel_seq: int
) -> Conflict:
    """Rule cancel_races_ship@1: a parcel that left before the node knew of the cancel stays shipped.

    Whether the node knew is a fact: `seen_seq_at_ship` is how far it had applied the hub's stream when it
    shipped; no clock is asked.
    """
    inputs = (cancel_event, ship_event)
    knew = (
        f"{node_id} had applied the hub's stream up to {seen_seq_at_ship} when it shipped; "
        f"the cancel is number {cancel_seq}"
    )
    return Conflict(
        conflict_id=conflict_id("cancel_races_ship", inputs),
        kind="cancel_races_ship",
        rule="cancel_races_ship@1",
        inputs=inputs,
        knew=knew,
        effect=f"order {order_id} stays shipped; intercept the parcel or take it back as a return",
        undo="register a return for the parcel when it comes back",
        order_id=order_id,
        node_id=node_id,
    )
