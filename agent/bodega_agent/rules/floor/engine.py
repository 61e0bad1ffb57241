"""The floor engine: `step(session, scan, facts)` answers one scan with a session, effects and a prompt.

Obligations of the caller (the floor service):
- read the facts of the flow (`facts.py`), call `step`, run its effects and save its session in ONE store
  transaction; then acknowledge with the prompt; then do what is asked for after a commit (camera, printer);
- put news (verdict, print, cancel) through the same function, for the session that it concerns.

Obligations of the engine: it is pure and never raises, for any scan at any step; tone "error" means that this
scan moved nothing; what the table does not list changes nothing at all; facts win over the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.flows import START_WORDS, TABLE, flow_of
from bodega_agent.rules.floor.pick.facts import PickFacts
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Outcome, Prompt, Tone
from bodega_agent.rules.floor.scans import (
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

__all__ = ["Outcome", "Prompt", "Session", "prompt_for", "step"]


def step(session: Session, scan: Scanned, facts: Facts) -> Outcome:
    """Answer one scan or piece of news; see the module's text."""
    answer = _answer(session, scan, facts)
    return Outcome(
        answer.session,
        answer.effects,
        _prompt(answer.session, answer.facts, answer.said, answer.tone),
    )


def prompt_for(session: Session, facts: Facts) -> Prompt:
    """The present prompt of a session, for the control socket and after a restart; facts as for a step."""
    return _prompt(session, facts)


def _answer(session: Session, scan: Scanned, facts: Facts) -> Answer:
    kind = kind_of(scan)
    # A cancel says itself what has become of the work.
    settled = session if kind is Kind.CANCELLED else _settled(session, facts)
    if isinstance(settled, Lost):
        return say(session.idle(), Facts(role=facts.role), settled.said, tone=Tone.ERROR)
    move = TABLE.get((settled.step, kind))
    if move is None:
        return refuse(settled, facts, _out_of_place(settled, scan))
    return move.handler(settled, scan, facts)


def _settled(session: Session, facts: Facts) -> Session | Lost:
    flow = flow_of(session.step)
    return session if flow is None else flow.settle(session, facts)


def _prompt(session: Session, facts: Facts, said: str = "", tone: Tone | None = None) -> Prompt:
    settled = _settled(session, facts)
    session = session.idle() if isinstance(settled, Lost) else settled
    flow = flow_of(session.step)
    shown = _idle(facts) if flow is None else flow.prompts[session.step](session, facts)
    return Prompt(
        tone or shown.tone, f"{said} {shown.text}".strip(), shown.detail, session.step, shown.expect
    )


def _idle(facts: Facts) -> Shown:
    text = "Ready. Scan what to do."
    if isinstance(facts, PickFacts):
        if facts.work is not None:
            text = f"Order {facts.work.fulfillment_order_id} is still yours. CMD-PICK goes on with it."
        elif facts.next_work is not None:
            text = "An order waits. CMD-PICK takes it."
    return Shown(Tone.OK, text, (" ".join(START_WORDS),), Expect(ExpectKind.CONTROL, START_WORDS))


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
