"""What came in and is not fit for the shelf: damaged, or on hold until somebody has looked at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bodega.core.ledger import Disposition, Goods
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.effects import NoteException
from bodega_agent.rules.floor.prompt import units
from bodega_agent.rules.floor.receive.against import Came, with_more
from bodega_agent.rules.floor.receive.doing import Fresh
from bodega_agent.rules.floor.receive.effects import SetApart
from bodega_agent.rules.floor.receive.facts import ReceiveFacts
from bodega_agent.rules.floor.receive.taking import doing_of, place_of
from bodega_agent.rules.floor.scans import ControlScan, NumberScan, WordScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.words import Word

HOLD = "quality_hold"

# Why goods are set apart (the kind of the exception too) -> what they become.
BECOMES: Mapping[str, Disposition] = {
    Word.DAMAGED: Disposition.DAMAGED,
    Word.EXPIRED: Disposition.EXPIRED,
    HOLD: Disposition.NOT_SELLABLE,
}
SAID: Mapping[str, str] = {Word.DAMAGED: "damaged", Word.EXPIRED: "expired", HOLD: "on hold"}


def word(session: Session, scan: WordScan, facts: ReceiveFacts) -> Answer:
    """`damaged` or `expired`: some of what was scanned last is."""
    if scan.word not in BECOMES:
        return refuse(session, facts, f"'{scan.word}' is not wanted now.")
    return _apart(session, scan.word, facts)


def hold(session: Session, _scan: ControlScan, facts: ReceiveFacts) -> Answer:
    """CMD-HOLD: some of what was scanned last waits for a quality check."""
    return _apart(session, HOLD, facts)


def _apart(session: Session, why: str, facts: ReceiveFacts) -> Answer:
    fresh = doing_of(session).fresh
    if fresh is None or not fresh.counted:
        return refuse(session, facts, f"What is {SAID[why]}? Scan the item first.")
    if fresh.counted > 1:
        asked = replace(doing_of(session), apart=why)
        return say(session.at(FloorStep.RECEIVE_APART, doing=asked), facts)
    return _set_apart(session, facts, fresh, why, fresh.counted)


def how_many(session: Session, scan: NumberScan, facts: ReceiveFacts) -> Answer:
    """So many of what was scanned last are set apart; none is an answer too."""
    doing = doing_of(session)
    fresh = doing.fresh
    assert fresh is not None, "goods were received before some of them are set apart"
    if not scan.value:
        return say(session.at(FloorStep.RECEIVE_ITEM, doing=replace(doing, apart="")), facts)
    if scan.value > fresh.counted:
        return refuse(session, facts, f"Only {units(fresh.counted, fresh.name)} were received just now.")
    return _set_apart(session, facts, fresh, doing.apart, scan.value)


def _set_apart(session: Session, facts: ReceiveFacts, fresh: Fresh, why: str, quantity: int) -> Answer:
    """Nothing is fresh any more: the same units can not be set apart twice."""
    doing = doing_of(session)
    goods = Goods(fresh.sku_id, quantity, fresh.lot, serials=fresh.serials)
    effects = (
        SetApart(doing.receipt_id, goods, place_of(doing), BECOMES[why]),
        NoteException(
            why,
            reference=doing.receipt_id,
            sku_id=fresh.sku_id,
            lot=fresh.lot,
            quantity=quantity,
        ),
    )
    if facts.delivery is not None:
        more = Came(0, quantity if why == Word.DAMAGED else 0, 0 if why == Word.DAMAGED else quantity)
        lines = with_more(facts.delivery.lines, fresh.sku_id, fresh.lot, more, fresh.name)
        facts = replace(facts, delivery=replace(facts.delivery, lines=lines))
    after = session.at(FloorStep.RECEIVE_ITEM, doing=replace(doing, fresh=None, apart=""))
    said = f"{units(quantity, fresh.name)} {SAID[why]}: set apart."
    return say(after, facts, said, effects=effects)
