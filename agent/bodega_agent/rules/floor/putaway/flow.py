"""Putting away as a table, with the prompt of each step."""

from __future__ import annotations

from bodega.core.ledger import Disposition
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.putaway import steps
from bodega_agent.rules.floor.putaway.facts import PutAwayFacts
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _item(_session: Session, _facts: PutAwayFacts) -> Shown:
    return Shown(Tone.OK, "Scan what you put away, or CMD-DONE.", (), Expect(ExpectKind.ITEM))


def _which(session: Session, facts: PutAwayFacts) -> Shown:
    held = steps.in_hand(session)
    there = {waiting.disposition for waiting in facts.waiting if waiting.sku_id == held.sku_id}
    words = tuple(word.value for word, sort in steps.SORTS.items() if sort in there)
    text = f"{units(held.quantity, held.name)}: which sort is in your hand, {' or '.join(words)}?"
    return Shown(Tone.ASK, text, (), Expect(ExpectKind.WORD, words, sku_id=held.sku_id))


def _bin(session: Session, facts: PutAwayFacts) -> Shown:
    held = steps.in_hand(session)
    where = steps.suggested(held, facts)
    text = (
        f"Put {units(held.quantity, held.name)} into {where.bin_id if where else 'a bin'} and scan the bin."
    )
    expect = Expect(
        ExpectKind.BIN, (where.bin_id,) if where else (), sku_id=held.sku_id, quantity=held.quantity
    )
    detail: tuple[str, ...] = (f"lot {held.lot}",) if held.lot else ()
    if held.disposition != Disposition.IN_PROGRESS:
        detail += (f"set apart: {held.disposition.replace('_', ' ')}",)
    if where is None:
        detail += ("no bin suits by its class and room: choose one",)
    return Shown(Tone.OK, text, detail, expect)


def _reason(session: Session, facts: PutAwayFacts) -> Shown:
    held = steps.in_hand(session)
    where = steps.suggested(held, facts)
    reasons = tuple(word.value for word in steps.REASONS)
    other = f", or scan {where.bin_id}" if where else ""
    text = f"Why {session.bin_id}? {', '.join(reasons)}{other}."
    values = ((where.bin_id,) if where else ()) + reasons
    return Shown(
        Tone.ASK, text, (), Expect(ExpectKind.ANY, values, sku_id=held.sku_id, quantity=held.quantity)
    )


PUT_AWAY = Flow(
    "putaway",
    {
        (S.IDLE, Kind.PUTAWAY): Move(without_scan(steps.start), (S.PUTAWAY_ITEM,)),
        (S.PUTAWAY_ITEM, Kind.ITEM): Move(steps.item, (S.PUTAWAY_ITEM, S.PUTAWAY_WHICH, S.PUTAWAY_BIN)),
        (S.PUTAWAY_ITEM, Kind.SSCC): Move(steps.pallet, (S.PUTAWAY_ITEM, S.PUTAWAY_BIN)),
        (S.PUTAWAY_ITEM, Kind.PUTAWAY): remind(S.PUTAWAY_ITEM),
        (S.PUTAWAY_ITEM, Kind.DONE): LEAVE,
        (S.PUTAWAY_WHICH, Kind.WORD): Move(steps.which, (S.PUTAWAY_WHICH, S.PUTAWAY_BIN)),
        (S.PUTAWAY_WHICH, Kind.ITEM): Move(steps.item, (S.PUTAWAY_WHICH,)),
        (S.PUTAWAY_WHICH, Kind.PUTAWAY): remind(S.PUTAWAY_WHICH),
        (S.PUTAWAY_BIN, Kind.ITEM): Move(steps.item, (S.PUTAWAY_BIN,)),
        (S.PUTAWAY_BIN, Kind.NUMBER): Move(steps.number, (S.PUTAWAY_BIN,)),
        (S.PUTAWAY_BIN, Kind.BIN): Move(steps.into_bin, (S.PUTAWAY_ITEM, S.PUTAWAY_REASON)),
        (S.PUTAWAY_BIN, Kind.PUTAWAY): remind(S.PUTAWAY_BIN),
        (S.PUTAWAY_REASON, Kind.BIN): Move(steps.into_bin, (S.PUTAWAY_ITEM, S.PUTAWAY_REASON)),
        (S.PUTAWAY_REASON, Kind.WORD): Move(steps.overridden, (S.PUTAWAY_ITEM, S.PUTAWAY_REASON)),
        (S.PUTAWAY_REASON, Kind.PUTAWAY): remind(S.PUTAWAY_REASON),
    },
    {S.PUTAWAY_ITEM: _item, S.PUTAWAY_WHICH: _which, S.PUTAWAY_BIN: _bin, S.PUTAWAY_REASON: _reason},
)
