"""For each step of the floor a session and facts in which everything of it can happen; a file a flow.

The walk over all pairs of step and scan (tests/agent/rules/test_floor_flow.py) begins in each of them.
"""

from __future__ import annotations

from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from support.situations import counts, one_order, packing, people, pickup, receiving, returns, walks

Situation = tuple[Session, Facts]

SITUATIONS: dict[FloorStep, Situation] = {
    **receiving.SITUATIONS,
    **one_order.SITUATIONS,
    **counts.SITUATIONS,
    **packing.SITUATIONS,
    **people.SITUATIONS,
    **pickup.SITUATIONS,
    **returns.SITUATIONS,
    **counts.SITUATIONS,
    **walks.SITUATIONS,
}

# What is read at idle when the word of a flow is scanned, where it is not the same as for picking.
STARTS: dict[Kind, Facts] = {**receiving.STARTS, **counts.STARTS}


def situation(step: FloorStep, kind: Kind) -> Situation:
    """A session at a step, and the facts that are read there for a kind of scan."""
    session, facts = SITUATIONS[step]
    return session, STARTS.get(kind, facts) if step is FloorStep.IDLE else facts
