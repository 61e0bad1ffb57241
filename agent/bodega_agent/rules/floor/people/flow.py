"""Signing in as a table. Badge, name and CMD-SIGNOUT work at every step of every flow (`ANYWHERE`)."""

from __future__ import annotations

from collections.abc import Mapping

from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.people import steps
from bodega_agent.rules.floor.people.facts import PinFacts
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FLOWS, FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Handler, Move, Shown

S = FloorStep


def _pin(session: Session, _facts: PinFacts) -> Shown:
    text = f"PIN of {steps.signing_in(session).name}? Type it, or CMD-CANCEL."
    return Shown(Tone.ASK, text, (), Expect(ExpectKind.TEXT, secret=True))


def unsigned(session: Session, _facts: Facts) -> Shown:
    """What a device shows at which nobody is signed in."""
    text = "Scan your badge, or type your name."
    detail = () if session.step is S.IDLE else (f"in the middle of {FLOWS[session.step]}",)
    return Shown(Tone.ASK, text, detail, Expect(ExpectKind.BADGE))


PEOPLE = Flow(
    "people",
    {
        (S.IDLE, Kind.PERSON): Move(steps.name, (S.IDLE, S.SIGN_IN_PIN)),
        (S.SIGN_IN_PIN, Kind.TEXT): Move(steps.pin, (S.SIGN_IN_PIN, S.IDLE)),
        (S.SIGN_IN_PIN, Kind.CANCEL): Move(steps.forget, (S.IDLE,)),
    },
    {S.SIGN_IN_PIN: _pin},
)

# Whoever comes may say who they are, signed in or not.
WHO_COMES: Mapping[Kind, Handler] = {Kind.BADGE: steps.badge, Kind.PERSON: steps.name}


def anywhere(step: FloorStep) -> dict[Kind, Move]:
    """What people may do at every step, if its flow does not say otherwise."""
    return {
        Kind.BADGE: Move(steps.badge, (step,)),
        Kind.PERSON: Move(steps.name, (step, S.SIGN_IN_PIN)),
        Kind.SIGNOUT: Move(steps.sign_out, (step,)),
    }
