"""People: who a scan names, who is signed in where, whose work lies still; and signing in and out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import NamedTuple

from bodega.v1 import floor_pb2
from bodega_agent.rules.floor import keeping
from bodega_agent.rules.floor.facts import UNSIGNED, Crew, Left, Person, Why
from bodega_agent.rules.floor.people.doing import SigningIn
from bodega_agent.rules.floor.people.effects import SignIn, SignOut
from bodega_agent.rules.floor.people.facts import PinFacts
from bodega_agent.rules.floor.scans import Kind, NamedScan, TextScan
from bodega_agent.rules.floor.session import ANYBODY, FloorStep, Session
from bodega_agent.store.floor import pins, sessions
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.floor.look import Look
from bodega_agent.store.transaction import Context, Transaction

# A GSRN in a GS1 code, with or without its application identifier (8017: provider, 8018: recipient) and AI 8019.
_GSRN = re.compile(r"\x1d?(?:801[78])?(\d{18})(?:\x1d?8019\d{1,10})?")
_NOWHERE = frozenset({FloorStep.IDLE, FloorStep.RESUME})


class Name(NamedTuple):
    """What the node knows of one associate; without secrets."""

    associate_id: str
    name: str
    role: str
    has_pin: bool


def by_badge(tx: Transaction, text: str) -> str:
    """The associate whose badge this code is, or ""."""
    gsrn = _GSRN.fullmatch(text)
    for badge in (text, *((gsrn[1], f"8017{gsrn[1]}", f"8018{gsrn[1]}") if gsrn else ())):
        row = tx.one("SELECT associate_id FROM associate WHERE badge = ? AND badge <> ''", (badge,))
        if row:
            return str(row[0])
    return ""


def by_id(tx: Transaction, text: str) -> str:
    """The associate of this id, or "". Capitals do not count: it is typed."""
    row = tx.one("SELECT associate_id FROM associate WHERE associate_id = ? COLLATE NOCASE", (text,))
    return str(row[0]) if row else ""


def role_at(tx: Transaction, session: Session) -> tuple[str, str]:
    """(role, name) of who is signed in at the session's device; UNSIGNED if nobody is, empty where nobody has to."""
    row = tx.one("SELECT role, name FROM associate WHERE associate_id = ?", (session.actor,))
    if row:
        # A person without a role may do what needs none.
        return row[0] or ANYBODY, row[1]
    return (UNSIGNED if tx.one("SELECT 1 FROM associate LIMIT 1") else ""), ""


def crew(look: Look, name: str) -> Crew:
    """What every flow may know of the people; `name`: of who is signed in."""
    tx, session = look.tx, look.session
    scanned = _scanned(look)
    left: tuple[Left, ...] = ()
    if session.step in _NOWHERE:
        left = tuple(_left(look, scanned.associate_id if scanned else session.actor))
    return Crew(name, _person(tx, scanned) if scanned else None, left)


def facts(look: Look) -> PinFacts:
    """Of the PIN that was typed, if one was asked for."""
    doing = look.session.doing
    if not isinstance(doing, SigningIn):
        return PinFacts()
    known = _name(look.tx, doing.associate_id)
    proof = look.proof
    return PinFacts(
        person=_person(look.tx, known) if known else None,
        right=proof is not None and proof.right and proof.associate_id == doing.associate_id,
        tries_left=pins.tries_left(look.tx, doing.associate_id),
    )


def _scanned(look: Look) -> Name | None:
    match look.scan:
        case NamedScan(Kind.BADGE | Kind.PERSON, associate_id):
            return _name(look.tx, associate_id)
        case TextScan(text) if look.session.step is FloorStep.SIGN_IN_PIN:
            return _name(look.tx, by_badge(look.tx, text))
    return None


def _name(tx: Transaction, associate_id: str) -> Name | None:
    row = tx.one(
        "SELECT associate_id, name, role, pin_hash <> x'' FROM associate WHERE associate_id = ?",
        (associate_id,),
    )
    return Name(row[0], row[1], row[2], bool(row[3])) if row else None


def _person(tx: Transaction, known: Name) -> Person:
    at = next((s.device for s, _ in _sessions(tx) if s.actor == known.associate_id), "")
    return Person(known.associate_id, known.name, known.role, known.has_pin, at)


def _sessions(tx: Transaction) -> Iterator[tuple[Session, str]]:
    """Every device's session, and who was signed in there last."""
    for body, left_by in list(tx.execute("SELECT body, left_by FROM floor_session ORDER BY device")):
        yield keeping.from_json(json.loads(body)), left_by


def _left(look: Look, associate_id: str) -> list[Left]:
    """Work that stands still and may go on at this device; the own first, then of devices that are gone."""
    tx, here = look.tx, look.session.device
    people_sign_in = bool(tx.one("SELECT 1 FROM associate LIMIT 1"))
    found = []
    for session, left_by in _sessions(tx):
        stands = session.doing.before if isinstance(session.doing, SigningIn) else session
        if session.device == here or stands.step in _NOWHERE:
            continue
        why = _why(session, left_by, associate_id, present=look.present, people_sign_in=people_sign_in)
        if why is not None:
            by = _name(tx, session.actor) or _name(tx, left_by)
            found.append(Left(stands, why, by.name if by else ""))
    return sorted(found, key=lambda left: (_FIRST.index(left.why), left.session.device))


_FIRST = (Why.YOURS, Why.GONE, Why.LEFT)


def _why(
    session: Session, left_by: str, associate_id: str, *, present: Collection[str], people_sign_in: bool
) -> Why | None:
    """Why others may go on with it; None while somebody is at it."""
    nobody_there = people_sign_in and session.actor == ANYBODY
    if people_sign_in and associate_id == (left_by if nobody_there else session.actor):
        return Why.YOURS
    if session.device not in present:
        return Why.GONE
    return Why.LEFT if nobody_there else None


def _sign_in(tx: Transaction, context: Context, effect: SignIn) -> None:
    pins.forget(tx, effect.associate_id)
    fact = floor_pb2.ShiftAdvanced(associate_id=effect.associate_id, state="signed_in", by=effect.by)
    tx.append(context._replace(actor=effect.associate_id), shift_advanced=fact)


def _sign_out(tx: Transaction, context: Context, effect: SignOut) -> None:
    if effect.at_device != context.device:
        there = sessions.load(tx, effect.at_device)
        stands = there.doing.before if isinstance(there.doing, SigningIn) else there
        sessions.save(tx, replace(stands, actor=ANYBODY))
    tx.execute(
        "UPDATE floor_session SET left_by = ? WHERE device = ?", (effect.associate_id, effect.at_device)
    )
    fact = floor_pb2.ShiftAdvanced(associate_id=effect.associate_id, state="signed_out", by=effect.by)
    tx.append(context._replace(actor=effect.associate_id, device=effect.at_device), shift_advanced=fact)


DOES: Doers = {SignIn: _sign_in, SignOut: _sign_out}
