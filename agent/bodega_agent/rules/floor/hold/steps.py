"""Quality hold and its release: bin, item, and what a person has found.

Goods stay where they are; what changes is what may be done with them. What is released in a quality bin waits to be
put away, what is released on a shelf may be sold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bodega.core.ledger import Disposition, Goods
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.hold.doing import Judged
from bodega_agent.rules.floor.hold.effects import Judge
from bodega_agent.rules.floor.hold.facts import HoldFacts, Lying
from bodega_agent.rules.floor.prompt import units
from bodega_agent.rules.floor.scans import BinScan, ControlScan, ItemScan, NumberScan, WordScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.words import Word

ON_HOLD = (Disposition.NOT_SELLABLE, Disposition.DAMAGED, Disposition.EXPIRED)
# To find goods well is no exception.
_NOTHING = ""

# What a person says of goods -> what they become; None: they are scrapped.
VERDICTS: Mapping[Word, Disposition | None] = {
    Word.SELLABLE: Disposition.SELLABLE,
    Word.DAMAGED: Disposition.DAMAGED,
    Word.EXPIRED: Disposition.EXPIRED,
    Word.SCRAP: None,
}


def judged(session: Session) -> Judged:
    """What is judged."""
    doing = session.doing
    assert isinstance(doing, Judged), "an item was scanned before it is judged"
    return doing


def start(session: Session, facts: HoldFacts) -> Answer:
    """CMD-HOLD at idle."""
    return say(session.at(FloorStep.HOLD_BIN), facts, "Holding and releasing.")


def at_bin(session: Session, scan: BinScan, facts: HoldFacts) -> Answer:
    """The person stands at this bin."""
    return say(session.at(FloorStep.HOLD_ITEM, bin_id=scan.bin_id), facts)


def item(session: Session, scan: ItemScan, facts: HoldFacts) -> Answer:
    """Goods of this bin, one lot of them."""
    if scan.lacks_serial:
        return refuse(session, facts, needs_serial(scan))
    lots = {there.lot for there in facts.lying if there.sku_id == scan.sku_id and scan.lot in {"", there.lot}}
    if not lots:
        return refuse(session, facts, f"No {scan.name} is in {session.bin_id} by the book.")
    if len(lots) > 1:
        return refuse(
            session, facts, f"{scan.name} lies here in {len(lots)} lots: scan the code with the lot."
        )
    doing = Judged(scan.sku_id, scan.name, lots.pop(), 1 if scan.serials else 0, scan.serials)
    return say(session.at(FloorStep.HOLD_VERDICT, bin_id=session.bin_id, doing=doing), facts)


def number(session: Session, scan: NumberScan, facts: HoldFacts) -> Answer:
    """Only so many of them."""
    doing = judged(session)
    there_are = max((there.quantity for there in lying(doing, facts)), default=0)
    if doing.serials:
        return refuse(session, facts, f"{doing.name} has serials: scan each unit.")
    if not 0 < scan.value <= there_are:
        return refuse(session, facts, f"1 to {there_are} of {doing.name} are here, not {scan.value}.")
    return say(replace(session, doing=replace(doing, quantity=scan.value)), facts)


def hold(session: Session, _scan: ControlScan, facts: HoldFacts) -> Answer:
    """CMD-HOLD: what may be sold waits for a quality check."""
    return _judge(session, facts, (Disposition.SELLABLE,), Disposition.NOT_SELLABLE, "quality_hold")


def verdict(session: Session, scan: WordScan, facts: HoldFacts) -> Answer:
    """What a person has found: of goods on hold first, else of those that may be sold."""
    if scan.word not in VERDICTS:
        return refuse(session, facts, f"'{scan.word}' is no verdict.")
    becomes = VERDICTS[scan.word]
    if becomes is Disposition.SELLABLE:
        released = Disposition.SELLABLE if facts.from_shelf else Disposition.IN_PROGRESS
        return _judge(session, facts, ON_HOLD, released, _NOTHING)
    return _judge(session, facts, (*ON_HOLD, Disposition.SELLABLE), becomes, scan.word)


def _judge(
    session: Session,
    facts: HoldFacts,
    among: tuple[Disposition, ...],
    becomes: Disposition | None,
    kind: str,
) -> Answer:
    doing = judged(session)
    quantity = doing.quantity
    there = [
        one
        for was in among
        for one in lying(doing, facts)
        if one.disposition is was is not becomes and one.quantity >= max(1, quantity)
    ]
    if not there:
        return refuse(session, facts, f"Nothing of {doing.name} in {session.bin_id} can become that.")
    quantity = quantity or there[0].quantity
    goods = Goods(doing.sku_id, quantity, doing.lot, serials=doing.serials)
    effects: tuple[Effect, ...] = (Judge(goods, session.bin_id, there[0].disposition, becomes),)
    if kind:
        noted = NoteException(
            kind, bin_id=session.bin_id, sku_id=doing.sku_id, lot=doing.lot, quantity=quantity
        )
        effects += (noted,)
    said = f"{units(quantity, doing.name)}: {_said(becomes)}."
    after = session.at(FloorStep.HOLD_ITEM, bin_id=session.bin_id)
    return say(after, facts, said, effects=effects)


def _said(becomes: Disposition | None) -> str:
    match becomes:
        case None:
            return "scrapped"
        case Disposition.SELLABLE:
            return "may be sold"
        case Disposition.IN_PROGRESS:
            return "released, put them away with CMD-PUTAWAY"
        case Disposition.NOT_SELLABLE:
            return "on hold"
        case _:
            return becomes.value


def lying(doing: Judged, facts: HoldFacts) -> tuple[Lying, ...]:
    """What lies in the bin of the goods that are judged."""
    return tuple(there for there in facts.lying if (there.sku_id, there.lot) == (doing.sku_id, doing.lot))
