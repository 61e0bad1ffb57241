"""Replenish: reserve bin, item, pick face. The goods move by book with the scan of the face, and not before."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.ledger import Goods
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.prompt import Tone, units
from bodega_agent.rules.floor.replenish.doing import Refilling
from bodega_agent.rules.floor.replenish.effects import DoubtBin, Refill
from bodega_agent.rules.floor.replenish.facts import Face, ReplenishFacts, Source
from bodega_agent.rules.floor.replenish.plan import next_source
from bodega_agent.rules.floor.scans import BinScan, ItemScan, NumberScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Lost

_NOTHING = "No pick face needs anything that is in reserve."


def doing_of(session: Session) -> Refilling:
    """What the session remembers of replenishing."""
    doing = session.doing
    assert isinstance(doing, Refilling), "a face is chosen before the first step"
    return doing


def face_of(facts: ReplenishFacts) -> Face:
    """The face in work."""
    assert facts.face is not None, "a session whose face is gone is settled as lost"
    return facts.face


def settle(session: Session, facts: ReplenishFacts) -> Session | Lost:
    """A face that the hub has taken away, or given to another SKU, is refilled no more."""
    return session if facts.face is not None else Lost("This pick face is not refilled any more.")


def start(session: Session, facts: ReplenishFacts) -> Answer:
    """CMD-REPLENISH: the face that needs it most."""
    if facts.face is None:
        return refuse(session, facts, _NOTHING)
    return _to_source(session, facts, Refilling(facts.face.bin_id))


def _to_source(
    session: Session,
    facts: ReplenishFacts,
    doing: Refilling,
    said: str = "",
    effects: tuple[Effect, ...] = (),
) -> Answer:
    """On to the next reserve bin; done if there is none."""
    if next_source(face_of(facts), doing.empty) is None:
        end = f"{said} Nothing more is in reserve for {doing.face}.".strip()
        return say(session.idle(), replace(facts, face=None), end, effects=effects)
    return say(session.at(FloorStep.REPLENISH_FROM, doing=doing), facts, said, effects=effects)


def at_reserve(session: Session, scan: BinScan, facts: ReplenishFacts) -> Answer:
    """The person stands at a reserve bin; another one than the suggested does if it holds the goods."""
    doing = doing_of(session)
    if source_at(facts, scan.bin_id, "") is None:
        return refuse(session, facts, f"No {face_of(facts).name} for sale is in {scan.bin_id}.")
    return say(session.at(FloorStep.REPLENISH_ITEM, bin_id=scan.bin_id, doing=doing), facts)


def source_at(facts: ReplenishFacts, bin_id: str, lot: str) -> Source | None:
    """What a bin holds of the goods, the first to expire; of one lot if it is named."""
    here = [one for one in face_of(facts).sources if one.bin_id == bin_id and lot in {"", one.lot}]
    return min(here, key=lambda one: (one.first_out, one.lot), default=None)


def item(session: Session, scan: ItemScan, facts: ReplenishFacts) -> Answer:
    """Goods are taken in hand; more of the same adds to it."""
    doing, face = doing_of(session), face_of(facts)
    if scan.sku_id != face.sku_id:
        return refuse(session, facts, f"{scan.name} is not what {face.bin_id} needs.")
    if doing.lot and scan.lot not in {"", doing.lot}:
        return refuse(session, facts, f"Lot {doing.lot} is in your hand: put it into {face.bin_id} first.")
    if scan.expired:
        return refuse(session, facts, f"This {scan.name} has expired: leave it, and tell the shift lead.")
    if scan.lacks_serial:
        return refuse(session, facts, needs_serial(scan))
    if scan.serial and scan.serial in doing.serials:
        return refuse(session, facts, f"{scan.serial} is in your hand already.")
    source = source_at(facts, session.bin_id, scan.lot or doing.lot)
    if source is None:
        return refuse(
            session, facts, f"Lot {scan.lot} of {scan.name} is not in {session.bin_id} by the book."
        )
    taken = replace(
        doing,
        lot=source.lot,
        quantity=doing.quantity + scan.quantity,
        serials=(*doing.serials, *scan.serials),
        each=scan.quantity,
    )
    return _in_hand(session, facts, taken, source)


def number(session: Session, scan: NumberScan, facts: ReplenishFacts) -> Answer:
    """So many of what was scanned last are in hand, in all."""
    doing = doing_of(session)
    if not doing.quantity:
        return refuse(session, facts, "Scan the item first, then say how many.")
    if doing.serials:
        return refuse(session, facts, f"{face_of(facts).name} has serials: scan each unit.")
    source = source_at(facts, session.bin_id, doing.lot)
    taken = replace(doing, quantity=scan.value * doing.each)
    if source is None or not taken.quantity:
        return refuse(session, facts, "Nothing is in your hand then: CMD-CANCEL leaves.")
    return _in_hand(session, facts, taken, source)


def _in_hand(session: Session, facts: ReplenishFacts, taken: Refilling, source: Source) -> Answer:
    """As many as are wanted, or all that the bin has: then on to the face."""
    if taken.quantity > source.quantity:
        text = f"By the book only {units(source.quantity, face_of(facts).name)} are in {session.bin_id}."
        return refuse(session, facts, text)
    enough = taken.quantity >= min(face_of(facts).wanted, source.quantity)
    step = FloorStep.REPLENISH_INTO if enough else session.step
    return say(session.at(step, bin_id=session.bin_id, doing=taken), facts)


def short(session: Session, facts: ReplenishFacts) -> Answer:
    """CMD-SHORT: the reserve bin lacks what the book says. It is counted, and another bin is tried."""
    doing, face = doing_of(session), face_of(facts)
    source = source_at(facts, session.bin_id, doing.lot)
    lot = source.lot if source else doing.lot
    missing = max(0, (source.quantity if source else 0) - doing.quantity)
    effects = (
        NoteException(
            "short_replenish",
            reference=face.bin_id,
            bin_id=session.bin_id,
            sku_id=face.sku_id,
            lot=lot,
            quantity=missing,
        ),
        DoubtBin(session.bin_id, face.sku_id, lot),
    )
    doubted = replace(doing, empty=(*doing.empty, session.bin_id))
    said = f"{session.bin_id} will be counted."
    if doing.quantity:
        into = session.at(FloorStep.REPLENISH_INTO, bin_id=session.bin_id, doing=doubted)
        return say(into, facts, said, effects=effects)
    return _to_source(session, facts, doubted, said, effects)


def into_face(session: Session, scan: BinScan, facts: ReplenishFacts) -> Answer:
    """The face's scan moves what is in hand; what it still lacks comes from the next bin."""
    doing, face = doing_of(session), face_of(facts)
    if not doing.quantity:
        return refuse(session, facts, f"Take {face.name} first.")
    if scan.bin_id != face.bin_id:
        return refuse(session, facts, f"{scan.bin_id} is the wrong bin.")
    goods = Goods(face.sku_id, doing.quantity, doing.lot, serials=doing.serials)
    source = source_at(facts, session.bin_id, doing.lot)
    if source is None or source.quantity < doing.quantity:
        text = f"{face.name} left {session.bin_id} by the book meanwhile. Nothing was moved."
        return say(session.idle(), replace(facts, face=None), text, tone=Tone.ERROR)
    moved = (Refill(goods, session.bin_id, face.bin_id),)
    said = f"{units(doing.quantity, face.name)} is in {face.bin_id}."
    full = replace(face, held=face.held + doing.quantity, sources=_without(face, source, doing.quantity))
    facts = replace(facts, face=full)
    if not full.wanted:
        return say(session.idle(), replace(facts, face=None), f"{said} It is full.", effects=moved)
    return _to_source(session, facts, Refilling(face.bin_id, empty=doing.empty), said, moved)


def _without(face: Face, source: Source, taken: int) -> tuple[Source, ...]:
    rest = (replace(one, quantity=one.quantity - taken) if one == source else one for one in face.sources)
    return tuple(one for one in rest if one.quantity)


def done(session: Session, facts: ReplenishFacts) -> Answer:
    """CMD-DONE with something in hand goes to the face; else it ends the work."""
    doing = doing_of(session)
    if doing.quantity:
        into = session.at(FloorStep.REPLENISH_INTO, bin_id=session.bin_id, doing=doing)
        return say(into, facts)
    return say(session.idle(), replace(facts, face=None), "Left replenish.")
