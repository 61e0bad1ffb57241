"""Putting away as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.putaway import steps
from bodega_agent.rules.floor.putaway.doing import InHand
from bodega_agent.rules.floor.putaway.facts import PutAwayFacts
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _item(_session: Session, _facts: PutAwayFacts) -> Shown:
    return Shown(Tone.OK, "Scan what you put away, or CMD-DONE.", (), Expect(ExpectKind.ITEM))


def _bin(session: Session, facts: PutAwayFacts) -> Shown:
    held = session.doing
    assert isinstance(held, InHand), "goods are in hand between item and bin"
    where = facts.suggested_bin
    text = f"Put {units(held.quantity, held.name)} into {where or 'a bin'} and scan the bin."
    expect = Expect(ExpectKind.BIN, (where,) if where else (), sku_id=held.sku_id, quantity=held.quantity)
    return Shown(Tone.OK, text, (f"lot {held.lot}",) if held.lot else (), expect)


PUT_AWAY = Flow(
    "putaway",
    {
        (S.IDLE, Kind.PUTAWAY): Move(without_scan(steps.start), (S.PUTAWAY_ITEM,)),
        (S.PUTAWAY_ITEM, Kind.ITEM): Move(steps.item, (S.PUTAWAY_ITEM, S.PUTAWAY_BIN)),
        (S.PUTAWAY_ITEM, Kind.PUTAWAY): remind(S.PUTAWAY_ITEM),
        (S.PUTAWAY_ITEM, Kind.DONE): LEAVE,
        (S.PUTAWAY_BIN, Kind.ITEM): Move(steps.item, (S.PUTAWAY_BIN,)),
        (S.PUTAWAY_BIN, Kind.BIN): Move(steps.into_bin, (S.PUTAWAY_ITEM,)),
        (S.PUTAWAY_BIN, Kind.PUTAWAY): remind(S.PUTAWAY_BIN),
    },
    {S.PUTAWAY_ITEM: _item, S.PUTAWAY_BIN: _bin},
)
