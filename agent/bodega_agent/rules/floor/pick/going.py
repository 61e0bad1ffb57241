"""What follows every pick: orders that are done leave the walk, and the session goes to what is next."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.answer import Answer, say
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.pick.facts import PickFacts
from bodega_agent.rules.floor.pick.walk import seen_from
from bodega_agent.rules.floor.pick.work import finish_walk, place, place_walk
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.session import PICK_STEPS, FloorStep, Session

_ENDED = {
    FulfillmentState.SHORT: "Nothing of order {} was on the shelf; it is closed as short.",
    FulfillmentState.HANDED_BACK: "Order {} goes back to the hub. If you hold goods of it: CMD-PUTAWAY.",
}


def go_on(session: Session, facts: PickFacts, said: str = "", *, effects: tuple[Effect, ...] = ()) -> Answer:
    """`facts` and `effects` as the scan has made them; what ends with it is added."""
    facts, ended, finishing = finish_walk(facts)
    effects += finishing
    told = [_ENDED[work.state].format(work.fulfillment_order_id) for work in ended if work.state in _ENDED]
    said = " ".join(filter(None, (said, *told)))
    after = _next(session, facts)
    if after.step is FloorStep.IDLE:
        said, facts = _at_the_end(said, facts)
    return say(after, seen_from(facts, after), said, effects=effects)


def walk_on(session: Session, facts: PickFacts, said: str = "", *, tone: Tone | None = None) -> Answer:
    """Nothing has ended and nothing moves: the session goes to what is next in its walk."""
    after = place_walk(session, facts)
    return say(after, seen_from(facts, after), said, tone=tone)


def _next(session: Session, facts: PickFacts) -> Session:
    work = facts.work
    if facts.walk:
        return place_walk(session, facts)
    if work is None or work.state in _ENDED:
        return session.idle()
    if session.step in PICK_STEPS:
        return place_walk(session, facts)
    return place(session, work, facts)


def _at_the_end(said: str, facts: PickFacts) -> tuple[str, PickFacts]:
    work = facts.work
    if work is None or not work.batch or work.state in _ENDED:
        return said, replace(facts, work=None)
    return f"{said} All is picked: bring it to the packing bench.".strip(), facts
