"""Pack: close the parcel, print its label once, and believe in the label only when it was scanned back."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.lifecycles import PRINT_JOB, FulfillmentState, PrintEvent, PrintState
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.pack.effects import Pack, Reprint, VerifyLabel
from bodega_agent.rules.floor.pick.facts import PickFacts, Work
from bodega_agent.rules.floor.pick.work import finish_picking, holds, place
from bodega_agent.rules.floor.scans import SsccScan
from bodega_agent.rules.floor.session import FloorStep, Session


def close(session: Session, facts: PickFacts) -> Answer:
    """CMD-PACK: the parcel is closed under the node's next SSCC, and its label is queued with it."""
    assert facts.work is not None, "a session that has lost its work never gets here"
    if holds(facts.work, facts):
        return refuse(session, facts, "The camera has not passed everything yet.")
    if not facts.next_sscc:
        return refuse(session, facts, "The node has no parcel numbers left. Ask the head office for a range.")
    work, finishing = finish_picking(facts.work, facts)
    packed = replace(work, state=FulfillmentState.PACKED, sscc=facts.next_sscc, print_state=PrintState.QUEUED)
    facts = replace(facts, work=packed)
    effects = (*finishing, Pack(work.fulfillment_order_id, facts.next_sscc))
    return say(place(session, packed, facts), facts, "The parcel is closed.", effects=effects)


def scan_back(session: Session, scan: SsccScan, facts: PickFacts) -> Answer:
    """The label is on the parcel: the order is labelled, and the device free for the next one."""
    assert facts.work is not None, "a session that has lost its work never gets here"
    if scan.sscc != facts.work.sscc:
        return refuse(session, facts, f"This is the label of another parcel ({scan.sscc}).")
    if not _prints(facts.work, PrintEvent.SCAN_BACK):
        # What was scanned is an older copy: believing it would leave two labels about once this one comes out.
        return refuse(session, facts, "The newest label is not printed yet. Wait for it.")
    effect = VerifyLabel(facts.work.fulfillment_order_id, scan.sscc)
    said = f"Parcel of order {facts.work.fulfillment_order_id} is labelled."
    return say(session.idle(), replace(facts, work=None), said, effects=(effect,))


def reprint(session: Session, facts: PickFacts) -> Answer:
    """CMD-REPRINT: an explicit, counted second label; never while the first may still be coming out."""
    work = facts.work
    assert work is not None, "a session that has lost its work never gets here"
    if not _prints(work, PrintEvent.REPRINT):
        return refuse(session, facts, "The label is still on its way to the printer.")
    reason = f"asked for at {session.device}, print was {work.print_state}"
    effect = Reprint(work.fulfillment_order_id, work.sscc, reason)
    facts = replace(facts, work=replace(work, print_state=PrintState.QUEUED))
    assert session.step is FloorStep.LABEL, "only a closed parcel has a label"
    return say(session, facts, "A new label is coming. Throw any other one away.", effects=(effect,))


def _prints(work: Work, event: PrintEvent) -> bool:
    return work.print_state is not None and PRINT_JOB.allows(work.print_state, event)
