"""The floor engine: `step(session, scan, facts)` answers one scan with a session, effects and a prompt.

Obligations of the caller (the floor service):
- read `facts` (see `facts.py` for which), call `step`, run its effects and save its session in ONE store
  transaction; then acknowledge with the prompt; then ask the camera for each `Inspect`;
- put news (verdict, print, cancel) through the same function, for the session that it concerns.

Obligations of the engine: it is pure and never raises, for any scan at any step; tone "error" means that this
scan moved nothing; what the flow table does not list changes nothing at all; facts win over the session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bodega_agent.rules import handover, pack, pick, putaway, receive
from bodega_agent.rules.facts import Facts
from bodega_agent.rules.flow import FLOW
from bodega_agent.rules.prompt import Outcome, Prompt, Tone
from bodega_agent.rules.scans import (
    BinScan,
    ControlScan,
    ItemScan,
    Kind,
    Scanned,
    SsccScan,
    UnknownScan,
    WorkCancelled,
    kind_of,
)
from bodega_agent.rules.session import FLOWS, WORK_STEPS, FloorStep, Session
from bodega_agent.rules.show import START_WORDS, refuse, say, show
from bodega_agent.rules.work import is_lost, place

__all__ = ["Facts", "Outcome", "Prompt", "Session", "prompt_for", "step"]


def step(session: Session, scan: Scanned, facts: Facts) -> Outcome:
    """Answer one scan or piece of news; see the module's text."""
    kind = kind_of(scan)
    if kind is not Kind.CANCELLED:
        if is_lost(session, facts):
            return _lost(session, facts)
        if session.step in WORK_STEPS and facts.work is not None:
            session = place(session, facts.work, facts)
    move = FLOW.get((session.step, kind))
    if move is None:
        return refuse(session, facts, _out_of_place(session, scan))
    return HANDLERS[move.handler](session, scan, facts)


def prompt_for(session: Session, facts: Facts) -> Prompt:
    """The present prompt of a session, for the control socket and after a restart."""
    return show(session, facts)


def _lost(session: Session, facts: Facts) -> Outcome:
    said = f"Order {session.fulfillment_order_id} is not yours to work on any more."
    # The facts may still show the lost order; it is not "still yours".
    return say(session.idle(), replace(facts, work=None), said, tone=Tone.ERROR)


def _leave(session: Session, _scan: Any, facts: Facts) -> Outcome:
    return say(session.idle(), facts, f"Left {FLOWS[session.step]}.")


def _remind(session: Session, _scan: Any, facts: Facts) -> Outcome:
    return say(session, facts)


def _cancelled(session: Session, scan: WorkCancelled, facts: Facts) -> Outcome:
    if session.fulfillment_order_id != scan.fulfillment_order_id:
        return say(session, facts)
    said = f"Order {scan.fulfillment_order_id} is cancelled."
    if facts.work is not None and facts.work.picked:
        said += " Put its goods back: CMD-PUTAWAY."
    return say(session.idle(), Facts(), said, tone=Tone.ERROR)


def _out_of_place(session: Session, scan: Scanned) -> str:
    match scan:
        case ItemScan():
            return f"{scan.name} is not wanted now."
        case BinScan():
            return f"Bin {scan.bin_id} is not wanted now."
        case SsccScan():
            return "A parcel label is not wanted now."
        case UnknownScan():
            return f"{_sentence(scan.problem)} {_sentence(scan.hint)}".strip()
        case ControlScan() if scan.word in START_WORDS and session.step is not FloorStep.IDLE:
            return f"Leave {FLOWS[session.step]} first with CMD-CANCEL."
        case ControlScan():
            return f"{scan.word} does nothing here."
        case _:
            return ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


_Handler = Callable[[Session, Any, Facts], Outcome]


def _without_scan(handler: Callable[[Session, Facts], Outcome]) -> _Handler:
    return lambda session, _scan, facts: handler(session, facts)


HANDLERS: dict[str, _Handler] = {
    "leave": _leave,
    "remind": _remind,
    "cancelled": _cancelled,
    "receive.start": _without_scan(receive.start),
    "receive.item": receive.item,
    "putaway.start": _without_scan(putaway.start),
    "putaway.item": putaway.item,
    "putaway.into_bin": putaway.into_bin,
    "pick.start": _without_scan(pick.start),
    "pick.take_over": _without_scan(pick.take_over),
    "pick.into_bin": pick.into_bin,
    "pick.other_bin": pick.other_bin,
    "pick.item": pick.item,
    "pick.show_again": pick.show_again,
    "pick.short": _without_scan(pick.short),
    "pick.accept": _without_scan(pick.accept),
    "pick.verdict": pick.verdict,
    "pack.close": _without_scan(pack.close),
    "pack.scan_back": pack.scan_back,
    "pack.reprint": _without_scan(pack.reprint),
    "handover.start": _without_scan(handover.start),
    "handover.parcel": handover.parcel,
}
