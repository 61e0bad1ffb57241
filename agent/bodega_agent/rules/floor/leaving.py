"""What every step has: a person may walk out (nothing is undone), and the hub may cancel the order."""

from __future__ import annotations

from typing import Any

from bodega_agent.rules.floor.answer import Answer, say
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.pick.facts import PickFacts
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import WorkCancelled
from bodega_agent.rules.floor.session import FLOWS, FloorStep, Session
from bodega_agent.rules.floor.table import Move


def leave(session: Session, _scan: Any, facts: Facts) -> Answer:
    """Out of the flow, idle."""
    return say(session.idle(), facts, f"Left {FLOWS[session.step]}.")


def cancelled(session: Session, scan: WorkCancelled, facts: Facts) -> Answer:
    """A cancel may come at any step: whoever works on the order is told, anybody else sees the same prompt again."""
    if session.fulfillment_order_id != scan.fulfillment_order_id:
        return say(session, facts)
    said = f"Order {scan.fulfillment_order_id} is cancelled."
    if isinstance(facts, PickFacts) and facts.work is not None and facts.work.picked:
        said += " Put its goods back: CMD-PUTAWAY."
    return say(session.idle(), facts.bare(), said, tone=Tone.ERROR)


LEAVE = Move(leave, (FloorStep.IDLE,))
