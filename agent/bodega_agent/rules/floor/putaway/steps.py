"""Put away: item or pallet, then bin. Serves the dock, pallets and the stages of cancelled orders (put-back) alike.

Between the two scans the goods are in a person's hand and the book leaves them where they were; the bin scan
moves them. Scanning more of the same adds to what is in hand. A bin that suits less than the suggested one needs a
reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bodega.core.ledger import DOCK, Disposition, Goods, unit_place
from bodega.limits import QUANTITY_MAX
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.prompt import Tone, units
from bodega_agent.rules.floor.putaway.doing import InHand
from bodega_agent.rules.floor.putaway.effects import PutAway
from bodega_agent.rules.floor.putaway.facts import PutAwayFacts, Waiting
from bodega_agent.rules.floor.putaway.suggest import BinFacts, Load, best, objection
from bodega_agent.rules.floor.scans import BinScan, ItemScan, NumberScan, SsccScan, WordScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.words import Word

# The word for each sort of goods that may wait, where there is more than one.
SORTS: Mapping[Word, str] = {
    Word.SELLABLE: Disposition.IN_PROGRESS.value,
    Word.DAMAGED: Disposition.DAMAGED.value,
    Word.EXPIRED: Disposition.EXPIRED.value,
    Word.BLOCKED: Disposition.NOT_SELLABLE.value,
}
# Why goods go into another bin than the suggested one.
REASONS = (Word.NO_ROOM, Word.BLOCKED, Word.WRONG_PLACE, Word.DAMAGED, Word.OTHER)


def in_hand(session: Session) -> InHand:
    """What the person holds."""
    held = session.doing
    assert isinstance(held, InHand), "goods are in hand between item and bin"
    return held


def load_of(held: InHand, facts: PutAwayFacts) -> Load:
    """What is in hand, as a load for a bin."""
    load = facts.load if held.sscc else facts.load.times(held.quantity)
    return replace(load, set_apart=held.disposition != Disposition.IN_PROGRESS)


def suggested(held: InHand, facts: PutAwayFacts) -> BinFacts | None:
    """The bin that suits best, if one does."""
    return best(load_of(held, facts), facts.bins)


def start(session: Session, facts: PutAwayFacts) -> Answer:
    """CMD-PUTAWAY."""
    return say(session.at(FloorStep.PUTAWAY_ITEM), facts, "Putting away.")


def item(session: Session, scan: ItemScan, facts: PutAwayFacts) -> Answer:
    """Goods are taken in hand, if so many wait to be put away."""
    held = session.doing if isinstance(session.doing, InHand) else None
    if held is not None and (held.sku_id != scan.sku_id or scan.lot not in {"", held.lot}):
        return refuse(session, facts, f"First put {held.name} away.")
    if scan.lacks_serial:
        return refuse(session, facts, needs_serial(scan))
    if held is not None and scan.serial and scan.serial in held.serials:
        return refuse(session, facts, f"{scan.serial} is in your hand already.")
    waiting = [
        there
        for there in facts.waiting
        if there.sku_id == scan.sku_id
        and scan.lot in {"", there.lot}
        and (held is None or held.disposition in {"", there.disposition})
    ]
    lots = {there.lot for there in waiting} if held is None else {held.lot}
    if not waiting:
        return refuse(session, facts, f"No {scan.name} waits to be put away. Receive it first: CMD-RECEIVE.")
    if len(lots) > 1:
        return refuse(session, facts, f"{scan.name} waits in {len(lots)} lots: scan the code with the lot.")
    before = held or InHand(scan.sku_id, scan.name, lots.pop(), 0, disposition=_sort_of(waiting))
    return _hold(session, facts, waiting, before, scan.quantity, scan)


def _sort_of(waiting: Sequence[Waiting]) -> str:
    """The disposition of all of it; empty if there is more than one."""
    sorts = {there.disposition for there in waiting}
    return sorts.pop() if len(sorts) == 1 else ""


def _hold(
    session: Session,
    facts: PutAwayFacts,
    waiting: Sequence[Waiting],
    held: InHand,
    more: int,
    scan: ItemScan,
) -> Answer:
    quantity = held.quantity + more
    there_are = min(_total(waiting, held), QUANTITY_MAX)
    if quantity > there_are:
        return refuse(session, facts, f"Only {units(there_are, held.name)} wait, not {quantity}.")
    now = replace(held, quantity=quantity, serials=(*held.serials, *scan.serials), each=scan.quantity)
    step = FloorStep.PUTAWAY_BIN if held.disposition else FloorStep.PUTAWAY_WHICH
    return say(session.at(step, doing=now), facts)


def pallet(session: Session, scan: SsccScan, facts: PutAwayFacts) -> Answer:
    """All that is on a pallet is taken in hand."""
    on_it = [there for there in facts.waiting if there.place == unit_place(scan.sscc)]
    if not on_it:
        return refuse(session, facts, f"Nothing on pallet {scan.sscc} waits to be put away.")
    if not (sort := _sort_of(on_it)):
        return refuse(
            session, facts, f"Pallet {scan.sscc} has goods that are set apart: put them away first."
        )
    total = sum(there.quantity for there in on_it)
    held = InHand("", f"pallet {scan.sscc}", "", total, disposition=sort, sscc=scan.sscc)
    return say(session.at(FloorStep.PUTAWAY_BIN, doing=held), facts)


def number(session: Session, scan: NumberScan, facts: PutAwayFacts) -> Answer:
    """So many of what was scanned last are in hand, in all."""
    held = in_hand(session)
    if held.sscc or held.serials:
        return refuse(session, facts, f"{held.name} is not counted here: scan the bin.")
    quantity = scan.value * held.each
    there_are = min(_total(facts.waiting, held), QUANTITY_MAX)
    if not 0 < quantity <= there_are:
        return refuse(session, facts, f"1 to {there_are} of {held.name} wait, not {quantity}.")
    return say(session.at(FloorStep.PUTAWAY_BIN, doing=replace(held, quantity=quantity)), facts)


def which(session: Session, scan: WordScan, facts: PutAwayFacts) -> Answer:
    """The same goods wait in two sorts: the person says which of them are in hand."""
    held = replace(in_hand(session), disposition=SORTS.get(scan.word, ""))
    there_are = _total(facts.waiting, held)
    if not held.disposition or not there_are:
        return refuse(session, facts, f"No {held.name} waits as '{scan.word}'.")
    if held.quantity > there_are:
        return refuse(session, facts, f"Only {units(there_are, held.name)} wait as '{scan.word}'.")
    return say(session.at(FloorStep.PUTAWAY_BIN, doing=held), facts)


def into_bin(session: Session, scan: BinScan, facts: PutAwayFacts) -> Answer:
    """The bin scan moves what is in hand, unless the bin suits less than the suggested one."""
    held = in_hand(session)
    doubt = objection(load_of(held, facts), facts.bin(scan.bin_id), suggested(held, facts))
    if doubt:
        asked = session.at(FloorStep.PUTAWAY_REASON, bin_id=scan.bin_id, doing=held)
        return say(asked, facts, doubt, tone=Tone.ERROR)
    return _put(session, facts, held, scan.bin_id)


def overridden(session: Session, scan: WordScan, facts: PutAwayFacts) -> Answer:
    """The person has a reason for the other bin; it is noted."""
    held = in_hand(session)
    if scan.word not in REASONS:
        return refuse(session, facts, f"'{scan.word}' is no reason here.")
    noted = NoteException(
        "bin_overridden",
        scan.word,
        bin_id=session.bin_id,
        sku_id=held.sku_id,
        lot=held.lot,
        quantity=held.quantity,
    )
    return _put(session, facts, held, session.bin_id, noted)


def _put(session: Session, facts: PutAwayFacts, held: InHand, bin_id: str, *noted: Effect) -> Answer:
    """From the dock first, then from pallets and stages in order of their names."""
    emptied = session.at(FloorStep.PUTAWAY_ITEM)
    waiting = _of(facts.waiting, held)
    total = sum(there.quantity for there in waiting)
    if total < held.quantity or (held.sscc and total != held.quantity):
        text = f"{held.name} was put away by somebody else meanwhile. Nothing was moved."
        return say(emptied, facts, text, tone=Tone.ERROR)
    moves = _whole(waiting) if held.sscc else _sources(waiting, held)
    effects = tuple(PutAway(goods, place, bin_id, held.disposition) for place, goods in moves)
    said = f"{units(held.quantity, held.name)} is in {bin_id}."
    return say(emptied, facts, said, effects=(*effects, *noted))


def _of(waiting: Sequence[Waiting], held: InHand) -> list[Waiting]:
    """Where what is in hand was taken from."""
    if held.sscc:
        return [there for there in waiting if there.place == unit_place(held.sscc)]
    goods = (held.sku_id, held.lot)
    return [
        there
        for there in waiting
        if (there.sku_id, there.lot) == goods and held.disposition in {"", there.disposition}
    ]


def _total(waiting: Sequence[Waiting], held: InHand) -> int:
    return sum(there.quantity for there in _of(waiting, held))


def _whole(waiting: Sequence[Waiting]) -> list[tuple[str, Goods]]:
    """All of a pallet; units with a serial apart from those that never had one."""
    moves = []
    for there in waiting:
        named = len(there.serials)
        if named:
            moves.append((there.place, Goods(there.sku_id, named, there.lot, serials=there.serials)))
        if there.quantity > named:
            moves.append((there.place, Goods(there.sku_id, there.quantity - named, there.lot)))
    return moves


def _sources(waiting: Sequence[Waiting], held: InHand) -> list[tuple[str, Goods]]:
    """The dock first; a serial leaves where the book has it, or else the first place."""
    sources = []
    left, unplaced = held.quantity, list(held.serials)
    places = sorted(waiting, key=lambda there: (there.place != DOCK, there.place))
    elsewhere = {serial for there in places[1:] for serial in there.serials}
    for number, there in enumerate(places):
        if held.serials:
            own = tuple(s for s in unplaced if s in there.serials or (not number and s not in elsewhere))
            unplaced = [serial for serial in unplaced if serial not in own]
            taken = len(own)
        else:
            own, taken = (), min(left, there.quantity)
        if taken:
            sources.append((there.place, Goods(held.sku_id, taken, held.lot, serials=own)))
        left -= taken
    return sources
