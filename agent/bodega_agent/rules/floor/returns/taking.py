"""Find the return, and take units back: every scan of an item is stock again, at once, in the state "returned"."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.ledger import Goods
from bodega.limits import QUANTITY_MAX
from bodega.limits_floor import RETURN_LINES_MAX
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.prompt import Tone, units
from bodega_agent.rules.floor.returns.bench import current_of, in_hand, stand, with_line
from bodega_agent.rules.floor.returns.closing import exceptions, refunds
from bodega_agent.rules.floor.returns.effects import (
    CloseReturn,
    LookAtReturn,
    OpenReturn,
    TakeBack,
    VoidLine,
)
from bodega_agent.rules.floor.returns.facts import CLOSED, OPEN, Return, ReturnFacts, ReturnLine
from bodega_agent.rules.floor.scans import CheckOutcome, ItemScan, NamedScan, NumberScan, SsccScan
from bodega_agent.rules.floor.session import FloorStep, Session


def start(session: Session, facts: ReturnFacts) -> Answer:
    """CMD-RETURN."""
    return say(session.at(FloorStep.RETURN_FIND), facts, "Taking back.")


def find(session: Session, _scan: NamedScan | SsccScan, facts: ReturnFacts) -> Answer:
    """By the return's own label, the order or the parcel; one that was begun goes on."""
    found = facts.found
    if found is None:
        return refuse(
            session, facts, "This node knows nothing of that. Scan the goods to take them back blind."
        )
    if found.state == CLOSED:
        return refuse(session, facts, f"Return {found.return_id} is closed already.")
    if not found.has_left:
        return refuse(session, facts, f"Order {found.order_id} has not left the house.")
    return _begin(session, found, facts, ())


def blind(session: Session, scan: ItemScan, facts: ReturnFacts) -> Answer:
    """The goods themselves: nobody knows yet what they were sold with."""
    problem = _not_to_be_taken(scan)
    if problem:
        return refuse(session, facts, problem)
    opened = Return(facts.next_return_id, state=OPEN)
    taken, effects, _ = _taken(opened, scan, facts)
    effects = (OpenReturn(opened.return_id), *effects)
    said = f"Return {opened.return_id}, of no known order."
    return say(stand(session, taken), replace(facts, current=taken), said, effects=effects)


def _begin(session: Session, found: Return, facts: ReturnFacts, effects: tuple[Effect, ...]) -> Answer:
    said = f"Return {found.return_id} of order {found.order_id}."
    if found.state != OPEN:
        effects = (*effects, OpenReturn(found.return_id, found.order_id, found.fulfillment_order_id))
        found = replace(found, state=OPEN)
    else:
        said += " It was begun before."
    return say(stand(session, found), replace(facts, current=found), said, effects=effects)


def item(session: Session, scan: ItemScan, facts: ReturnFacts) -> Answer:
    """A unit has come back. What was not sold with this order is taken all the same: it is here."""
    current = current_of(facts)
    problem = _not_to_be_taken(scan)
    if not problem and len(current.lines) >= RETURN_LINES_MAX:
        problem = "This return has as many lines as one can have: CMD-DONE, and begin another."
    if problem:
        return refuse(session, facts, problem)
    taken, effects, said = _taken(current, scan, facts)
    return say(stand(session, taken), replace(facts, current=taken), said, effects=effects)


def _not_to_be_taken(scan: ItemScan) -> str:
    if scan.lot_tracked and not scan.lot:
        return f"{scan.name} needs its lot: scan the code that carries the lot (AI 10)."
    if scan.lacks_serial:
        return needs_serial(scan)
    if scan.serial_place:
        return f"{scan.name} {scan.serial} is in {scan.serial_place} by the book: it can not come back."
    return ""


def _taken(current: Return, scan: ItemScan, facts: ReturnFacts) -> tuple[Return, tuple[Effect, ...], str]:
    number = max((line.line for line in current.lines), default=0) + 1
    asks = facts.vision is not VisionMode.OFF
    line = ReturnLine(
        number,
        scan.sku_id,
        scan.name,
        scan.quantity,
        scan.lot,
        scan.serials,
        camera=CheckOutcome.WAITING if asks else "",
        unfit=_unfit(scan),
    )
    goods = Goods(scan.sku_id, scan.quantity, scan.lot, serials=scan.serials)
    effects: tuple[Effect, ...] = (TakeBack(current.return_id, number, goods, scan.expiry, scan.entered),)
    if asks:
        effects += (LookAtReturn(current.return_id, number, scan.sku_id, current.fulfillment_order_id),)
    taken = current.with_line(line)
    return taken, effects, _against_the_order(taken, scan)


def _unfit(scan: ItemScan) -> str:
    if scan.expired:
        return "it has expired"
    return "its expiry is not known" if scan.lacks_expiry else ""


def _against_the_order(taken: Return, scan: ItemScan) -> str:
    """What to say of goods that the order does not explain; nothing of those that it does."""
    if not taken.is_owed_known:
        return ""
    owed = sum(due.quantity for due in taken.owed if due.sku_id == scan.sku_id)
    if owed == 0:
        return f"{scan.name} was not sent with this order."
    over = taken.back(scan.sku_id) - owed
    return f"That is {units(over, scan.name)} more than was sent." if over > 0 else ""


def several(session: Session, scan: NumberScan, facts: ReturnFacts) -> Answer:
    """A number: so many alike came back, not one. The others are taken back too."""
    line = in_hand(facts)
    if line.serials:
        return refuse(session, facts, f"{line.name} has serials: scan each unit.")
    more = scan.value - line.quantity
    if more <= 0 or scan.value > QUANTITY_MAX:
        return refuse(
            session, facts, f"{units(line.quantity, line.name)} are taken back. CMD-VOID takes that back."
        )
    effect = TakeBack(current_of(facts).return_id, line.line, Goods(line.sku_id, more, line.lot))
    facts = with_line(facts, replace(line, quantity=scan.value))
    return say(session, facts, f"{units(scan.value, line.name)} came back.", effects=(effect,))


def void(session: Session, facts: ReturnFacts) -> Answer:
    """CMD-VOID: what is in hand was scanned by mistake, and never came back."""
    line, current = in_hand(facts), current_of(facts)
    without = replace(current, lines=tuple(one for one in current.lines if one.line != line.line))
    said = f"{units(line.quantity, line.name)} did not come back."
    effect = VoidLine(current.return_id, line.line)
    return say(stand(session, without), replace(facts, current=without), said, effects=(effect,))


def done(session: Session, facts: ReturnFacts) -> Answer:
    """CMD-DONE: all of it is on the bench. The return is closed, and the hub told what is owed."""
    current = current_of(facts)
    if not current.lines:
        return refuse(session, facts, "Nothing came back yet. CMD-CANCEL leaves it for later.")
    owed = refunds(current)
    effects = (CloseReturn(current.return_id, owed), *exceptions(current))
    total = sum(quantity for _, quantity in owed)
    said = f"Return {current.return_id} is closed: money back for {total} of {_units_in(current)} units."
    tone = None if total == _units_in(current) else Tone.ASK
    there = session.at(FloorStep.RETURN_FIND)
    return say(there, replace(facts, current=None), said, effects=effects, tone=tone)


def _units_in(current: Return) -> int:
    return sum(line.quantity for line in current.lines)
