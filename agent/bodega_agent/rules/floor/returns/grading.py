"""Grade a returned unit, decide what becomes of it, and put it there. The camera says its part beside, never first."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.ledger import DOCK, Goods
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.prompt import Tone, units
from bodega_agent.rules.floor.returns.bench import current_of, in_hand, stand, with_line
from bodega_agent.rules.floor.returns.choices import GRADES, STAYS, may_become
from bodega_agent.rules.floor.returns.effects import DisposeLine, GradeLine, SettleLine
from bodega_agent.rules.floor.returns.facts import ReturnFacts, ReturnLine
from bodega_agent.rules.floor.scans import BinScan, CheckOutcome, VerdictArrived, WordScan
from bodega_agent.rules.floor.session import Session
from bodega_agent.rules.floor.words import Word


def grade(session: Session, scan: WordScan, facts: ReturnFacts) -> Answer:
    """What a person sees."""
    line = in_hand(facts)
    said = GRADES.get(scan.word)
    if said is None:
        return refuse(session, facts, f"'{scan.word}' is no grade.")
    facts = with_line(facts, replace(line, grade=said))
    effect = GradeLine(current_of(facts).return_id, line.line, said)
    return say(stand(session, current_of(facts)), facts, effects=(effect,))


def accept(session: Session, facts: ReturnFacts) -> Answer:
    """CMD-ACCEPT: as suggested."""
    line = in_hand(facts)
    return _decide(session, may_become(line.grade, line.unfit)[0], facts)


def dispose(session: Session, scan: WordScan, facts: ReturnFacts) -> Answer:
    """What becomes of it, by a person's word."""
    line = in_hand(facts)
    if scan.word is Word.SELLABLE and line.unfit:
        return refuse(session, facts, f"{line.name} can not be sold again: {line.unfit}.")
    if scan.word not in may_become(line.grade, line.unfit):
        return refuse(session, facts, f"'{scan.word}' can not become of what is {line.grade}.")
    return _decide(session, scan.word, facts)


def _decide(session: Session, word: Word, facts: ReturnFacts) -> Answer:
    line, current = in_hand(facts), current_of(facts)
    effects: tuple[Effect, ...] = (DisposeLine(current.return_id, line.line, word),)
    if word is Word.SELLABLE and line.camera == CheckOutcome.FAIL:
        effects += (
            NoteException(
                "camera_overruled",
                line.grade,
                current.return_id,
                sku_id=line.sku_id,
                lot=line.lot,
                quantity=line.quantity,
            ),
        )
    decided = replace(line, disposition=word)
    if word in STAYS or not facts.places:
        effects += (_settled(facts, decided, DOCK),)
        facts = with_line(facts, replace(decided, bin_id=DOCK))
        said = f"{units(line.quantity, line.name)}: {_WHAT_NOW.get(word, f'{word}, on the dock')}."
        return say(stand(session, current_of(facts)), facts, said, effects=effects)
    facts = with_line(facts, decided)
    return say(stand(session, current_of(facts)), facts, effects=effects)


_WHAT_NOW = {Word.SELLABLE: "put it away later, CMD-PUTAWAY", Word.SCRAP: "throw it away"}


def into_bin(session: Session, scan: BinScan, facts: ReturnFacts) -> Answer:
    """The bin scan moves it there."""
    line = in_hand(facts)
    if facts.places and scan.bin_id not in facts.places:
        return refuse(session, facts, f"{scan.bin_id} is no place for returns.")
    effect = _settled(facts, line, scan.bin_id)
    facts = with_line(facts, replace(line, bin_id=scan.bin_id))
    said = f"{units(line.quantity, line.name)} is in {scan.bin_id}."
    return say(stand(session, current_of(facts)), facts, said, effects=(effect,))


def _settled(facts: ReturnFacts, line: ReturnLine, bin_id: str) -> SettleLine:
    goods = Goods(line.sku_id, line.quantity, line.lot, serials=line.serials)
    return SettleLine(current_of(facts).return_id, line.line, goods, line.disposition, bin_id)


def verdict(session: Session, scan: VerdictArrived, facts: ReturnFacts) -> Answer:
    """The camera has answered, sooner or later than the person: it is shown, and holds nothing up."""
    line = current_of(facts).line(scan.line) if scan.return_id == current_of(facts).return_id else None
    if line is None or scan.outcome is CheckOutcome.PASS:
        return say(session, facts)
    why = f" ({scan.reasons[0].rstrip('.')})" if scan.reasons else ""
    return say(session, facts, f"The camera says {scan.outcome} to {line.name}{why}.", tone=Tone.ASK)
