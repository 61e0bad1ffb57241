"""What every rule leaves behind: a row for people, whose id is a hash of the facts that met."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Conflict:
    """What met, what each side knew, what was done, how to undo it.

    `rule` is "name@version". `inputs` are the events that met, as "<node>/<epoch>/<seq>" or "hub/<epoch>/<seq>";
    `knew`, `effect` and `undo` are one plain sentence each. `effects` says the same as `effect` for programs, as
    "word:subject". `needs` is what a person must decide, empty where the rule has settled everything.
    """

    conflict_id: str
    kind: str
    rule: str
    inputs: tuple[str, ...]
    knew: str
    effect: str
    undo: str
    order_id: str = ""
    node_id: str = ""
    sku_id: str = ""
    effects: tuple[str, ...] = ()
    needs: str = ""


def conflict_id(kind: str, inputs: tuple[str, ...]) -> str:
    """16 hexadecimal digits from the kind and the sorted inputs: the same meeting is the same row everywhere."""
    return sha256("\n".join((kind, *sorted(inputs))).encode()).hexdigest()[:16]
