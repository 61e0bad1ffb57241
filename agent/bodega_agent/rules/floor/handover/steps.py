"""Hand over: only parcels whose label was scanned back go to the carrier, each with one scan, and onto its manifest."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.handover.doing import ClosingManifest, HandingOver
from bodega_agent.rules.floor.handover.effects import CloseManifest, HandOver
from bodega_agent.rules.floor.handover.facts import HandoverFacts, OpenManifest
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import NamedScan, NumberScan, SsccScan, sscc_of
from bodega_agent.rules.floor.session import FloorStep, Session

_NOT_YET = {
    FulfillmentState.PACKED: "its label was not scanned back yet. Keep it here",
    FulfillmentState.SHIPPED: "it was handed over already",
    FulfillmentState.CANCELLED: "its order is cancelled. Keep it here and put the goods back",
    FulfillmentState.STAGED: "the customer comes for it. Keep it here",
}


def start(session: Session, facts: HandoverFacts) -> Answer:
    """CMD-HANDOVER."""
    return say(session.at(FloorStep.HANDOVER), facts, "Handing over.")


def carrier_of(session: Session) -> str:
    """Whose driver is here; empty until a parcel of a carrier has said so."""
    return session.doing.carrier if isinstance(session.doing, HandingOver) else ""


def parcel(session: Session, scan: SsccScan | NamedScan, facts: HandoverFacts) -> Answer:
    """One parcel goes to the carrier."""
    sscc = sscc_of(scan)
    problem = _wrong(session, sscc, facts)
    if problem:
        return refuse(session, facts, problem)
    known = facts.parcel
    assert known is not None, "what is not known is wrong"
    effect = HandOver(known.fulfillment_order_id, sscc)
    if known.carrier:
        session = replace(session, doing=HandingOver(known.carrier))
        others = tuple(one for one in facts.first_waiting if one != sscc)
        facts = replace(facts, waiting=facts.waiting - 1, first_waiting=others)
    return say(session, facts, f"Parcel {sscc} is handed over.", effects=(effect,))


def _wrong(session: Session, sscc: str, facts: HandoverFacts) -> str:
    known, here = facts.parcel, carrier_of(session)
    if known is None or known.sscc != sscc:
        void = (
            "is void: take this label off and throw it away" if facts.is_void else "is not one of this node"
        )
        return f"Parcel {sscc} {void}."
    if known.state is not FulfillmentState.LABELLED:
        why = _NOT_YET.get(known.state, "it is not closed")
        return f"Parcel {sscc} may not go: {why}."
    if known.fetched:
        return f"Parcel {sscc} may not go: the customer comes for it. CMD-STAGE brings it to its place."
    if here and known.carrier != here:
        return f"Parcel {sscc} is for {known.carrier or 'no carrier yet'}, not for {here}. Leave it here."
    return ""


def manifest(session: Session, facts: Facts) -> Answer:
    """CMD-MANIFEST: the one of the carrier that is here, or the only one; else a number says which."""
    here = carrier_of(session)
    facts = facts if isinstance(facts, HandoverFacts) else HandoverFacts(role=facts.role, crew=facts.crew)
    open_ones = [one for one in facts.manifests if not here or one.carrier == here]
    if not open_ones:
        return say(session, facts, "No manifest is open: hand parcels over first.", tone=Tone.ASK)
    if len(open_ones) == 1:
        return _about(session, open_ones[0], facts)
    return say(session.at(FloorStep.MANIFEST), facts)


def which(session: Session, scan: NumberScan, facts: HandoverFacts) -> Answer:
    """The number of a manifest in the list."""
    if not 1 <= scan.value <= len(facts.manifests):
        return refuse(session, facts, f"There is no {scan.value} in the list.")
    return _about(session, facts.manifests[scan.value - 1], facts)


def _about(session: Session, chosen: OpenManifest, facts: HandoverFacts) -> Answer:
    doing = ClosingManifest(chosen.manifest_id)
    return say(session.at(FloorStep.MANIFEST_CLOSE, doing=doing), facts)


def manifest_in(session: Session, facts: HandoverFacts) -> OpenManifest | None:
    """The manifest that a driver is about to sign; None once it is closed."""
    doing = session.doing
    wanted = doing.manifest_id if isinstance(doing, ClosingManifest) else ""
    return next((one for one in facts.manifests if one.manifest_id == wanted), None)


def close(session: Session, facts: HandoverFacts) -> Answer:
    """CMD-ACCEPT: the driver has signed. What stays behind goes with the next collection, and is counted."""
    chosen = manifest_in(session, facts)
    assert chosen is not None, "a manifest that is closed is lost"
    effects: list[Effect] = [CloseManifest(chosen.manifest_id)]
    said = f"Manifest {chosen.manifest_id} is closed with {_parcels(chosen.parcels)}."
    if chosen.left:
        noted = NoteException("left_behind", chosen.carrier, chosen.manifest_id, quantity=chosen.left)
        effects.append(noted)
        said += f" {_parcels(chosen.left)} of {chosen.carrier} stay here."
    facts = replace(facts, manifests=tuple(one for one in facts.manifests if one != chosen))
    return say(session.idle(), facts, said, effects=tuple(effects))


def _parcels(number: int) -> str:
    return f"{number} parcel{'' if number == 1 else 's'}"
