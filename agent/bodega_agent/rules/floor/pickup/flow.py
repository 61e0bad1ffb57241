"""Staging and collecting as two tables, with the prompt of each step."""

from __future__ import annotations

from bodega.core.lifecycles import FulfillmentState
from bodega.limits_floor import PICKUP_CODE_TRIES_MAX
from bodega_agent.rules.floor.facts import LEAD
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.pickup import collecting, staging
from bodega_agent.rules.floor.pickup.facts import PickupFacts
from bodega_agent.rules.floor.pickup.places import fitting, suggested
from bodega_agent.rules.floor.pickup.staging import pickup_of, place_name
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Lost, Move, Shown, remind, without_scan
from bodega_agent.rules.floor.words import Word

S = FloorStep


def _stage_parcel(_session: Session, _facts: PickupFacts) -> Shown:
    return Shown(Tone.OK, "Scan the label of a parcel, or CMD-DONE.", (), Expect(ExpectKind.SSCC))


def _stage_place(_session: Session, facts: PickupFacts) -> Shown:
    pickup = pickup_of(facts)
    where = suggested(pickup, facts.places)
    expect = Expect(
        ExpectKind.BIN,
        (where,) if where else (),
        fulfillment_order_id=pickup.fulfillment_order_id,
        sscc=pickup.sscc,
    )
    if not where and fitting(pickup, facts.places):
        text = f"Every {place_name(pickup)} place is taken. Clear one and scan it, or CMD-CANCEL."
        return Shown(Tone.ASK, text, (pickup.sscc,), expect)
    text = f"Put the parcel into {where or 'a place'} and scan the place."
    return Shown(Tone.OK, text, (pickup.sscc,), expect)


def _find(_session: Session, _facts: PickupFacts) -> Shown:
    text = "Scan or type the order, the parcel or the locker, or CMD-DONE."
    return Shown(Tone.OK, text, (), Expect(ExpectKind.ORDER))


def _code(_session: Session, facts: PickupFacts) -> Shown:
    pickup = pickup_of(facts)
    order = pickup.fulfillment_order_id
    if collecting.is_locked(pickup) or not pickup.code_sha256:
        text = "A lead looks at the customer's document, and CMD-APPROVE; or CMD-CANCEL."
        words = Expect(ExpectKind.CONTROL, (Kind.APPROVE.value,), fulfillment_order_id=order)
        return Shown(Tone.ASK, text, (), words)
    left = PICKUP_CODE_TRIES_MAX - pickup.wrong_codes
    tries = (f"{left} {'try' if left == 1 else 'tries'} left",) if pickup.wrong_codes else ()
    text = "Ask for the pickup code and type it."
    return Shown(Tone.OK, text, tries, Expect(ExpectKind.TEXT, fulfillment_order_id=order))


def _hand(_session: Session, facts: PickupFacts) -> Shown:
    pickup = pickup_of(facts)
    text = f"Fetch the parcel from {pickup.bin_id or 'its place'} and scan its label."
    expect = Expect(
        ExpectKind.SSCC, (pickup.sscc,), fulfillment_order_id=pickup.fulfillment_order_id, sscc=pickup.sscc
    )
    detail = (pickup.sscc, f"not wanted: {Word.REFUSED}", f"not there: {Word.MISSING}")
    return Shown(Tone.OK, text, detail, expect)


def _settle(session: Session, facts: PickupFacts) -> Session | Lost:
    """Facts win: a pickup may have been fetched, have expired or been cancelled meanwhile."""
    wanted = _STATES.get(session.step)
    if wanted is None:
        return session
    pickup = facts.pickup
    if pickup is None or pickup.fulfillment_order_id != session.fulfillment_order_id:
        return Lost(f"Order {session.fulfillment_order_id} does not wait here.")
    if pickup.state not in wanted:
        return Lost(f"Order {pickup.order_id} is {pickup.state} meanwhile.")
    return session


_STATES = {
    S.STAGE_PLACE: staging.STAGEABLE,
    S.COLLECT_CODE: frozenset({FulfillmentState.STAGED}),
    S.COLLECT_HAND: frozenset({FulfillmentState.STAGED}),
}

STAGE = Flow(
    "stage",
    {
        (S.IDLE, Kind.STAGE): Move(without_scan(staging.start), (S.STAGE_PARCEL,)),
        (S.STAGE_PARCEL, Kind.SSCC): Move(staging.parcel, (S.STAGE_PARCEL, S.STAGE_PLACE)),
        (S.STAGE_PARCEL, Kind.STAGE): remind(S.STAGE_PARCEL),
        (S.STAGE_PARCEL, Kind.DONE): LEAVE,
        (S.STAGE_PLACE, Kind.BIN): Move(staging.into_place, (S.STAGE_PLACE, S.STAGE_PARCEL)),
        (S.STAGE_PLACE, Kind.SSCC): Move(staging.parcel, (S.STAGE_PLACE,)),
        (S.STAGE_PLACE, Kind.STAGE): remind(S.STAGE_PLACE),
    },
    {S.STAGE_PARCEL: _stage_parcel, S.STAGE_PLACE: _stage_place},
    _settle,
)

COLLECT = Flow(
    "collect",
    {
        (S.IDLE, Kind.COLLECT): Move(without_scan(collecting.start), (S.COLLECT_FIND,)),
        **{
            (S.COLLECT_FIND, kind): Move(collecting.find, (S.COLLECT_FIND, S.COLLECT_CODE))
            for kind in (Kind.ORDER, Kind.SSCC, Kind.BIN)
        },
        (S.COLLECT_FIND, Kind.COLLECT): remind(S.COLLECT_FIND),
        (S.COLLECT_FIND, Kind.DONE): LEAVE,
        (S.COLLECT_CODE, Kind.TEXT): Move(collecting.said_code, (S.COLLECT_CODE, S.COLLECT_HAND)),
        (S.COLLECT_CODE, Kind.APPROVE): Move(without_scan(collecting.vouch), (S.COLLECT_HAND,), role=LEAD),
        (S.COLLECT_CODE, Kind.COLLECT): remind(S.COLLECT_CODE),
        (S.COLLECT_HAND, Kind.SSCC): Move(collecting.hand, (S.COLLECT_HAND, S.COLLECT_FIND)),
        (S.COLLECT_HAND, Kind.WORD): Move(collecting.answer, (S.COLLECT_HAND, S.COLLECT_FIND)),
        (S.COLLECT_HAND, Kind.COLLECT): remind(S.COLLECT_HAND),
    },
    {S.COLLECT_FIND: _find, S.COLLECT_CODE: _code, S.COLLECT_HAND: _hand},
    _settle,
)
