"""Pallets and totes: announced ones come in with one scan, own ones get a number (SSCC) and a label."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.ledger import Goods, unit_place
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.pack.effects import Reprint
from bodega_agent.rules.floor.receive.against import Came, with_more
from bodega_agent.rules.floor.receive.doing import Receiving
from bodega_agent.rules.floor.receive.effects import ProveUnit, Receive, StartUnit, TakeUnit
from bodega_agent.rules.floor.receive.facts import ReceiveFacts, Unit
from bodega_agent.rules.floor.receive.steps import join
from bodega_agent.rules.floor.receive.taking import doing_of, with_receipt
from bodega_agent.rules.floor.scans import SsccScan
from bodega_agent.rules.floor.session import FloorStep, Session


def pallet(session: Session, scan: SsccScan, facts: ReceiveFacts) -> Answer:
    """An own pallet is filled further; an announced one comes in as it was announced; an unknown one is opened."""
    unit = facts.unit
    if unit is None or unit.sscc != scan.sscc:
        return refuse(session, facts, f"No notice names pallet {scan.sscc}. Scan what is on it.")
    if unit.own:
        return _fill(session, facts, unit)
    if unit.here:
        return refuse(session, facts, f"Pallet {unit.sscc} has come in already.")
    if lacking := next((line for line in unit.lines if line.lacks), None):
        text = f"The notice does not say the {lacking.lacks} of {lacking.name}. Scan what is on the pallet."
        return refuse(session, facts, text)
    return _take(session, facts, unit)


def _fill(session: Session, facts: ReceiveFacts, unit: Unit) -> Answer:
    """What is scanned from here on goes onto it. Its label was read: it is there."""
    doing = replace(doing_of(session), unit=unit.sscc, fresh=None, apart="")
    proof: tuple[Effect, ...] = () if unit.proven else (ProveUnit(unit.sscc),)
    after = session.at(FloorStep.RECEIVE_ITEM, doing=doing)
    return say(after, facts, f"Onto pallet {unit.sscc}.", effects=proof)


def _take(session: Session, facts: ReceiveFacts, unit: Unit) -> Answer:
    """All that the notice says of it, on a place of its own until it is put away."""
    doing, named = doing_of(session), facts.named
    joined: tuple[Effect, ...] = ()
    if named is not None and (not named.receipt_id or named.receipt_id != doing.receipt_id):
        doing, facts, joined = join(doing, facts, named)
    delivery = facts.delivery
    assert delivery is not None, "an announced pallet belongs to a notice"
    place, lines = unit_place(unit.sscc), delivery.lines
    effects: list[Effect] = [*joined, TakeUnit(delivery.receipt_id, unit.sscc)]
    for line in unit.lines:
        goods = Goods(line.sku_id, line.quantity, line.lot)
        effects.append(Receive(goods, line.expiry, None, delivery.receipt_id, place))
        lines = with_more(lines, line.sku_id, line.lot, Came(line.quantity), line.name)
    total = sum(line.quantity for line in unit.lines)
    facts = replace(facts, delivery=replace(delivery, lines=lines))
    after = session.at(FloorStep.RECEIVE_ITEM, doing=replace(doing, fresh=None, apart=""))
    said = f"Pallet {unit.sscc}: {total} units received."
    return say(after, facts, said, effects=tuple(effects))


def begin(session: Session, facts: ReceiveFacts) -> Answer:
    """CMD-PACK: a new pallet or tote gets the node's next SSCC and a label; what is scanned now goes onto it."""
    if not facts.next_sscc:
        return refuse(session, facts, "This node has no SSCCs left: tell the shift lead.")
    doing, facts, delivery, opened = with_receipt(doing_of(session), facts)
    doing = replace(doing, unit=facts.next_sscc, fresh=None, apart="")
    effects = (*opened, StartUnit(delivery.receipt_id, facts.next_sscc))
    said = f"Pallet {facts.next_sscc} begins: its label comes. Put it on and scan it."
    return say(session.at(FloorStep.RECEIVE_ITEM, doing=doing), facts, said, effects=effects)


def full(session: Session, facts: ReceiveFacts) -> Answer:
    """CMD-FULL: nothing more goes onto the pallet."""
    doing = doing_of(session)
    if not doing.unit:
        return refuse(session, facts, "No pallet is being filled. CMD-PACK begins one.")
    after = session.at(FloorStep.RECEIVE_ITEM, doing=Receiving(doing.receipt_id))
    return say(after, facts, f"Pallet {doing.unit} is full.")


def reprint(session: Session, facts: ReceiveFacts) -> Answer:
    """CMD-REPRINT: another label of the pallet that is being filled, counted."""
    doing = doing_of(session)
    if not doing.unit:
        return refuse(session, facts, "No pallet is being filled: there is no label to print.")
    again = Reprint("", doing.unit, "asked for on the floor")
    return say(
        session, facts, f"Another label of pallet {doing.unit} comes. Throw the first away.", effects=(again,)
    )
