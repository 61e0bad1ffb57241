"""Who works at a device: by a badge's scan, or by name and PIN; a person works at one device at a time.

A badge works at every step, and the step stays: after a break, or a change of shift, the flow goes on. Who signs in
signs out whoever was there, and leaves the device where they were before.
"""

from __future__ import annotations

from dataclasses import replace

from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.facts import UNSIGNED, Facts, Person
from bodega_agent.rules.floor.people.doing import SigningIn
from bodega_agent.rules.floor.people.effects import By, SignIn, SignOut
from bodega_agent.rules.floor.people.facts import PinFacts
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import NamedScan, TextScan
from bodega_agent.rules.floor.session import ANYBODY, FLOWS, FloorStep, Session


def is_signed_in(facts: Facts) -> bool:
    """Whether somebody is signed in at the session's device."""
    return facts.role not in {"", UNSIGNED}


def badge(session: Session, _scan: NamedScan, facts: Facts) -> Answer:
    """A badge at any step: its person works here from now on."""
    person = facts.crew.scanned
    if person is None:
        return refuse(session, facts, "Nobody signs in with that here.")
    if is_signed_in(facts) and person.associate_id == session.actor:
        return say(session, facts, f"You are signed in, {person.name}.")
    return _sign_in(session, session, person, By.BADGE, facts)


def name(session: Session, _scan: NamedScan, facts: Facts) -> Answer:
    """An associate's id: anybody can type it, so the PIN is asked for."""
    person = facts.crew.scanned
    if person is None:
        return refuse(session, facts, "Nobody signs in with that here.")
    if is_signed_in(facts) and person.associate_id == session.actor:
        return say(session, facts, f"You are signed in, {person.name}.")
    if not person.has_pin:
        return refuse(session, facts, f"{person.name} has no PIN: scan the badge.")
    doing = SigningIn(person.associate_id, person.name, session)
    return say(session.at(FloorStep.SIGN_IN_PIN, doing=doing), facts)


def pin(session: Session, _scan: TextScan, facts: PinFacts) -> Answer:
    """The PIN, judged already; or a badge after all."""
    doing = signing_in(session)
    if facts.crew.scanned is not None:
        return _sign_in(session.idle(), doing.before, facts.crew.scanned, By.BADGE, facts)
    if facts.right and facts.person is not None:
        return _sign_in(session.idle(), doing.before, facts.person, By.PIN, facts)
    if facts.tries_left:
        return refuse(session, facts, "That PIN is wrong.")
    said = f"Too many wrong PINs for {doing.name}: scan the badge, or ask the shift lead."
    return say(session.idle(), facts.bare(), said, tone=Tone.ERROR, then=doing.before)


def forget(session: Session, _scan: object, facts: Facts) -> Answer:
    """CMD-CANCEL instead of a PIN: back to where the device stood."""
    return say(session.idle(), facts.bare(), "Nobody was signed in.", then=signing_in(session).before)


def sign_out(session: Session, _scan: object, facts: Facts) -> Answer:
    """CMD-SIGNOUT at any step: the work stays where it is, for whoever goes on with it."""
    if not is_signed_in(facts):
        return refuse(session, facts, "Nobody is signed in here.")
    gone = SignOut(session.actor, session.device, By.WORD)
    said = f"Goodbye, {facts.crew.name}."
    return say(session, facts, said, effects=(gone,), then=replace(session, actor=ANYBODY))


def signing_in(session: Session) -> SigningIn:
    """Who is asked for a PIN."""
    doing = session.doing
    assert isinstance(doing, SigningIn), "a PIN is asked of somebody"
    return doing


def _sign_in(now: Session, before: Session, person: Person, by: By, facts: Facts) -> Answer:
    """`before` goes on with `person`; who has to go, goes first."""
    effects: list[Effect] = []
    if is_signed_in(facts):
        effects.append(SignOut(before.actor, before.device, By.SOMEBODY_ELSE))
    if person.device and person.device != before.device:
        effects.append(SignOut(person.associate_id, person.device, By.OTHER_DEVICE))
    effects.append(SignIn(person.associate_id, by))
    said = f"Hello, {person.name}."
    if before.step is not FloorStep.IDLE:
        said += f" You go on with {FLOWS[before.step]}; CMD-CANCEL leaves it."
    then = replace(before, actor=person.associate_id)
    return say(now, facts, said, effects=tuple(effects), then=then)
