"""Void: a closed parcel is opened again, with a reason; its numbers are burnt, and its order is packed anew.

Another box, another carrier, a wrong item in it, or a label that is beyond use. With a torn label the box stays closed:
what is in it was seen already, so only a new label comes, under new numbers.
"""

from __future__ import annotations

from dataclasses import replace

from bodega.core.lifecycles import FULFILLMENT, FulfillmentEvent, FulfillmentState
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.facts import LEAD
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.pack.doing import Voiding
from bodega_agent.rules.floor.pack.effects import VoidParcel
from bodega_agent.rules.floor.pack.facts import PackFacts, Packing
from bodega_agent.rules.floor.pack.steps import close
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.scans import Kind, NamedScan, SsccScan, WordScan, sscc_of
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Lost, Move, Shown, remind, without_scan
from bodega_agent.rules.floor.words import Word

S = FloorStep

# The box is as good as it was: only its label is not.
_KEEPS = frozenset({Word.TORN, Word.UNREADABLE})
REASONS = (Word.TORN, Word.UNREADABLE, Word.NO_ROOM, Word.DAMAGED, Word.WRONG_ITEM, Word.OTHER)


def _start(session: Session, facts: PackFacts) -> Answer:
    return say(session.at(S.VOID_PARCEL), facts)


def _parcel(session: Session, scan: SsccScan | NamedScan, facts: PackFacts) -> Answer:
    sscc, work = sscc_of(scan), facts.work
    if work is None or work.sscc != sscc:
        return refuse(session, facts, f"Parcel {sscc} is none of this node's.")
    if not FULFILLMENT.allows(work.state, FulfillmentEvent.VOID_PARCEL):
        return refuse(session, facts, f"Parcel {sscc} can not be opened any more: it is {work.state}.")
    order = work.fulfillment_order_id
    return say(session.at(S.VOID_REASON, fulfillment_order_id=order, doing=Voiding(sscc)), facts)


def _because(session: Session, scan: WordScan, facts: PackFacts) -> Answer:
    work = facts.work
    assert work is not None, "a void whose parcel is gone is lost"
    if scan.word not in REASONS:
        return refuse(session, facts, f"'{scan.word}' is no reason here.")
    effect = VoidParcel(work.fulfillment_order_id, work.sscc, scan.word.value)
    opened = replace(
        work, state=FulfillmentState.PICKED, sscc="", print_state=None, print_detail="", device=session.device
    )
    facts = replace(facts, work=opened)
    said = f"Parcel {work.sscc} is void. Take its label off and throw it away."
    if scan.word in _KEEPS:
        return close(session, facts, facts.packing.weight_g, said=said, effects=(effect,))
    facts = replace(facts, packing=Packing())
    again = session.at(S.PACK, fulfillment_order_id=work.fulfillment_order_id)
    return say(again, facts, said, effects=(effect,))


def _settle(session: Session, facts: PackFacts) -> Session | Lost:
    """The parcel must still be there, and still be one that can be opened."""
    if session.step is not S.VOID_REASON:
        return session
    assert isinstance(session.doing, Voiding), "a reason is asked for one parcel"
    work, sscc = facts.work, session.doing.sscc
    allowed = work is not None and FULFILLMENT.allows(work.state, FulfillmentEvent.VOID_PARCEL)
    if work is None or work.sscc != sscc or not allowed:
        return Lost(f"Parcel {sscc} can not be opened any more.")
    return session


def _which(_session: Session, _facts: PackFacts) -> Shown:
    return Shown(Tone.OK, "Scan the label of the parcel to void.", (), Expect(ExpectKind.SSCC))


def _why(session: Session, _facts: PackFacts) -> Shown:
    assert isinstance(session.doing, Voiding), "a reason is asked for one parcel"
    words = tuple(word.value for word in REASONS)
    text = f"Why is parcel {session.doing.sscc} void: {', '.join(words)}? CMD-CANCEL leaves it closed."
    expect = Expect(ExpectKind.WORD, words, fulfillment_order_id=session.fulfillment_order_id)
    return Shown(Tone.ASK, text, (), expect)


VOID = Flow(
    "void",
    {
        (S.IDLE, Kind.VOID): Move(without_scan(_start), (S.VOID_PARCEL,), role=LEAD),
        (S.VOID_PARCEL, Kind.SSCC): Move(_parcel, (S.VOID_PARCEL, S.VOID_REASON)),
        (S.VOID_PARCEL, Kind.TRACKING): Move(_parcel, (S.VOID_PARCEL, S.VOID_REASON)),
        (S.VOID_PARCEL, Kind.VOID): remind(S.VOID_PARCEL),
        (S.VOID_PARCEL, Kind.DONE): LEAVE,
        (S.VOID_REASON, Kind.WORD): Move(_because, (S.VOID_REASON, S.PACK, S.LABEL)),
        (S.VOID_REASON, Kind.VOID): remind(S.VOID_REASON),
    },
    {S.VOID_PARCEL: _which, S.VOID_REASON: _why},
    _settle,
)
