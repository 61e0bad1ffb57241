"""Put away: item, then bin. Serves the dock and the stages of cancelled orders (put-back) alike.

Between the two scans the goods are in a person's hand and the book leaves them where they were; the bin scan
moves them. Scanning more of the same adds to what is in hand.
"""

from __future__ import annotations

from collections.abc import Sequence

from bodega.core.ledger import DOCK, Goods
from bodega.limits import QUANTITY_MAX
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.prompt import Tone, units
from bodega_agent.rules.floor.putaway.doing import InHand
from bodega_agent.rules.floor.putaway.effects import PutAway
from bodega_agent.rules.floor.putaway.facts import PutAwayFacts, Waiting
from bodega_agent.rules.floor.scans import BinScan, ItemScan
from bodega_agent.rules.floor.session import FloorStep, Session


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
        there for there in facts.waiting if there.sku_id == scan.sku_id and scan.lot in {"", there.lot}
    ]
    lots = {there.lot for there in waiting} if held is None else {held.lot}
    if not waiting:
        return refuse(session, facts, f"No {scan.name} waits to be put away. Receive it first: CMD-RECEIVE.")
    if len(lots) > 1:
        return refuse(session, facts, f"{scan.name} waits in {len(lots)} lots: scan the code with the lot.")
    lot = lots.pop()
    quantity = scan.quantity + (held.quantity if held else 0)
    there_are = min(_total(waiting, lot), QUANTITY_MAX)
    if quantity > there_are:
        return refuse(session, facts, f"Only {units(there_are, scan.name)} wait, not {quantity}.")
    in_hand = InHand(scan.sku_id, scan.name, lot, quantity, (*(held.serials if held else ()), *scan.serials))
    return say(session.at(FloorStep.PUTAWAY_BIN, doing=in_hand), facts)


def into_bin(session: Session, scan: BinScan, facts: PutAwayFacts) -> Answer:
    """The bin scan moves what is in hand: from the dock first, then from stages in order of their names."""
    held = session.doing
    assert isinstance(held, InHand), "goods are in hand between item and bin"
    emptied = session.at(FloorStep.PUTAWAY_ITEM)
    waiting = [there for there in facts.waiting if (there.sku_id, there.lot) == (held.sku_id, held.lot)]
    if _total(waiting, held.lot) < held.quantity:
        text = f"{held.name} was put away by somebody else meanwhile. Nothing was moved."
        return say(emptied, facts, text, tone=Tone.ERROR)
    effects = tuple(
        PutAway(Goods(held.sku_id, taken, held.lot, serials=serials), place, scan.bin_id)
        for place, taken, serials in _sources(waiting, held)
    )
    return say(emptied, facts, f"{units(held.quantity, held.name)} is in {scan.bin_id}.", effects=effects)


def _total(waiting: Sequence[Waiting], lot: str) -> int:
    return sum(there.quantity for there in waiting if there.lot == lot)


def _sources(waiting: Sequence[Waiting], held: InHand) -> list[tuple[str, int, tuple[str, ...]]]:
    """(place, units, serials): the dock first; a serial leaves where the book has it, or else the first place."""
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
            sources.append((there.place, taken, own))
        left -= taken
    return sources
