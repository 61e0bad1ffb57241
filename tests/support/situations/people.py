"""A PIN is asked for; work that somebody has left is offered."""

from __future__ import annotations

from bodega_agent.rules.floor.facts import Crew, Facts, Left, Person, Why
from bodega_agent.rules.floor.people.doing import SigningIn
from bodega_agent.rules.floor.people.facts import PinFacts
from bodega_agent.rules.floor.resume.doing import Offered
from bodega_agent.rules.floor.session import FloorStep, Session

ANA = Person("ana", "Ana", "associate", has_pin=True)
LEFT = Left(Session("scanner-2", step=FloorStep.RECEIVE_ITEM), Why.GONE)
ALSO = Left(Session("scanner-3", step=FloorStep.HANDOVER), Why.LEFT, "Rui")

SITUATIONS: dict[FloorStep, tuple[Session, Facts]] = {
    FloorStep.SIGN_IN_PIN: (
        Session("scanner-1", step=FloorStep.SIGN_IN_PIN, doing=SigningIn("ana", "Ana", Session("scanner-1"))),
        PinFacts(right=True, tries_left=5, person=ANA),
    ),
    FloorStep.RESUME: (
        Session("scanner-1", step=FloorStep.RESUME, doing=Offered("scanner-2")),
        Facts(crew=Crew(left=(LEFT, ALSO))),
    ),
}
