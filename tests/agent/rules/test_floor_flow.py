"""The flow table, walked in full: every step with every kind of scan."""

from __future__ import annotations

import itertools
import json

import pytest

from bodega.core.lifecycles import FulfillmentState, PrintState
from bodega.errors import InvalidInput
from bodega_agent.rules.facts import Check, Facts, Parcel, Shelf, VisionMode, Waiting, Work, WorkLine
from bodega_agent.rules.floor import HANDLERS, prompt_for, step
from bodega_agent.rules.flow import FLOW, flow_diagram
from bodega_agent.rules.prompt import Tone
from bodega_agent.rules.scans import (
    NEWS,
    BinScan,
    CheckOutcome,
    ControlScan,
    ItemScan,
    Kind,
    PrintChanged,
    SsccScan,
    UnknownScan,
    VerdictArrived,
    WorkCancelled,
    kind_of,
)
from bodega_agent.rules.session import FLOWS, FloorStep, InHand, Session
from support.floor_model import NAMES

SSCC = "395260640000000019"
SCANS = {
    Kind.ITEM: ItemScan("OAT", NAMES["OAT"], "gtin-OAT"),
    Kind.BIN: BinScan("A-01"),
    Kind.SSCC: SsccScan(SSCC),
    Kind.UNKNOWN: UnknownScan("?", "this is no code", "scan again"),
    Kind.VERDICT: VerdictArrived("FO-1", 1, "OAT", CheckOutcome.FAIL, ("other colour",)),
    Kind.PRINT: PrintChanged(SSCC, PrintState.UNKNOWN),
    Kind.CANCELLED: WorkCancelled("FO-1"),
    **{kind: ControlScan(kind.value) for kind in Kind if kind.value.startswith("CMD-")},
}


def _work(state, *, picked=0, **more):
    line = WorkLine(1, "OAT", NAMES["OAT"], ("gtin-OAT",), 2, picked=picked)
    shelves = (Shelf("OAT", "", "A-01", 1, 5),) if picked < 2 else ()
    return Work("FO-1", "O-1", state, (line,), device="scanner-1", shelves=shelves, **more)


_OPEN = FulfillmentState.PICKING
SITUATIONS = {
    FloorStep.IDLE: (Session("scanner-1"), Facts()),
    FloorStep.RECEIVE_ITEM: (Session("scanner-1", step=FloorStep.RECEIVE_ITEM), Facts()),
    FloorStep.PUTAWAY_ITEM: (
        Session("scanner-1", step=FloorStep.PUTAWAY_ITEM),
        Facts(waiting=(Waiting("DOCK", "OAT", "", 3),)),
    ),
    FloorStep.PUTAWAY_BIN: (
        Session("scanner-1", step=FloorStep.PUTAWAY_BIN, in_hand=InHand("OAT", NAMES["OAT"], "", 1)),
        Facts(waiting=(Waiting("DOCK", "OAT", "", 3),)),
    ),
    FloorStep.TAKE_OVER: (
        Session("scanner-2", step=FloorStep.TAKE_OVER, fulfillment_order_id="FO-1"),
        Facts(left_work=_work(_OPEN)),
    ),
    FloorStep.PICK_BIN: (
        Session("scanner-1", step=FloorStep.PICK_BIN, fulfillment_order_id="FO-1"),
        Facts(work=_work(_OPEN)),
    ),
    FloorStep.PICK_ITEM: (
        Session("scanner-1", step=FloorStep.PICK_ITEM, fulfillment_order_id="FO-1", bin_id="A-01"),
        Facts(work=_work(_OPEN)),
    ),
    FloorStep.PICK_CHECK: (
        Session("scanner-1", step=FloorStep.PICK_CHECK, fulfillment_order_id="FO-1"),
        None,
    ),
    FloorStep.PACK: (
        Session("scanner-1", step=FloorStep.PACK, fulfillment_order_id="FO-1"),
        Facts(work=_work(FulfillmentState.PICKED, picked=2), next_sscc=SSCC),
    ),
    FloorStep.LABEL: (
        Session("scanner-1", step=FloorStep.LABEL, fulfillment_order_id="FO-1"),
        Facts(work=_work(FulfillmentState.PACKED, picked=2, sscc=SSCC, print_state=PrintState.UNKNOWN)),
    ),
    FloorStep.HANDOVER: (
        Session("scanner-1", step=FloorStep.HANDOVER),
        Facts(parcel=Parcel(SSCC, "FO-1", FulfillmentState.LABELLED)),
    ),
}


def situation(floor_step):
    session, facts = SITUATIONS[floor_step]
    if facts is None:
        doubted = (Check(1, CheckOutcome.FAIL, ("other colour",)),)
        facts = Facts(work=_work(_OPEN, picked=2, checks=doubted), vision=VisionMode.BLOCKING)
    return session, facts


@pytest.mark.parametrize(("floor_step", "kind"), list(itertools.product(FloorStep, Kind)))
def test_every_step_answers_every_scan(floor_step, kind):
    session, facts = situation(floor_step)
    assert kind_of(SCANS[kind]) is kind
    outcome = step(session, SCANS[kind], facts)
    assert outcome.prompt.text
    assert outcome.prompt.flow == FLOWS[outcome.session.step]
    json.dumps(outcome.prompt.to_json())
    assert Session.from_json(json.loads(json.dumps(outcome.session.to_json()))) == outcome.session
    if outcome.prompt.tone is Tone.ERROR:
        assert outcome.effects == ()
    if (floor_step, kind) not in FLOW:
        assert outcome.session == session, "what the table does not list changes nothing"
        assert outcome.prompt.tone is Tone.ERROR
        assert kind not in NEWS, "news is never wrong"
    else:
        assert outcome.session.step in FLOW[floor_step, kind].to


@pytest.mark.parametrize("floor_step", FloorStep)
def test_an_unknown_code_is_answered_with_what_is_wrong_and_what_is_wanted(floor_step):
    session, facts = situation(floor_step)
    text = step(session, SCANS[Kind.UNKNOWN], facts).prompt.text
    assert text == f"This is no code. Scan again. {prompt_for(session, facts).text}"


@pytest.mark.parametrize("floor_step", FloorStep)
def test_a_person_can_walk_out_of_every_step_and_nothing_moves(floor_step):
    session, facts = situation(floor_step)
    outcome = step(session, ControlScan("CMD-CANCEL"), facts)
    assert outcome.session.step is FloorStep.IDLE
    assert outcome.effects == ()


def test_the_table_and_the_handlers_know_each_other():
    assert {move.handler for move in FLOW.values()} == set(HANDLERS)


def test_every_step_can_be_reached():
    reachable = {FloorStep.IDLE}
    while True:
        further = {after for (before, _), move in FLOW.items() if before in reachable for after in move.to}
        if further <= reachable:
            break
        reachable |= further
    assert reachable == set(FloorStep)


def test_the_diagram_is_printed_from_the_table():
    diagram = flow_diagram()
    assert diagram.startswith("stateDiagram-v2\n    [*] --> idle\n")
    assert "    putaway_bin --> putaway_item: bin\n" in diagram
    for floor_step in FloorStep:
        assert f" {floor_step} " in diagram or f" {floor_step}:" in diagram


@pytest.mark.parametrize("broken", [{}, {"device": "s"}, {**Session("s").to_json(), "step": "dancing"}])
def test_a_stored_session_that_is_not_one_is_an_error_with_a_hint(broken):
    with pytest.raises(InvalidInput) as raised:
        Session.from_json(broken)
    assert raised.value.hint
