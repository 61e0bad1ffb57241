"""Into the box: every item is seen, a box that holds them is given, and the closed box weighs what it should."""

from __future__ import annotations

from dataclasses import replace

from bodega.limits_floor import PARCEL_WEIGHT_TOLERANCE_GRAMS, PARCEL_WEIGHT_TOLERANCE_PERCENT
from bodega_agent.rules import cartons
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.pack.doing import Counted, Doubted
from bodega_agent.rules.floor.pack.effects import (
    ChooseCarton,
    DoubtWeight,
    HandBackPacking,
    SeeInBox,
    TakeOffStage,
    Weigh,
)
from bodega_agent.rules.floor.pack.facts import Content, PackFacts, Packing
from bodega_agent.rules.floor.pack.steps import NO_NUMBERS, close, go_on, work_in
from bodega_agent.rules.floor.prompt import Tone, units
from bodega_agent.rules.floor.scans import ItemScan, NamedScan, NumberScan, WeightArrived, WordScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.words import Word

# Why units do not go with the parcel, and how the book takes them off the stage.
TAKEN_OFF: dict[Word, str] = {
    Word.MISSING: "count_down",
    Word.WRONG_ITEM: "count_down",
    Word.DAMAGED: "adjust_down",
    Word.EXPIRED: "adjust_down",
}


def item(session: Session, scan: ItemScan, facts: PackFacts) -> Answer:
    """One or more units are seen going into the box; what does not belong there is said."""
    content = next((one for one in facts.packing.contents if one.sku_id == scan.sku_id), None)
    problem = _wrong(scan, content)
    if problem or content is None:
        return refuse(session, facts, problem)
    seen = SeeInBox(work_in(facts).fulfillment_order_id, scan.sku_id, scan.quantity, scan.serial)
    after = replace(content, seen=content.seen + scan.quantity, scanned=(*content.scanned, *scan.serials))
    answer = _seen(session, facts, after, seen, f"{units(scan.quantity, scan.name)} in the box.")
    if answer.session.step is FloorStep.PACK_ITEM and not scan.serial_tracked:
        counted = replace(answer.session, doing=Counted(scan.sku_id, scan.quantity))
        return replace(answer, session=counted)
    return answer


def _wrong(scan: ItemScan, content: Content | None) -> str:
    if content is None:
        return f"{scan.name} does not belong to this order: lay it aside."
    if scan.lot and scan.lot not in content.lots:
        return f"Lot {scan.lot} is not lot {' or '.join(content.lots)}."
    if scan.lacks_serial:
        return needs_serial(scan)
    if scan.serial and scan.serial not in content.serials:
        return f"{scan.serial} was not picked for this order: lay it aside."
    if scan.serial in content.scanned:
        return f"{scan.serial} is in the box already."
    if scan.quantity > content.missing:
        return f"{scan.quantity} are too many: {content.missing} {'is' if content.missing == 1 else 'are'} missing."
    return ""


def number(session: Session, scan: NumberScan, facts: PackFacts) -> Answer:
    """A number after an item: so many of it in all were put in with that scan."""
    counted = session.doing
    if not isinstance(counted, Counted):
        return refuse(session, facts, "Scan an item first, then the number.")
    content = next((one for one in facts.packing.contents if one.sku_id == counted.sku_id), None)
    more = scan.value - counted.quantity
    if content is None or not 0 <= more <= content.missing:
        missing = content.missing if content else 0
        return refuse(session, facts, f"{scan.value} can not be: {missing} more are missing.")
    if more == 0:
        return say(session, facts)
    seen = SeeInBox(work_in(facts).fulfillment_order_id, counted.sku_id, more)
    after = replace(content, seen=content.seen + more)
    return _seen(session, facts, after, seen, f"{units(scan.value, content.piece.name)} in the box.")


def _seen(session: Session, facts: PackFacts, after: Content, seen: SeeInBox, said: str) -> Answer:
    packing = facts.packing.with_content(after)
    if packing.step is FloorStep.PACK and not facts.next_sscc:
        return refuse(session, facts, NO_NUMBERS)
    return go_on(session, facts, packing, said, effects=(seen,))


def short(session: Session, facts: PackFacts) -> Answer:
    """CMD-SHORT: what is not in the box does not come; somebody says why."""
    order = work_in(facts).fulfillment_order_id
    return say(session.at(FloorStep.PACK_SHORT, fulfillment_order_id=order), facts)


def look_again(session: Session, facts: PackFacts) -> Answer:
    """CMD-PACK: it may be there after all."""
    order = work_in(facts).fulfillment_order_id
    return say(session.at(FloorStep.PACK_ITEM, fulfillment_order_id=order), facts)


def short_because(session: Session, scan: WordScan, facts: PackFacts) -> Answer:
    """Everything that nobody has seen leaves the order. Nothing is left, or it goes whole or not: back to the hub."""
    command = TAKEN_OFF.get(scan.word)
    if command is None:
        return refuse(session, facts, f"'{scan.word}' is no reason here.")
    work, packing = work_in(facts), facts.packing
    effects: list[Effect] = []
    for content in packing.missing:
        effects += _taken_off(work.fulfillment_order_id, content, command, scan.word)
        kept = replace(content.piece, quantity=content.seen)
        packing = packing.with_content(replace(content, piece=kept))
    if facts.ship_complete or not packing.contents:
        effects.append(HandBackPacking(work.fulfillment_order_id, scan.word))
        said = f"Order {work.fulfillment_order_id} goes back to the head office."
        said += " Put the rest of it back: CMD-PUTAWAY." if packing.contents else ""
        return say(session.idle(), replace(facts, work=None), said, effects=tuple(effects))
    if packing.step is FloorStep.PACK and not facts.next_sscc:
        return refuse(session, facts, NO_NUMBERS)
    return go_on(session, facts, packing, "The rest goes without it.", effects=tuple(effects))


def _taken_off(order: str, content: Content, command: str, reason: Word) -> list[Effect]:
    kind = "wrong_item_packed" if reason is Word.WRONG_ITEM else "short_pack"
    noted = NoteException(kind, reason.value, order, sku_id=content.sku_id, quantity=content.missing)
    taken = TakeOffStage(order, content.sku_id, content.missing, command, reason.value, content.scanned)
    return [taken, noted]


def carton(session: Session, scan: NamedScan, facts: PackFacts) -> Answer:
    """A box is given; one that does not hold it by the book is asked about."""
    packing = facts.packing
    given = next((one for one in packing.cartons if one.carton_id == scan.name), None)
    if given is None:
        return refuse(session, facts, f"{scan.name} is no box of this node.")
    doubt = cartons.why_not(given, packing.pieces)
    if doubt and session.doing != Doubted(given.carton_id):
        asked = replace(session, doing=Doubted(given.carton_id))
        return say(asked, facts, f"{given.carton_id} does not hold it: {doubt}.", tone=Tone.ASK)
    return _into(session, facts, given.carton_id)


def other_carton(session: Session, facts: PackFacts) -> Answer:
    """CMD-OVERRIDE: the box that was doubted, or else a box of no list."""
    doubted = session.doing
    carton_id = doubted.carton_id if isinstance(doubted, Doubted) else ""
    reason = "does not hold it by the book" if carton_id else "a box of no list"
    order = work_in(facts).fulfillment_order_id
    return _into(session, facts, carton_id, NoteException("carton_overridden", reason, order))


def _into(session: Session, facts: PackFacts, carton_id: str, *noted: Effect) -> Answer:
    order = work_in(facts).fulfillment_order_id
    packing = replace(facts.packing, carton_id=carton_id, weight_g=0)
    effects = (ChooseCarton(order, carton_id), *noted)
    # In another box it weighs something else: the scale is asked again.
    before = session.at(FloorStep.PACK_CARTON, fulfillment_order_id=order)
    return go_on(before, facts, packing, f"{carton_id or 'A box of no list'}.", effects=effects)


def ask_scale(session: Session, facts: PackFacts) -> Answer:
    """CMD-PACK: weigh again, with the scale or by hand; a weight that was doubted is forgotten."""
    packing, order = facts.packing, work_in(facts).fulfillment_order_id
    forgotten = (DoubtWeight(order, 0),) if packing.weight_g else ()
    asked = (Weigh(order),) if packing.has_scale else ()
    facts = replace(facts, packing=replace(packing, weight_g=0))
    return say(session, facts, effects=(*forgotten, *asked))


def number_weighed(session: Session, scan: NumberScan, facts: PackFacts) -> Answer:
    """A person has typed the weight in grams."""
    if scan.value == 0:
        return refuse(session, facts, "A parcel does not weigh nothing.")
    return _weighed(session, facts, scan.value)


def scale_weighed(session: Session, scan: WeightArrived, facts: PackFacts) -> Answer:
    """The scale has answered, for this order or for one that is gone from this device."""
    if scan.fulfillment_order_id != work_in(facts).fulfillment_order_id:
        return say(session, facts)
    if not scan.weight_g:
        return say(session, facts, f"The scale: {scan.problem}.", tone=Tone.ASK)
    return _weighed(session, facts, scan.weight_g)


def _weighed(session: Session, facts: PackFacts, weight_g: int) -> Answer:
    if not doubt_of(facts.packing, weight_g):
        return _closed(session, facts, weight_g)
    packing = replace(facts.packing, weight_g=weight_g)
    effect = DoubtWeight(work_in(facts).fulfillment_order_id, weight_g)
    return say(session, replace(facts, packing=packing), effects=(effect,), tone=Tone.ASK)


def doubt_of(packing: Packing, weight_g: int) -> str:
    """What is odd about a weight; empty if nothing is."""
    box = packing.carton
    if box and box.max_weight_g and weight_g > box.max_weight_g:
        return f"{weight_g} g are more than the {box.max_weight_g} g that {box.carton_id} bears"
    expected_g = cartons.expected_g(packing.pieces, box)
    tolerance_g = max(PARCEL_WEIGHT_TOLERANCE_GRAMS, expected_g * PARCEL_WEIGHT_TOLERANCE_PERCENT // 100)
    if expected_g and abs(weight_g - expected_g) > tolerance_g:
        return f"It weighs {weight_g} g and should weigh about {expected_g} g"
    return ""


def accept_weight(session: Session, facts: PackFacts) -> Answer:
    """CMD-ACCEPT: a person has looked into the box, and its weight is right."""
    packing, order = facts.packing, work_in(facts).fulfillment_order_id
    if not packing.weight_g:
        return refuse(session, facts, "There is no weight to accept.")
    noted = NoteException("weight_accepted", doubt_of(packing, packing.weight_g), order)
    return _closed(session, facts, packing.weight_g, noted)


def _closed(session: Session, facts: PackFacts, weight_g: int, *noted: Effect) -> Answer:
    return close(session, facts, weight_g, said=f"{weight_g} g.", effects=noted)
