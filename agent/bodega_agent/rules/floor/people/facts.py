"""What signing in must know at its PIN: whether it is right, and how many tries are left (0: locked for a while)."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.facts import Facts, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class PinFacts(Facts):
    """`person` is whose PIN it is, None if the node does not know them any more. `right` is what the service found out
    before the transaction; the try is counted by then.
    """

    person: Person | None = None
    right: bool = False
    tries_left: int = 0
