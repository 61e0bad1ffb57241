"""The flow table, walked in full: every step with every kind of scan."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bodega.errors import InvalidInput
from bodega_agent.rules.floor import flows, keeping
from bodega_agent.rules.floor.engine import present, step
from bodega_agent.rules.floor.flows import TABLE
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import NEWS, ControlScan, Kind, WorkCancelled, kind_of
from bodega_agent.rules.floor.session import FLOWS, FloorStep, Session
from support.floor_scans import SCANS
from support.situations import SITUATIONS, situation


@pytest.mark.parametrize("floor_step", FloorStep)
def test_every_step_answers_every_scan(floor_step):
    for kind in Kind:
        check_answer(floor_step, kind)


def check_answer(floor_step, kind):
    session, facts = situation(floor_step, kind)
    assert kind_of(SCANS[kind]) is kind
    outcome = step(session, SCANS[kind], facts)
    assert outcome.prompt.text
    assert outcome.prompt.flow == FLOWS[outcome.session.step]
    ready = {where.step is FloorStep.IDLE for where in (outcome.prompt, outcome.session)}
    assert outcome.then or len(ready) == 1, "a screen that is ready stands for a session that is"
    json.dumps(outcome.prompt.to_json())
    assert keeping.from_json(json.loads(json.dumps(keeping.to_json(outcome.session)))) == outcome.session
    if outcome.prompt.tone is Tone.ERROR:
        assert outcome.effects == ()
    if (floor_step, kind) not in TABLE:
        assert outcome.session == session, "what the table does not list changes nothing"
        assert outcome.prompt.tone is Tone.ERROR
        assert kind not in NEWS, "news is never wrong"
    else:
        assert outcome.session.step in TABLE[floor_step, kind].to


def test_news_of_another_order_finds_that_this_one_has_gone_too():
    """The screen shows it at once, and so the next scan must be answered from there."""
    session, facts = SITUATIONS[FloorStep.LABEL]
    outcome = step(session, WorkCancelled("FO-other"), replace(facts, work=None))
    assert outcome.prompt.text.endswith("is not yours to work on any more. Ready. Scan what to do.")
    assert outcome.prompt.step == outcome.session.step == FloorStep.IDLE


# A paper of another node may say what nobody here has heard of.
TAKES_UNKNOWN = {floor_step for floor_step, kind in TABLE if kind is Kind.UNKNOWN}


@pytest.mark.parametrize("floor_step", [each for each in FloorStep if each not in TAKES_UNKNOWN])
def test_an_unknown_code_is_answered_with_what_is_wrong_and_what_is_wanted(floor_step):
    session, facts = SITUATIONS[floor_step]
    text = step(session, SCANS[Kind.UNKNOWN], facts).prompt.text
    assert text == f"This is no code. Scan again. {present(session, facts).prompt.text}"


@pytest.mark.parametrize("floor_step", FloorStep)
def test_a_person_can_walk_out_of_every_step_and_nothing_moves(floor_step):
    session, facts = SITUATIONS[floor_step]
    outcome = step(session, ControlScan("CMD-CANCEL"), facts)
    assert outcome.session.step is FloorStep.IDLE
    assert outcome.effects == ()


def test_every_step_belongs_to_one_flow_which_has_its_prompt():
    """And no two flows say what one scan does."""
    shown = [(step, flow.name) for flow in flows.ALL for step in flow.prompts]
    assert dict(shown) == {step: name for step, name in FLOWS.items() if step is not FloorStep.IDLE}
    assert len(shown) == len(dict(shown))
    rows = [row for flow in flows.ALL for row in flow.moves]
    assert len(rows) == len(set(rows))


def test_every_step_can_be_reached():
    reachable = {FloorStep.IDLE}
    while True:
        further = {after for (before, _), move in TABLE.items() if before in reachable for after in move.to}
        if further <= reachable:
            break
        reachable |= further
    assert reachable == set(FloorStep)


@pytest.mark.parametrize("flow", flows.ALL, ids=lambda flow: flow.name)
def test_the_diagram_is_printed_from_the_table(flow):
    diagram = flows.diagram_of(flow)
    assert diagram.startswith("stateDiagram-v2\n    [*] --> idle\n")
    for floor_step in flow.prompts:
        assert f" {floor_step}\n" in diagram or f" {floor_step}:" in diagram or f" {floor_step} " in diagram


@pytest.mark.parametrize(
    "broken", [{}, {"device": "s", "colour": "red"}, {**keeping.to_json(Session("s")), "step": "dancing"}]
)
def test_a_stored_session_that_is_not_one_is_an_error_with_a_hint(broken):
    with pytest.raises(InvalidInput) as raised:
        keeping.from_json(broken)
    assert raised.value.hint
