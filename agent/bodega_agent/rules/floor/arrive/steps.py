"""Receive what another node has sent: the paper, then every unit or case; each scan is stock on the dock at once.

The ledger takes what comes, ordered or not, and also a transfer that this node has not heard of. What differs from the
order is said before the last CMD-DONE; what never comes is written off when the hub closes the transfer.
"""

from __future__ import annotations

from dataclasses import replace

from bodega.core.ledger import DOCK, Goods
from bodega.limits import IDENTIFIER_CHARS_MAX, QUANTITY_MAX
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.arrive.doing import Arriving
from bodega_agent.rules.floor.arrive.effects import Arrive, BeginArrival, CloseArrival, SetDamaged
from bodega_agent.rules.floor.arrive.facts import Arrival, ArriveFacts
from bodega_agent.rules.floor.effects import NoteException
from bodega_agent.rules.floor.prompt import Tone, units
from bodega_agent.rules.floor.scans import ItemScan, NamedScan, NumberScan, UnknownScan, WordScan
from bodega_agent.rules.floor.send.facts import LegState
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Lost
from bodega_agent.rules.floor.words import Word


def start(session: Session, facts: ArriveFacts) -> Answer:
    """CMD-ARRIVE."""
    return say(session.at(FloorStep.ARRIVE_CHOOSE), facts, "A transfer has arrived.")


def named(session: Session, scan: NamedScan, facts: ArriveFacts) -> Answer:
    """The label of a transfer that this node knows."""
    return _choose(session, scan.name, facts)


def unknown(session: Session, scan: UnknownScan, facts: ArriveFacts) -> Answer:
    """What stands on a paper that nobody here has heard of: it may be a transfer all the same."""
    return _choose(session, scan.text, facts)


def _choose(session: Session, name: str, facts: ArriveFacts) -> Answer:
    arrival = facts.arrival
    if arrival is None:
        if not _is_name(name):
            return refuse(session, facts, "That is no name of a transfer.")
        asked = session.at(FloorStep.ARRIVE_CHOOSE, doing=Arriving(name, unknown=True))
        return say(asked, facts, f"This node has not heard of a transfer {name}.", tone=Tone.ASK)
    if arrival.state is LegState.RECEIVED:
        return _open(session, facts, arrival, f"Transfer {name} was closed, and is open again.")
    return _open(session, facts, arrival, f"Transfer {name} from {arrival.from_node_id or 'a node'}.")


def accept(session: Session, facts: ArriveFacts) -> Answer:
    """CMD-ACCEPT: what this node has not heard of is a transfer all the same."""
    doing = session.doing
    if not isinstance(doing, Arriving):
        return refuse(session, facts, "Scan the transfer first.")
    arrival = facts.arrival or Arrival(doing.transfer_id)
    return _open(session, facts, arrival, f"Transfer {doing.transfer_id}.")


def _open(session: Session, facts: ArriveFacts, arrival: Arrival, said: str) -> Answer:
    opened = replace(arrival, state=LegState.RECEIVING)
    return say(
        session.at(FloorStep.ARRIVE_ITEM, doing=Arriving(arrival.transfer_id)),
        replace(facts, arrival=opened),
        said,
        effects=(BeginArrival(arrival.transfer_id),),
    )


def _is_name(name: str) -> bool:
    return 0 < len(name) <= IDENTIFIER_CHARS_MAX and name.isascii() and name.isprintable() and " " not in name


def settle(session: Session, facts: ArriveFacts) -> Session | Lost:
    """A transfer that another device has closed is not this session's any more."""
    doing = session.doing
    if not isinstance(doing, Arriving) or doing.unknown:
        return session
    if facts.arrival is None or facts.arrival.state is not LegState.RECEIVING:
        return Lost(f"Transfer {doing.transfer_id} is closed.")
    return session


def item(session: Session, scan: ItemScan, facts: ArriveFacts) -> Answer:
    """An item or a case came in. What is tracked needs the code that carries it: lot, expiry, serial."""
    arrival = arrival_of(facts)
    problem = _lacks(scan)
    if problem:
        return refuse(session, facts, problem)
    if scan.serial and scan.serial_place == DOCK:
        return say(session, facts, f"{scan.name} {scan.serial} is on the dock already.")
    if scan.serial and scan.serial_place:
        place = scan.serial_place
        return refuse(session, facts, f"{scan.name} {scan.serial} is in {place} by the book. Look there.")
    doing = Arriving(
        arrival.transfer_id,
        sku_id=scan.sku_id,
        name=scan.name,
        lot=scan.lot,
        quantity=scan.quantity,
        serials=scan.serials,
        serial_tracked=scan.serial_tracked,
    )
    goods = Goods(scan.sku_id, scan.quantity, scan.lot, serials=scan.serials)
    return _came(session, facts, Arrive(arrival.transfer_id, goods, scan.expiry, scan.entered), doing)


def _lacks(scan: ItemScan) -> str:
    if scan.lot_tracked and not scan.lot:
        return f"{scan.name} needs its lot: scan the code that carries the lot (AI 10)."
    if scan.lacks_expiry:
        return f"Lot {scan.lot} is new: scan the code that carries its expiry (AI 17)."
    return needs_serial(scan) if scan.lacks_serial else ""


def number(session: Session, scan: NumberScan, facts: ArriveFacts) -> Answer:
    """So many came in all of what was scanned last: the rest of them is booked."""
    doing = _last(session)
    if not doing.sku_id:
        return refuse(session, facts, "Of what? Scan the thing first.")
    if doing.serial_tracked:
        return refuse(session, facts, f"{doing.name} is received by its serials: scan each unit's own code.")
    more = scan.value - doing.quantity
    if not 0 < more <= QUANTITY_MAX:
        return refuse(session, facts, f"{doing.quantity} are booked already.")
    goods = Goods(doing.sku_id, more, doing.lot)
    return _came(session, facts, Arrive(doing.transfer_id, goods), replace(doing, quantity=scan.value))


def _came(session: Session, facts: ArriveFacts, arrive: Arrive, doing: Arriving) -> Answer:
    goods = arrive.goods
    after = arrival_of(facts).plus(goods.sku_id, doing.name, received=goods.quantity)
    return say(
        session.at(FloorStep.ARRIVE_ITEM, doing=doing),
        replace(facts, arrival=after),
        f"Received {units(doing.quantity, doing.name)}.",
        effects=(arrive,),
    )


def word(session: Session, scan: WordScan, facts: ArriveFacts) -> Answer:
    """Damaged: what was scanned last is set aside by the book, and stays at the dock."""
    doing = _last(session)
    if scan.word is not Word.DAMAGED:
        return refuse(session, facts, f"'{scan.word}' is no answer here.")
    if not doing.sku_id:
        return refuse(session, facts, "What is damaged? Scan it first.")
    goods = Goods(doing.sku_id, doing.quantity, doing.lot, serials=doing.serials)
    after = arrival_of(facts).plus(doing.sku_id, doing.name, damaged=doing.quantity)
    return say(
        session.at(FloorStep.ARRIVE_ITEM, doing=Arriving(doing.transfer_id)),
        replace(facts, arrival=after),
        f"{units(doing.quantity, doing.name)} is damaged: set it aside.",
        effects=(SetDamaged(doing.transfer_id, goods),),
    )


def done(session: Session, facts: ArriveFacts) -> Answer:
    """CMD-DONE: closed if all that was ordered is here, else what differs is said first."""
    if arrival_of(facts).differing:
        return say(session.at(FloorStep.ARRIVE_CLOSE, doing=Arriving(_last(session).transfer_id)), facts)
    return _close(session, facts)


def answer(session: Session, scan: WordScan, facts: ArriveFacts) -> Answer:
    """Yes closes it as it is, no goes on."""
    if scan.word is Word.YES:
        return _close(session, facts)
    if scan.word is not Word.NO:
        return refuse(session, facts, f"'{scan.word}' is no answer here.")
    return say(replace(session, step=FloorStep.ARRIVE_ITEM), facts, "Going on.")


def close(session: Session, facts: ArriveFacts) -> Answer:
    """CMD-DONE once more, or CMD-ACCEPT: it is so."""
    return _close(session, facts)


def _close(session: Session, facts: ArriveFacts) -> Answer:
    arrival = arrival_of(facts)
    noted = tuple(
        NoteException(
            "over_transfer" if line.difference > 0 else "under_transfer",
            reference=arrival.transfer_id,
            sku_id=line.sku_id,
            quantity=abs(line.difference),
        )
        for line in arrival.differing
    )
    came = sum(line.received for line in arrival.lines)
    rest = tuple(one for one in facts.expected if one != arrival.transfer_id)
    return say(
        session.idle(),
        replace(facts, arrival=None, expected=rest),
        f"Transfer {arrival.transfer_id} is received: {came} units on the dock. Put them away: CMD-PUTAWAY.",
        effects=(*noted, CloseArrival(arrival.transfer_id)),
    )


def _last(session: Session) -> Arriving:
    assert isinstance(session.doing, Arriving), "arriving remembers its transfer"
    return session.doing


def arrival_of(facts: ArriveFacts) -> Arrival:
    """The transfer that the session is about."""
    assert facts.arrival is not None, "a session without its transfer is lost"
    return facts.arrival
