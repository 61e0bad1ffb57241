"""Pack: close the parcel, print its label once, and believe in the label only when it was scanned back.

At a node without cartons CMD-PACK closes at once; at one with cartons it begins the way through contents, box and
weight (`boxing.py`).
"""

from __future__ import annotations

from dataclasses import replace

from bodega.core.lifecycles import PRINT_JOB, FulfillmentState, PrintEvent, PrintState
from bodega_agent.rules import cartons
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.effects import Effect, KeepDecision, NoteException
from bodega_agent.rules.floor.pack import carrier
from bodega_agent.rules.floor.pack.doing import Voiding
from bodega_agent.rules.floor.pack.effects import (
    BeginPacking,
    Closed,
    Pack,
    PrintSlip,
    Reprint,
    VerifyLabel,
    Weigh,
)
from bodega_agent.rules.floor.pack.facts import PackFacts, Packing, packing_of
from bodega_agent.rules.floor.pick.facts import PickFacts, Work
from bodega_agent.rules.floor.pick.work import finish_picking, holds
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import NamedScan, SsccScan, sscc_of
from bodega_agent.rules.floor.session import FloorStep, Session

NO_NUMBERS = "The node has no parcel numbers left. Ask the head office for a range."


def work_in(facts: PickFacts) -> Work:
    """The order that the session packs."""
    assert facts.work is not None, "a session that has lost its work never gets here"
    return facts.work


def start(session: Session, facts: PickFacts) -> Answer:
    """CMD-PACK: all is picked. Nothing is in the way: the parcel is closed; else packing begins."""
    work = work_in(facts)
    if holds(work, facts):
        return refuse(session, facts, "The camera has not passed everything yet.")
    begun = replace(packing_of(facts), begun=True)
    if begun.step is FloorStep.PACK:
        return close(session, facts)
    work, finishing = finish_picking(work, facts)
    return go_on(session, replace(facts, work=work), begun, effects=(*finishing, _begin(work)))


def _begin(work: Work) -> Effect:
    return BeginPacking(work.fulfillment_order_id)


def go_on(
    session: Session,
    facts: PickFacts,
    packing: Packing,
    said: str = "",
    *,
    effects: tuple[Effect, ...] = (),
) -> Answer:
    """To the step where packing stands; whatever came before the box was closed is with it now."""
    if isinstance(facts, PackFacts):
        facts = replace(facts, packing=packing)
    if packing.step is FloorStep.PACK:
        return close(session, facts, said=said, effects=effects)
    order = work_in(facts).fulfillment_order_id
    arrives = packing.step is FloorStep.PACK_WEIGH and session.step is not FloorStep.PACK_WEIGH
    if arrives and packing.has_scale:
        effects = (*effects, Weigh(order))
    return say(session.at(packing.step, fulfillment_order_id=order), facts, said, effects=effects)


def close(
    session: Session,
    facts: PickFacts,
    weight_g: int = 0,
    *,
    said: str = "",
    effects: tuple[Effect, ...] = (),
) -> Answer:
    """The parcel is closed under the node's next SSCC, goes with the carrier that suits, and its label is queued."""
    if not facts.next_sscc:
        return refuse(session, facts, NO_NUMBERS)
    work, finishing = finish_picking(work_in(facts), facts)
    order, sscc = work.fulfillment_order_id, facts.next_sscc
    parcel, carrier_said, told = _closed(order, facts, weight_g)
    packed = replace(work, state=FulfillmentState.PACKED, sscc=sscc, print_state=PrintState.QUEUED)
    facts = replace(facts, work=packed)
    slips = (PrintSlip(order, sscc),) if isinstance(facts, PackFacts) and facts.slips else ()
    effects = (*effects, *finishing, Pack(order, sscc, parcel), *slips, *told)
    said = f"{said} The parcel is closed.{carrier_said}".strip()
    tone = Tone.ASK if any(isinstance(one, NoteException) for one in told) else None
    return say(
        session.at(FloorStep.LABEL, fulfillment_order_id=order), facts, said, effects=effects, tone=tone
    )


def _closed(order: str, facts: PickFacts, weight_g: int) -> tuple[Closed, str, tuple[Effect, ...]]:
    """The parcel, which carrier takes it, and what is to be kept of that. Unweighed, its contents tell a weight."""
    packing = packing_of(facts)
    expected_g = cartons.expected_g(packing.pieces, packing.carton)
    parcel = Closed(packing.carton_id or "", weight_g, expected_g)
    shipping = facts.shipping if isinstance(facts, PackFacts) else None
    if shipping is None:
        return parcel, "", ()
    box = packing.carton
    room_ml = box.room_ml if box else sum(piece.room_ml for piece in packing.pieces)
    sides_mm = box.sides_mm if box else ()
    weighs_g = weight_g or cartons.contents_g(packing.pieces)
    sent = replace(shipping.sent, weight_g=weighs_g, volume_ml=room_ml, sides_mm=sides_mm)
    quote, made = carrier.choose(shipping, sent, order)
    kept = (KeepDecision.of(made),) if made else ()
    if quote is None:
        said = " No carrier of the rate card takes it: tell the shift lead."
        return parcel, said, (*kept, NoteException("no_carrier", reference=order))
    parcel = replace(
        parcel,
        carrier=quote.carrier,
        service=quote.service,
        price_minor=quote.price_minor,
        currency=quote.currency,
        ship_date=quote.ship_date.isoformat(),
    )
    return parcel, f" It goes with {quote.carrier} {quote.service}.", kept


def scan_back(session: Session, scan: SsccScan | NamedScan, facts: PickFacts) -> Answer:
    """The label is on the parcel: the order is labelled, and the device free for the next one."""
    work = work_in(facts)
    if sscc_of(scan) != work.sscc:
        return refuse(session, facts, f"This is the label of another parcel ({sscc_of(scan)}).")
    if not _prints(work, PrintEvent.SCAN_BACK):
        # What was scanned is an older copy: believing it would leave two labels about once this one comes out.
        return refuse(session, facts, "The newest label is not printed yet. Wait for it.")
    effect = VerifyLabel(work.fulfillment_order_id, work.sscc)
    said = f"Parcel of order {work.fulfillment_order_id} is labelled."
    return say(session.idle(), replace(facts, work=None), said, effects=(effect,))


def reprint(session: Session, facts: PickFacts) -> Answer:
    """CMD-REPRINT: an explicit, counted second label; never while the first may still be coming out."""
    work = work_in(facts)
    if not _prints(work, PrintEvent.REPRINT):
        return refuse(session, facts, "The label is still on its way to the printer.")
    reason = f"asked for at {session.device}, print was {work.print_state}"
    effect = Reprint(work.fulfillment_order_id, work.sscc, reason)
    facts = replace(facts, work=replace(work, print_state=PrintState.QUEUED))
    assert session.step is FloorStep.LABEL, "only a closed parcel has a label"
    return say(session, facts, "A new label is coming. Throw any other one away.", effects=(effect,))


def void(session: Session, facts: PickFacts) -> Answer:
    """CMD-VOID: the box is to be opened again; somebody says why first."""
    work = work_in(facts)
    return say(
        session.at(
            FloorStep.VOID_REASON,
            fulfillment_order_id=work.fulfillment_order_id,
            doing=Voiding(work.sscc),
        ),
        facts,
    )


def _prints(work: Work, event: PrintEvent) -> bool:
    return work.print_state is not None and PRINT_JOB.allows(work.print_state, event)
