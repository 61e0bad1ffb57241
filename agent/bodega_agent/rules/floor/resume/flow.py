"""Resuming and taking over as a table, with its prompt."""

from __future__ import annotations

from bodega_agent.rules.floor.facts import Facts, Left, Why
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.resume import steps
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FLOWS, FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def said_of(left: Left) -> str:
    """Whose work it is, and what: one sentence without its end."""
    work, device = FLOWS[left.session.step], left.session.device
    match left.why:
        case Why.YOURS:
            return f"You were in {work} at {device}"
        case Why.GONE:
            return f"{left.by or 'Somebody'} was in {work} at {device}, which is gone"
        case Why.LEFT:
            return f"{left.by or 'Somebody'} has left {work} at {device}"


def _resume(session: Session, facts: Facts) -> Shown:
    left = steps.offered(session, facts)
    where = left.session
    about = filter(None, (where.fulfillment_order_id and f"order {where.fulfillment_order_id}", where.bin_id))
    text = f"{said_of(left)}. CMD-ACCEPT goes on with it here."
    words = (Kind.ACCEPT.value,) if len(facts.crew.left) == 1 else (Kind.ACCEPT.value, Kind.SKIP.value)
    more = len(facts.crew.left) - 1
    detail = (*about, *((f"{more} more: CMD-SKIP",) if more else ()))
    expect = Expect(ExpectKind.CONTROL, words, fulfillment_order_id=where.fulfillment_order_id)
    return Shown(Tone.ASK, text, detail, expect)


RESUME = Flow(
    "resume",
    {
        (S.IDLE, Kind.RESUME): Move(without_scan(steps.start), (S.RESUME, S.IDLE)),
        (S.RESUME, Kind.ACCEPT): Move(without_scan(steps.accept), (S.IDLE,)),
        (S.RESUME, Kind.SKIP): Move(without_scan(steps.other), (S.RESUME,)),
        (S.RESUME, Kind.RESUME): remind(S.RESUME),
    },
    {S.RESUME: _resume},
    steps.settle,
)
