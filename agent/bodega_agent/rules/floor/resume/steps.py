"""CMD-RESUME: work that was left in the middle goes on here, at the very step. It is offered, never taken by itself."""

from __future__ import annotations

from dataclasses import replace

from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.facts import Facts, Left
from bodega_agent.rules.floor.resume.doing import Offered
from bodega_agent.rules.floor.resume.effects import TakeOver
from bodega_agent.rules.floor.session import FLOWS, FloorStep, Session
from bodega_agent.rules.floor.table import Lost


def start(session: Session, facts: Facts) -> Answer:
    """CMD-RESUME at idle: the own work first, then what a device that is gone was at, then what people have left."""
    if not facts.crew.left:
        return refuse(session, facts, "No work was left in the middle.")
    return say(_offer(session, facts.crew.left[0]), facts)


def other(session: Session, facts: Facts) -> Answer:
    """CMD-SKIP: the next one, round and round."""
    left = facts.crew.left
    at = left.index(offered(session, facts))
    return say(_offer(session, left[(at + 1) % len(left)]), facts)


def accept(session: Session, facts: Facts) -> Answer:
    """CMD-ACCEPT: the flow goes on here, with all that its device had claimed."""
    left = offered(session, facts)
    then = replace(left.session, device=session.device, actor=session.actor)
    return say(
        session.idle(),
        facts.bare(),
        f"You go on with {FLOWS[left.session.step]}.",
        effects=(TakeOver(left.session.device),),
        then=then,
    )


def settle(session: Session, facts: Facts) -> Session | Lost:
    """What was offered may be gone: somebody came back to it, or has taken it."""
    found = _found(session, facts)
    return session if found is not None else Lost("Somebody is at that work again.")


def offered(session: Session, facts: Facts) -> Left:
    """What the prompt offers."""
    found = _found(session, facts)
    assert found is not None, "an offer that is gone is lost, and shown as idle"
    return found


def _found(session: Session, facts: Facts) -> Left | None:
    doing = session.doing
    assert isinstance(doing, Offered), "something is offered"
    return next((left for left in facts.crew.left if left.session.device == doing.device), None)


def _offer(session: Session, left: Left) -> Session:
    return session.at(FloorStep.RESUME, doing=Offered(left.session.device))
