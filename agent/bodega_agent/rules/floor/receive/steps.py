"""Receive: every scan is stock on the dock or on a pallet, at once; the book never refuses what has come in.

A notice says what should come. What comes beyond it or was not announced is received all the same, and noted; what
does not come is noted when the receipt is closed.
"""

from __future__ import annotations

from dataclasses import replace

from bodega.core.ledger import DOCK
from bodega.limits import QUANTITY_MAX
from bodega.limits_floor import RECEIPT_LINES_MAX
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.receive.doing import Fresh, Receiving
from bodega_agent.rules.floor.receive.effects import CloseReceipt, OpenReceipt
from bodega_agent.rules.floor.receive.facts import Delivery, ReceiveFacts
from bodega_agent.rules.floor.receive.taking import doing_of, take
from bodega_agent.rules.floor.scans import ItemScan, NamedScan, NumberScan, WordScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Lost
from bodega_agent.rules.floor.words import Word


def settle(session: Session, facts: ReceiveFacts) -> Session | Lost:
    """A receipt that was closed meanwhile takes nothing more."""
    delivery = facts.delivery
    if delivery is None or delivery.is_open or delivery.receipt_id != doing_of(session).receipt_id:
        return session
    return Lost(f"Receipt {delivery.receipt_id} was closed meanwhile. Begin again: CMD-RECEIVE.")


def start(session: Session, facts: ReceiveFacts) -> Answer:
    """CMD-RECEIVE. What this device has begun and not closed goes on."""
    left = facts.delivery
    doing = Receiving(left.receipt_id if left else "")
    said = f"Receiving goes on: {_name(left)}." if left else "Receiving."
    return say(session.at(FloorStep.RECEIVE_ITEM, doing=doing), facts, said)


def _name(delivery: Delivery) -> str:
    of = f" of notice {delivery.notice_id}" if delivery.notice_id else ""
    return f"receipt {delivery.receipt_id}{of}"


def notice(session: Session, scan: NamedScan, facts: ReceiveFacts) -> Answer:
    """A notice, or a receipt that was left open: from here on goods are counted on it."""
    named = facts.named
    if named is None:
        return refuse(session, facts, f"Notice {scan.name} is not one of this node.")
    if not named.is_open:
        return refuse(session, facts, f"Receipt {named.receipt_id} is closed already.")
    if named.withdrawn:
        text = f"Notice {named.notice_id} was withdrawn: ask the shift lead, or scan the goods to receive them blind."
        return refuse(session, facts, text)
    if named.receipt_id and named.receipt_id == doing_of(session).receipt_id:
        return say(session, facts)
    if named.all_here:
        return refuse(session, facts, f"All of notice {named.notice_id} has come in already.")
    doing, facts, effects = join(doing_of(session), facts, named)
    said = f"Receiving {_name(facts.delivery)}." if facts.delivery else ""
    return say(session.at(FloorStep.RECEIVE_ITEM, doing=doing), facts, said, effects=effects)


def join(
    doing: Receiving, facts: ReceiveFacts, named: Delivery
) -> tuple[Receiving, ReceiveFacts, tuple[Effect, ...]]:
    """Go on with the receipt of a delivery, or open one for it."""
    effects: tuple[Effect, ...] = ()
    if not named.receipt_id:
        named = replace(named, receipt_id=facts.next_receipt_id)
        effects = (OpenReceipt(named.receipt_id, named.notice_id),)
    return Receiving(named.receipt_id, doing.unit), replace(facts, delivery=named), effects


def item(session: Session, scan: ItemScan, facts: ReceiveFacts) -> Answer:
    """An item or a case came in. What is tracked needs the code that carries it, or a person who reads it."""
    doing = doing_of(session)
    if refused := _not_now(scan, facts):
        return refuse(session, facts, refused)
    fresh = Fresh(scan.sku_id, scan.name, scan.lot, scan.quantity, scan.serials, scan.entered)
    unread = replace(doing, fresh=fresh, apart="")
    if scan.lot_tracked and not scan.lot:
        said = f"{scan.name} needs its lot."
        return say(session.at(FloorStep.RECEIVE_LOT, doing=unread), facts, said, tone=Tone.ERROR)
    if scan.lacks_serial:
        return refuse(session, facts, needs_serial(scan))
    if scan.lacks_expiry:
        said = f"Lot {scan.lot} is new."
        return say(session.at(FloorStep.RECEIVE_EXPIRY, doing=unread), facts, said, tone=Tone.ERROR)
    if scan.serial and scan.serial_place:
        return _is_here(session, scan, facts)
    doing, facts, said, effects = take(
        doing, facts, fresh, scan.quantity, expiry=scan.expiry, expired=scan.expired
    )
    return say(session.at(FloorStep.RECEIVE_ITEM, doing=doing), facts, said, effects=effects)


def _not_now(scan: ItemScan, facts: ReceiveFacts) -> str:
    """Why a receipt takes no more of it, or empty."""
    if not facts.is_full or facts.delivery is None:
        return ""
    known = {(line.sku_id, line.lot) for line in facts.delivery.lines}
    if (scan.sku_id, scan.lot) in known:
        return ""
    return f"Receipt {facts.delivery.receipt_id} has {RECEIPT_LINES_MAX} lines: CMD-DONE closes it, then begin another."


def _is_here(session: Session, scan: ItemScan, facts: ReceiveFacts) -> Answer:
    """A unit can not come in twice: scanned again on the dock it is nothing new, elsewhere somebody must look."""
    if scan.serial_place == DOCK:
        return say(session, facts, f"{scan.name} {scan.serial} is on the dock already.")
    said = (
        f"{scan.name} {scan.serial} is in {scan.serial_place} by the book: nothing was received. Look there."
    )
    return refuse(session, facts, said)


def number(session: Session, scan: NumberScan, facts: ReceiveFacts) -> Answer:
    """So many of what was scanned last came in all, the scanned one with them."""
    doing = doing_of(session)
    fresh = doing.fresh
    if fresh is None or not fresh.counted:
        return refuse(session, facts, f"{scan.value} of what? Scan the item first.")
    if fresh.serials:
        return refuse(session, facts, f"{fresh.name} has serials: scan each unit.")
    more = scan.value * fresh.quantity - fresh.counted
    if more <= 0:
        return refuse(session, facts, f"{fresh.counted} x {fresh.name} are received already.")
    if fresh.counted + more > QUANTITY_MAX:
        return refuse(session, facts, f"{QUANTITY_MAX} is the most.")
    doing, facts, said, effects = take(doing, facts, fresh, more)
    return say(session.at(FloorStep.RECEIVE_ITEM, doing=doing), facts, said, effects=effects)


def skip(session: Session, facts: ReceiveFacts) -> Answer:
    """CMD-SKIP: nobody can say its lot or expiry now; it is not received."""
    doing = doing_of(session)
    name = doing.fresh.name if doing.fresh else "It"
    after = session.at(FloorStep.RECEIVE_ITEM, doing=replace(doing, fresh=None))
    return say(after, facts, f"{name} is not received: set it aside.", tone=Tone.ERROR)


def done(session: Session, facts: ReceiveFacts) -> Answer:
    """CMD-DONE: the receipt is closed, unless something has not come; then a person says so."""
    delivery = facts.delivery
    if delivery is None:
        return say(session.idle(), facts, "Left receive.")
    if delivery.notice_id and delivery.missing:
        asked = replace(doing_of(session), fresh=None, apart="")
        return say(session.at(FloorStep.RECEIVE_CLOSE, doing=asked), facts)
    return _close(session, facts, delivery)


def close(session: Session, scan: WordScan, facts: ReceiveFacts) -> Answer:
    """Whether a delivery is at its end, although some of it has not come."""
    delivery = facts.delivery
    if delivery is None or scan.word is Word.NO:
        return say(session.at(FloorStep.RECEIVE_ITEM, doing=doing_of(session)), facts)
    if scan.word is not Word.YES:
        return refuse(session, facts, f"'{scan.word}' is no answer.")
    missing = tuple(
        NoteException(
            "under_receipt",
            Word.MISSING,
            delivery.receipt_id,
            sku_id=line.sku_id,
            lot=line.lot,
            quantity=line.open,
        )
        for line in delivery.missing
    )
    return _close(session, facts, delivery, missing)


def _close(
    session: Session, facts: ReceiveFacts, delivery: Delivery, missing: tuple[NoteException, ...] = ()
) -> Answer:
    said = f"Closed {_name(delivery)}: {delivery.received} units came in."
    effects = (*missing, CloseReceipt(delivery.receipt_id))
    return say(session.idle(), replace(facts, delivery=None), said, effects=effects)
