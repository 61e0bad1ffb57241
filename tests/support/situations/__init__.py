"""For each step of the floor a session and facts in which everything of it can happen; a file a flow.

The walk over all pairs of step and scan (tests/agent/rules/test_floor_flow.py) begins in each of them.
"""

from __future__ import annotations

from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.session import FloorStep, Session
from support.situations import one_order, packing, people

Situation = tuple[Session, Facts]

SITUATIONS: dict[FloorStep, Situation] = {
    **one_order.SITUATIONS,
    **packing.SITUATIONS,
    **people.SITUATIONS,
}
