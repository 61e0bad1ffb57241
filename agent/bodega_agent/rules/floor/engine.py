"""The floor engine: `step(session, scan, facts)` answers one scan with a session, effects and a prompt.

Obligations of the caller (the floor service):
- read the facts of the flow (`facts.py`), call `step`, run its effects and save its session in ONE store
  transaction; then acknowledge with the prompt; then do what is asked for after a commit (camera, printer);
- put news (verdict, print, cancel) through the same function, for the session that it concerns;
- if the outcome says `then`, read the facts of that session once the effects are done and answer with `go_on`: so a
  person who signs in or takes over goes on at any step of any flow.

Obligations of the engine: it is pure and never raises, for any scan at any step; tone "error" means that this
scan moved nothing; what the table does not list changes nothing at all; facts win over the session. Where people sign
in, nobody works unsigned, and a move that demands a role refuses everybody else: no flow has to think of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.facts import UNSIGNED, Facts, Why
from bodega_agent.rules.floor.flows import START_WORDS, TABLE, flow_of
from bodega_agent.rules.floor.people.flow import PEOPLE, WHO_COMES, unsigned
from bodega_agent.rules.floor.pick.facts import PickFacts
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, GoOn, Outcome, Prompt, Tone
from bodega_agent.rules.floor.resume.flow import said_of
from bodega_agent.rules.floor.scans import (
    NEWS,
    BinScan,
    ControlScan,
    ItemScan,
    Kind,
    NamedScan,
    NumberScan,
    Scanned,
    SsccScan,
    TextScan,
    UnknownScan,
    WordScan,
    kind_of,
)
from bodega_agent.rules.floor.session import FLOWS, FloorStep, Session
from bodega_agent.rules.floor.table import Lost, Shown

__all__ = ["Outcome", "Prompt", "Session", "go_on", "greeting", "present", "step"]


def step(session: Session, scan: Scanned, facts: Facts) -> Outcome:
    """Answer one scan or piece of news; see the module's text."""
    answer = _as_shown(_answer(session, scan, facts))
    return Outcome(
        answer.session,
        answer.effects,
        _prompt(answer.session, answer.facts, answer.said, answer.tone),
        GoOn(answer.then, answer.said, answer.tone) if answer.then else None,
    )


def _as_shown(answer: Answer) -> Answer:
    """The session goes where the screen says: to its idle state if its work has gone, whatever the answer was about."""
    gone = None if answer.then else _settled(answer.session, answer.facts)
    if not isinstance(gone, Lost):
        return answer
    said = f"{answer.said} {gone.said}".strip()
    return replace(answer, session=answer.session.idle(), facts=answer.facts.bare(), said=said)


def go_on(then: GoOn, facts: Facts) -> Outcome:
    """Where a session stands that goes on after a sign-in or a take-over; `facts`: its own, read after the effects."""
    settled = _settled(then.session, facts)
    if isinstance(settled, Lost):
        said = f"{then.said} {settled.said}".strip()
        return Outcome(then.session.idle(), (), _prompt(then.session.idle(), facts.bare(), said, then.tone))
    return Outcome(settled, (), _prompt(settled, facts, then.said, then.tone))


def present(session: Session, facts: Facts) -> Outcome:
    """Where a session stands when nobody has scanned, such as after a refusal of the store; facts as for a step.

    Work that has gone meanwhile is said here, and the session that comes with it is to be saved: the next scan is
    answered from what the screen shows.
    """
    settled = _settled(session, facts)
    if isinstance(settled, Lost):
        idle = session.idle()
        return Outcome(idle, (), _prompt(idle, facts.bare(), settled.said, Tone.ASK))
    return Outcome(settled, (), _prompt(settled, facts))


def greeting(session: Session, facts: Facts) -> Outcome:
    """The first prompt after a start or a reconnection: it says in the middle of what the device is."""
    outcome = present(session, facts)
    where = FLOWS[outcome.session.step]
    if outcome.session.step is FloorStep.IDLE or facts.role == UNSIGNED:
        return outcome
    return replace(outcome, prompt=_prompt(outcome.session, facts, f"You are in {where}."))


def _answer(session: Session, scan: Scanned, facts: Facts) -> Answer:
    kind = kind_of(scan)
    # A cancel says itself what has become of the work.
    settled = session if kind is Kind.CANCELLED else _settled(session, facts)
    if isinstance(settled, Lost):
        return say(session.idle(), facts.bare(), settled.said, tone=Tone.ERROR)
    if facts.role == UNSIGNED and kind not in NEWS and flow_of(settled.step) is not PEOPLE:
        # Who comes is asked first, also where the flow itself would take a badge.
        return WHO_COMES.get(kind, _nobody)(settled, scan, facts)
    move = TABLE.get((settled.step, kind))
    if move is None:
        return refuse(settled, facts, _out_of_place(settled, scan))
    if move.role and facts.role not in {"", move.role}:
        return refuse(settled, facts, f"Only a {move.role} may do that.")
    return move.handler(settled, scan, facts)


def _nobody(session: Session, _scan: Scanned, facts: Facts) -> Answer:
    return refuse(session, facts, "Nobody is signed in here.")


def _settled(session: Session, facts: Facts) -> Session | Lost:
    flow = flow_of(session.step)
    return session if flow is None else flow.settle(session, facts)


def _prompt(session: Session, facts: Facts, said: str = "", tone: Tone | None = None) -> Prompt:
    settled = _settled(session, facts)
    session = session.idle() if isinstance(settled, Lost) else settled
    flow = flow_of(session.step)
    if facts.role == UNSIGNED and flow is not PEOPLE:
        shown = unsigned(session, facts)
    else:
        shown = _idle(facts) if flow is None else flow.prompts[session.step](session, facts)
    return Prompt(
        tone or shown.tone, f"{said} {shown.text}".strip(), shown.detail, session.step, shown.expect
    )


def _idle(facts: Facts) -> Shown:
    text = "Ready. Scan what to do."
    left = facts.crew.left[0] if facts.crew.left else None
    if left is not None and left.why is Why.YOURS:
        text = f"{said_of(left)}. CMD-RESUME goes on with it here."
    elif isinstance(facts, PickFacts):
        if facts.work is not None:
            text = f"Order {facts.work.fulfillment_order_id} is still yours. CMD-PICK goes on with it."
        elif facts.next_work is not None:
            text = "An order waits. CMD-PICK takes it."
    words = (*START_WORDS, Kind.SIGNOUT.value) if facts.role else START_WORDS
    others = (f"{said_of(left)}: CMD-RESUME",) if left is not None and left.why is not Why.YOURS else ()
    return Shown(Tone.OK, text, (" ".join(words), *others), Expect(ExpectKind.CONTROL, START_WORDS))


def _out_of_place(session: Session, scan: Scanned) -> str:
    if isinstance(scan, ControlScan) and scan.word in START_WORDS and session.step is not FloorStep.IDLE:
        return f"Leave {FLOWS[session.step]} first with CMD-CANCEL."
    said = _NOT_WANTED.get(type(scan))
    return said(scan) if said else ""


_NOT_WANTED: Mapping[type, Callable[[Any], str]] = {
    ItemScan: lambda scan: f"{scan.name} is not wanted now.",
    BinScan: lambda scan: f"Bin {scan.bin_id} is not wanted now.",
    SsccScan: lambda _scan: "A parcel label is not wanted now.",
    NamedScan: lambda scan: f"{scan.kind.value.capitalize()} {scan.name} is not wanted now.",
    NumberScan: lambda scan: f"{scan.value} is not wanted now: no number was asked for.",
    WordScan: lambda scan: f"'{scan.word}' is not wanted now.",
    TextScan: lambda _scan: "That is not wanted now.",
    UnknownScan: lambda scan: f"{_sentence(scan.problem)} {_sentence(scan.hint)}".strip(),
    ControlScan: lambda scan: f"{scan.word} does nothing here.",
}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""
