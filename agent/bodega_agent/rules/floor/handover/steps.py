"""Hand over: only parcels whose label was scanned back go to the carrier, each with one scan."""

from __future__ import annotations

from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.handover.effects import HandOver
from bodega_agent.rules.floor.handover.facts import HandoverFacts
from bodega_agent.rules.floor.scans import SsccScan
from bodega_agent.rules.floor.session import FloorStep, Session

_NOT_YET = {
    FulfillmentState.PACKED: "its label was not scanned back yet. Keep it here",
    FulfillmentState.SHIPPED: "it was handed over already",
    FulfillmentState.CANCELLED: "its order is cancelled. Keep it here and put the goods back",
}


def start(session: Session, facts: HandoverFacts) -> Answer:
    """CMD-HANDOVER."""
    return say(session.at(FloorStep.HANDOVER), facts, "Handing over.")


def parcel(session: Session, scan: SsccScan, facts: HandoverFacts) -> Answer:
    """One parcel goes to the carrier."""
    known = facts.parcel
    if known is None or known.sscc != scan.sscc:
        return refuse(session, facts, f"Parcel {scan.sscc} is not one of this node.")
    if known.state is not FulfillmentState.LABELLED:
        why = _NOT_YET.get(known.state, "it is not closed")
        return refuse(session, facts, f"Parcel {scan.sscc} may not go: {why}.")
    effect = HandOver(known.fulfillment_order_id, scan.sscc)
    said = f"Parcel {scan.sscc} is handed over."
    return say(session, facts, said, effects=(effect,))
