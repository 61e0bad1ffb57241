"""Stage: a labelled parcel that a customer fetches is put where it waits; the hub may tell the customer then."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.floor_words import TemperatureClass
from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.pickup.effects import StagePickup
from bodega_agent.rules.floor.pickup.facts import Pickup, PickupFacts
from bodega_agent.rules.floor.pickup.places import fitting, is_taken
from bodega_agent.rules.floor.scans import BinScan, SsccScan
from bodega_agent.rules.floor.session import FloorStep, Session

STAGEABLE = frozenset({FulfillmentState.LABELLED, FulfillmentState.STAGED})
_NOT_NOW = {
    FulfillmentState.PACKED: "its label was not scanned back yet",
    FulfillmentState.COLLECTED: "the customer has it already",
    FulfillmentState.EXPIRED: "its time is over: put its goods back, CMD-PUTAWAY",
    FulfillmentState.CANCELLED: "its order is cancelled: put its goods back, CMD-PUTAWAY",
}


def start(session: Session, facts: PickupFacts) -> Answer:
    """CMD-STAGE."""
    return say(session.at(FloorStep.STAGE_PARCEL), facts, "Staging for pickup.")


def parcel(session: Session, scan: SsccScan, facts: PickupFacts) -> Answer:
    """A parcel is in hand. One that waits already is put elsewhere; its time goes on."""
    found = next((one for one in facts.scanned if one.sscc == scan.sscc), None)
    if found is None:
        return refuse(session, facts, f"Parcel {scan.sscc} is not one of this node.")
    if not found.is_fetched:
        return refuse(session, facts, f"Parcel {scan.sscc} goes with a carrier: CMD-HANDOVER.")
    if found.state not in STAGEABLE:
        why = _NOT_NOW.get(found.state, "it is not closed")
        return refuse(session, facts, f"Parcel {scan.sscc} can not wait for a customer: {why}.")
    before = f"It waits in {found.bin_id} now." if found.bin_id else ""
    there = session.at(FloorStep.STAGE_PLACE, fulfillment_order_id=found.fulfillment_order_id)
    return say(there, replace(facts, pickup=found), before)


def into_place(session: Session, scan: BinScan, facts: PickupFacts) -> Answer:
    """The parcel is in its place."""
    pickup = pickup_of(facts)
    fit = fitting(pickup, facts.places)
    place = next((one for one in fit if one.bin_id == scan.bin_id), None)
    if fit and place is None:
        return refuse(session, facts, f"{scan.bin_id} is no {place_name(pickup)} place.")
    if place is not None and is_taken(pickup, place):
        return refuse(session, facts, f"{scan.bin_id} holds the parcel of {place.waiting[0]}. Take another.")
    said = f"Order {pickup.order_id} waits in {scan.bin_id}."
    if place is not None and place.left:
        said += f" Take the parcel of {place.left[0]} out of it and put its goods back."
    staged = StagePickup(pickup.fulfillment_order_id, scan.bin_id)
    return say(session.at(FloorStep.STAGE_PARCEL), replace(facts, pickup=None), said, effects=(staged,))


def place_name(pickup: Pickup) -> str:
    """What sort of place it wants, such as "chilled locker"."""
    cold = pickup.temperature if pickup.temperature != TemperatureClass.AMBIENT else ""
    return f"{cold} {pickup.method}".strip()


def pickup_of(facts: PickupFacts) -> Pickup:
    """The pickup that the session is about."""
    assert facts.pickup is not None, "a session that has lost its pickup never gets here"
    return facts.pickup
