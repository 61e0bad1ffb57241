"""What arriving must know: the transfers that should come here, and the one that the session is about.

A transfer that this node has not heard of (the WAN was cut when it was ordered) is one with `from_node_id` empty.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.send.facts import LegState


@dataclass(frozen=True, slots=True)
class ArrivalLine:
    """One SKU in base units: what was ordered, and what has come in; the damaged ones are among those."""

    sku_id: str
    name: str
    ordered: int = 0
    received: int = 0
    damaged: int = 0

    @property
    def difference(self) -> int:
        """What came less what was ordered."""
        return self.received - self.ordered


@dataclass(frozen=True, slots=True)
class Arrival:
    """A transfer as its receiver knows it."""

    transfer_id: str
    from_node_id: str = ""
    state: LegState = LegState.ORDERED
    lines: tuple[ArrivalLine, ...] = ()

    @property
    def differing(self) -> tuple[ArrivalLine, ...]:
        """What differs from the order; an order that nobody here has heard of can not differ."""
        return tuple(line for line in self.lines if line.difference) if self.from_node_id else ()

    def plus(self, sku_id: str, name: str, *, received: int = 0, damaged: int = 0) -> Arrival:
        """The same with more of one SKU."""
        line = next((line for line in self.lines if line.sku_id == sku_id), ArrivalLine(sku_id, name))
        more = replace(line, received=line.received + received, damaged=line.damaged + damaged)
        others = tuple(other for other in self.lines if other.sku_id != sku_id)
        return replace(self, lines=(*others, more))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArriveFacts(Facts):
    """`expected` are the open transfers to this node, the oldest first; `arrival`: see the module's text."""

    expected: tuple[str, ...] = ()
    arrival: Arrival | None = None
