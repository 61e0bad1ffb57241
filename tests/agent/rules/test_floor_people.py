"""Who may do what, over the whole table: unsigned nobody works, and a role is asked for where a move demands it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.core.pins import is_right, pin_hash
from bodega_agent.rules.floor.engine import present, step
from bodega_agent.rules.floor.facts import LEAD, UNSIGNED, Person
from bodega_agent.rules.floor.flows import START_WORDS, TABLE
from bodega_agent.rules.floor.people.effects import SignIn, SignOut
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import CONTROL_WORDS, NEWS, ControlScan, Kind, NamedScan
from bodega_agent.rules.floor.session import FloorStep
from support.floor_scans import SCANS
from support.situations import SITUATIONS, situation

RUI = Person("rui", "Rui", "associate", has_pin=True)


@pytest.mark.parametrize("floor_step", sorted(set(FloorStep) - {FloorStep.SIGN_IN_PIN}))
def test_nobody_works_unsigned_at_any_step_with_any_scan(floor_step):
    for kind in set(Kind) - NEWS:
        check_refusal(floor_step, kind)


def check_refusal(floor_step, kind):
    session, facts = SITUATIONS[floor_step]
    outcome = step(session, SCANS[kind], replace(facts, role=UNSIGNED))
    assert outcome.effects == ()
    assert outcome.then is None
    assert outcome.session == session
    assert outcome.prompt.tone is Tone.ERROR
    assert outcome.prompt.text.endswith("Scan your badge, or type your name.")


@pytest.mark.parametrize("floor_step", sorted(set(FloorStep) - {FloorStep.SIGN_IN_PIN}))
def test_a_badge_signs_in_at_every_step_and_the_step_goes_on(floor_step):
    session, facts = SITUATIONS[floor_step]
    outcome = step(
        session,
        NamedScan(Kind.BADGE, "rui"),
        replace(facts, role=UNSIGNED, crew=replace(facts.crew, scanned=RUI)),
    )
    assert [type(effect) for effect in outcome.effects] == [SignIn]
    assert outcome.then is not None
    assert outcome.then.session == replace(session, actor="rui")


@pytest.mark.parametrize("floor_step", sorted(set(FloorStep) - {FloorStep.SIGN_IN_PIN}))
def test_signing_out_leaves_the_work_where_it_is(floor_step):
    session, facts = SITUATIONS[floor_step]
    signed = replace(session, actor="rui")
    outcome = step(signed, ControlScan("CMD-SIGNOUT"), replace(facts, role="associate"))
    assert [(type(e), e.associate_id, e.at_device) for e in outcome.effects] == [
        (SignOut, "rui", session.device)
    ]
    assert outcome.then is not None
    assert outcome.then.session == session


@pytest.mark.parametrize(
    ("role", "may"), [("", True), (LEAD, True), ("associate", False), ("technician", False)]
)
def test_a_move_that_demands_a_lead_refuses_the_others(monkeypatch, role, may):
    """Where nobody signs in, there is nobody to ask."""
    row = (FloorStep.IDLE, Kind.RECEIVE)
    monkeypatch.setitem(TABLE, row, replace(TABLE[row], role=LEAD))
    session, facts = situation(FloorStep.IDLE, Kind.RECEIVE)
    outcome = step(session, ControlScan("CMD-RECEIVE"), replace(facts, role=role))
    assert (outcome.session.step is FloorStep.RECEIVE_ITEM) is may
    assert outcome.prompt.text.startswith("Only a lead may do that.") is not may


def test_every_role_that_a_move_demands_is_one_that_decides():
    assert {move.role for move in TABLE.values()} <= {"", LEAD, "technician"}


def test_who_is_signed_in_sees_how_to_sign_out():
    session, facts = SITUATIONS[FloorStep.IDLE]
    (words,) = present(session, replace(facts, role="associate")).prompt.detail
    assert words.split() == [*START_WORDS, "CMD-SIGNOUT"]
    assert set(words.split()) <= set(CONTROL_WORDS)


def test_a_pin_is_right_or_wrong_and_no_pin_is_never_right():
    """The hash is RFC 7914's scrypt; the hub makes it with the same function."""
    salt = bytes(range(16))
    assert is_right("4711", salt, pin_hash("4711", salt))
    assert not is_right("4712", salt, pin_hash("4711", salt))
    assert not is_right("4711", bytes(16), pin_hash("4711", salt))
    assert not is_right("", salt, b"")
