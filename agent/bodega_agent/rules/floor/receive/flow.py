"""Receiving as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.receive import steps
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _item(_session: Session, _facts: Facts) -> Shown:
    return Shown(Tone.OK, "Scan what came in, or CMD-DONE.", (), Expect(ExpectKind.ITEM))


RECEIVE = Flow(
    "receive",
    {
        (S.IDLE, Kind.RECEIVE): Move(without_scan(steps.start), (S.RECEIVE_ITEM,)),
        (S.RECEIVE_ITEM, Kind.ITEM): Move(steps.item, (S.RECEIVE_ITEM,)),
        (S.RECEIVE_ITEM, Kind.RECEIVE): remind(S.RECEIVE_ITEM),
        (S.RECEIVE_ITEM, Kind.DONE): LEAVE,
    },
    {S.RECEIVE_ITEM: _item},
)
