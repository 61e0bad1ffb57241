"""Where a return on the bench stands: derived from its lines at every step, never remembered."""

from __future__ import annotations

from dataclasses import replace

from bodega_agent.rules.floor.returns.doing import TakingBack
from bodega_agent.rules.floor.returns.facts import OPEN, Return, ReturnFacts, ReturnLine
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Lost


def stand(session: Session, current: Return) -> Session:
    """The session at the step where the return stands: one line after the other, then the next item."""
    line = current.unfinished
    if line is None:
        step = FloorStep.RETURN_ITEM
    elif not line.grade:
        step = FloorStep.RETURN_GRADE
    elif not line.disposition:
        step = FloorStep.RETURN_DISPOSE
    else:
        step = FloorStep.RETURN_PLACE
    return session.at(
        step, fulfillment_order_id=current.fulfillment_order_id, doing=TakingBack(current.return_id)
    )


def settle(session: Session, facts: ReturnFacts) -> Session | Lost:
    """Facts win: the return is at the step where it stands, and may have been closed by somebody else."""
    if session.step is FloorStep.RETURN_FIND:
        return session
    if facts.current is None or facts.current.state != OPEN:
        return Lost("This return is closed.")
    return stand(session, facts.current)


def current_of(facts: ReturnFacts) -> Return:
    """The return that the session is about."""
    assert facts.current is not None, "a session that has lost its return never gets here"
    return facts.current


def in_hand(facts: ReturnFacts) -> ReturnLine:
    """The line that is to be graded, decided or placed."""
    line = current_of(facts).unfinished
    assert line is not None, "`stand` leads here only with a line in hand"
    return line


def with_line(facts: ReturnFacts, line: ReturnLine) -> ReturnFacts:
    """The facts once this line is as it is here."""
    return replace(facts, current=current_of(facts).with_line(line))
