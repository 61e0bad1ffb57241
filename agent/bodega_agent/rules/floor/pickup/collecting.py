"""Collect: find the parcel, verify the customer's code, and hand over exactly that parcel, or take a refusal."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.lifecycles import FulfillmentState
from bodega.limits_floor import PICKUP_CODE_TRIES_MAX
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.effects import NoteException
from bodega_agent.rules.floor.pickup.code import is_code
from bodega_agent.rules.floor.pickup.effects import CountWrongCode, HandToCustomer
from bodega_agent.rules.floor.pickup.ending import give_up
from bodega_agent.rules.floor.pickup.facts import Pickup, PickupFacts
from bodega_agent.rules.floor.pickup.staging import pickup_of
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import BinScan, NamedScan, SsccScan, TextScan, WordScan
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.words import Word

_NOT_HERE = {
    FulfillmentState.LABELLED: "is packed, but not staged. Stage it first: CMD-STAGE",
    FulfillmentState.COLLECTED: "was fetched already",
    FulfillmentState.EXPIRED: "was not fetched in time, and goes back to stock",
    FulfillmentState.CANCELLED: "is cancelled",
    FulfillmentState.SHIPPED: "left with a carrier",
    FulfillmentState.SHORT: "could not be filled",
    FulfillmentState.HANDED_BACK: "was handed back to the head office",
}


def start(session: Session, facts: PickupFacts) -> Answer:
    """CMD-COLLECT."""
    return say(session.at(FloorStep.COLLECT_FIND), facts, "A customer is here.")


def find(session: Session, scan: SsccScan | NamedScan | BinScan, facts: PickupFacts) -> Answer:
    """By the parcel, the order or the locker: which one the customer comes for."""
    waiting = [one for one in facts.scanned if one.state is FulfillmentState.STAGED and one.is_fetched]
    if len(waiting) > 1:
        text = f"{len(waiting)} parcels are meant by that: scan the order, or the label of the parcel."
        return refuse(session, facts, text)
    if not waiting:
        return refuse(session, facts, _why_none(scan, facts))
    found = waiting[0]
    at = session.at(FloorStep.COLLECT_CODE, fulfillment_order_id=found.fulfillment_order_id)
    where = found.bin_id or "the house, nobody has said where"
    return say(at, replace(facts, pickup=found), f"Order {found.order_id} waits in {where}.")


def _why_none(scan: SsccScan | NamedScan | BinScan, facts: PickupFacts) -> str:
    if not facts.scanned:
        return (
            "Nothing waits there."
            if isinstance(scan, BinScan)
            else "No pickup of this node is meant by that."
        )
    one = facts.scanned[0]
    if not one.is_fetched:
        return f"Order {one.order_id} goes with a carrier."
    return f"Order {one.order_id} {_NOT_HERE.get(one.state, 'is not packed yet')}."


def said_code(session: Session, scan: TextScan, facts: PickupFacts) -> Answer:
    """The code that the customer has said. Labels of things that lie about are no try."""
    pickup = pickup_of(facts)
    if not pickup.code_sha256:
        return refuse(session, facts, "This order has no code.")
    if is_locked(pickup):
        return refuse(session, facts, "Too many wrong codes.")
    if pickup.sscc in scan.text or scan.text in {pickup.fulfillment_order_id, pickup.order_id, pickup.bin_id}:
        return refuse(session, facts, "That is no code of a customer.")
    if is_code(pickup.fulfillment_order_id, scan.text, pickup.code_sha256):
        return say(_hand(session), facts, "The code is right.")
    wrong = replace(pickup, wrong_codes=pickup.wrong_codes + 1)
    effects = (
        CountWrongCode(pickup.fulfillment_order_id),
        NoteException("wrong_pickup_code", reference=pickup.fulfillment_order_id),
    )
    return say(session, replace(facts, pickup=wrong), "That is not the code.", effects=effects, tone=Tone.ASK)


def vouch(session: Session, facts: PickupFacts) -> Answer:
    """CMD-APPROVE: a lead has looked at the customer's document, and answers for it."""
    pickup = pickup_of(facts)
    noted = NoteException("pickup_without_code", reference=pickup.fulfillment_order_id)
    return say(_hand(session), facts, "You have looked at the document.", effects=(noted,))


def hand(session: Session, scan: SsccScan, facts: PickupFacts) -> Answer:
    """The label of the parcel in hand: the right one goes to the customer."""
    pickup = pickup_of(facts)
    if scan.sscc != pickup.sscc:
        return refuse(session, facts, f"Parcel {scan.sscc} is another order's. Put it back.")
    effect = HandToCustomer(pickup.fulfillment_order_id, pickup.sscc)
    said = f"Order {pickup.order_id} is handed over."
    return say(session.at(FloorStep.COLLECT_FIND), replace(facts, pickup=None), said, effects=(effect,))


def answer(session: Session, scan: WordScan, facts: PickupFacts) -> Answer:
    """The customer does not want it, or it is not where it should be."""
    pickup = pickup_of(facts)
    if scan.word is Word.MISSING:
        noted = NoteException(
            "pickup_missing", Word.MISSING, pickup.fulfillment_order_id, bin_id=pickup.bin_id
        )
        said = f"Noted: the parcel is not in {pickup.bin_id}. Look around, and tell the lead."
        return say(session, facts, said, effects=(noted,), tone=Tone.ASK)
    if scan.word is not Word.REFUSED:
        return refuse(session, facts, f"'{scan.word}' says nothing of a parcel at the counter.")
    effects = (
        *give_up(pickup.fulfillment_order_id, pickup.sscc, refused=True),
        NoteException("pickup_refused", Word.REFUSED, pickup.fulfillment_order_id),
    )
    said = f"Order {pickup.order_id} is refused. Open the parcel and put its goods back: CMD-PUTAWAY."
    return say(session.at(FloorStep.COLLECT_FIND), replace(facts, pickup=None), said, effects=effects)


def is_locked(pickup: Pickup) -> bool:
    """Whether no further code is tried."""
    return pickup.wrong_codes >= PICKUP_CODE_TRIES_MAX


def _hand(session: Session) -> Session:
    return session.at(FloorStep.COLLECT_HAND, fulfillment_order_id=session.fulfillment_order_id)
