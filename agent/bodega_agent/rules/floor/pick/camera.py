"""The camera while goods are picked. Its verdict never moves stock: it flags a line, and a person shows the goods
again or accepts them by name.
"""

from __future__ import annotations

from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.pick.effects import AcceptCheck, Inspect
from bodega_agent.rules.floor.pick.facts import Check, PickFacts, Work, WorkLine
from bodega_agent.rules.floor.pick.going import go_on
from bodega_agent.rules.floor.pick.walk import changed, orders_of
from bodega_agent.rules.floor.pick.work import with_waiting_check, without_check
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import ItemScan, VerdictArrived
from bodega_agent.rules.floor.session import FloorStep, Session


def watched(facts: PickFacts) -> tuple[Work, ...]:
    """The orders whose checks concern this session: those of its walk, or the one that it packs."""
    return orders_of(facts) or ((facts.work,) if facts.work else ())


def doubted_in(facts: PickFacts) -> tuple[Work, Check] | None:
    """The first line that the camera doubts, and its order."""
    return next(((work, check) for work in watched(facts) if (check := work.flagged()) is not None), None)


def _shown(facts: PickFacts, scan: ItemScan) -> tuple[Work, WorkLine] | None:
    return next(
        (
            (work, line)
            for work in watched(facts)
            for check in work.checks
            if check.flagged
            and (line := work.line(check.line)).sku_id == scan.sku_id
            and not line.outstanding
        ),
        None,
    )


def is_shown_again(facts: PickFacts, scan: ItemScan) -> bool:
    """Whether the scan is of goods that the camera doubts, and that are all picked."""
    return _shown(facts, scan) is not None


def show_again(session: Session, scan: ItemScan, facts: PickFacts) -> Answer:
    """A doubted item is scanned again: the camera looks once more, nothing moves."""
    shown = _shown(facts, scan)
    if shown is None:
        return refuse(session, facts, f"{scan.name} is not wanted now.")
    work, line = shown
    asked = changed(facts, with_waiting_check(work, line.line))
    effect = Inspect(work.fulfillment_order_id, line.line, scan.sku_id)
    return say(session, asked, f"Looking at {line.name} again.", effects=(effect,))


def accept(session: Session, facts: PickFacts) -> Answer:
    """CMD-ACCEPT: a person has looked, and accepts the doubted line; recorded with the actor."""
    found = doubted_in(facts)
    if found is None:
        return refuse(session, facts, "There is nothing to accept.")
    work, doubted = found
    effect = AcceptCheck(work.fulfillment_order_id, doubted.line)
    said = f"{work.line(doubted.line).name} is accepted."
    return go_on(session, changed(facts, without_check(work, doubted.line)), said, effects=(effect,))


def verdict(session: Session, scan: VerdictArrived, facts: PickFacts) -> Answer:
    """The camera has answered; a pass may be the last thing that picking waited for."""
    work = next(
        (one for one in watched(facts) if one.fulfillment_order_id == scan.fulfillment_order_id), None
    )
    if work is None:
        return say(session, facts)
    doubted = next((check for check in work.checks if check.line == scan.line and check.flagged), None)
    if doubted is None or session.step in {FloorStep.PICK_CHECK, FloorStep.PACK}:
        return go_on(session, facts)
    said = f"The camera doubts {work.line(scan.line).name}: look at it, then CMD-ACCEPT or show it again."
    return say(session, facts, said, tone=Tone.ASK)
