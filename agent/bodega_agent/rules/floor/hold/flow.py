"""Quality hold as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.hold import steps
from bodega_agent.rules.floor.hold.facts import HoldFacts
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep
_HOLD = Kind.HOLD.value


def _bin(_session: Session, _facts: HoldFacts) -> Shown:
    return Shown(Tone.OK, "Scan the bin, or CMD-DONE.", (), Expect(ExpectKind.BIN))


def _item(session: Session, _facts: HoldFacts) -> Shown:
    text = f"Scan what you judge in {session.bin_id}, another bin, or CMD-DONE."
    return Shown(Tone.OK, text, (), Expect(ExpectKind.ITEM))


def _verdict(session: Session, facts: HoldFacts) -> Shown:
    doing = steps.judged(session)
    there = steps.lying(doing, facts)
    detail = tuple(f"{one.quantity} {one.disposition.replace('_', ' ')}" for one in there)
    words = tuple(word.value for word in steps.VERDICTS)
    how_many = f"{doing.quantity}" if doing.quantity else "all"
    text = f"{doing.name}, {how_many}: {', '.join(words)}, or {_HOLD}? A number first for fewer."
    expect = Expect(ExpectKind.ANY, (*words, _HOLD), sku_id=doing.sku_id, quantity=doing.quantity)
    return Shown(Tone.ASK, text, detail, expect)


HOLD = Flow(
    "hold",
    {
        (S.IDLE, Kind.HOLD): Move(without_scan(steps.start), (S.HOLD_BIN,)),
        (S.HOLD_BIN, Kind.BIN): Move(steps.at_bin, (S.HOLD_ITEM,)),
        (S.HOLD_BIN, Kind.HOLD): remind(S.HOLD_BIN),
        (S.HOLD_BIN, Kind.DONE): LEAVE,
        (S.HOLD_ITEM, Kind.ITEM): Move(steps.item, (S.HOLD_ITEM, S.HOLD_VERDICT)),
        (S.HOLD_ITEM, Kind.BIN): Move(steps.at_bin, (S.HOLD_ITEM,)),
        (S.HOLD_ITEM, Kind.HOLD): remind(S.HOLD_ITEM),
        (S.HOLD_ITEM, Kind.DONE): LEAVE,
        (S.HOLD_VERDICT, Kind.NUMBER): Move(steps.number, (S.HOLD_VERDICT,)),
        (S.HOLD_VERDICT, Kind.WORD): Move(steps.verdict, (S.HOLD_ITEM, S.HOLD_VERDICT)),
        (S.HOLD_VERDICT, Kind.HOLD): Move(steps.hold, (S.HOLD_ITEM, S.HOLD_VERDICT)),
        (S.HOLD_VERDICT, Kind.DONE): LEAVE,
    },
    {S.HOLD_BIN: _bin, S.HOLD_ITEM: _item, S.HOLD_VERDICT: _verdict},
)
