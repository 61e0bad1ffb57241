"""A return of one order: found, taken back, graded, decided and put into its place."""

from __future__ import annotations

from dataclasses import replace

from bodega_agent.rules.floor.facts import Facts, VisionMode
from bodega_agent.rules.floor.returns.doing import TakingBack
from bodega_agent.rules.floor.returns.facts import OPEN, Due, Return, ReturnFacts, ReturnLine
from bodega_agent.rules.floor.session import FloorStep, Session
from support.floor_model import NAMES

LINE = ReturnLine(1, "OAT", NAMES["OAT"], 1, camera="waiting")
RETURN = Return(
    "RT-1",
    "O-1",
    state=OPEN,
    owed=(Due("OAT", NAMES["OAT"], 2, ("gtin-OAT",)),),
    is_owed_known=True,
)


def facts(*lines: ReturnLine) -> ReturnFacts:
    """The return on the bench with these lines."""
    return ReturnFacts(
        current=replace(RETURN, lines=lines),
        next_return_id="RT-2",
        places=("A-01",),
        vision=VisionMode.ADVISORY,
    )


def at(step: FloorStep) -> Session:
    """A session at the bench."""
    return Session("scanner-1", step=step, doing=TakingBack("RT-1"))


SITUATIONS: dict[FloorStep, tuple[Session, Facts]] = {
    FloorStep.RETURN_FIND: (
        Session("scanner-1", step=FloorStep.RETURN_FIND),
        ReturnFacts(found=RETURN, next_return_id="RT-2", vision=VisionMode.ADVISORY),
    ),
    FloorStep.RETURN_ITEM: (
        at(FloorStep.RETURN_ITEM),
        facts(replace(LINE, grade="new", disposition="sellable", bin_id="DOCK")),
    ),
    FloorStep.RETURN_GRADE: (at(FloorStep.RETURN_GRADE), facts(LINE)),
    FloorStep.RETURN_DISPOSE: (at(FloorStep.RETURN_DISPOSE), facts(replace(LINE, grade="opened"))),
    FloorStep.RETURN_PLACE: (
        at(FloorStep.RETURN_PLACE),
        facts(replace(LINE, grade="damaged", disposition="damaged")),
    ),
}
