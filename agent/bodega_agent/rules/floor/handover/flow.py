"""Handing over as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.handover import steps
from bodega_agent.rules.floor.handover.facts import HandoverFacts
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _parcel(_session: Session, _facts: HandoverFacts) -> Shown:
    return Shown(Tone.OK, "Scan the label of a parcel, or CMD-DONE.", (), Expect(ExpectKind.SSCC))


HANDOVER = Flow(
    "handover",
    {
        (S.IDLE, Kind.HANDOVER): Move(without_scan(steps.start), (S.HANDOVER,)),
        (S.HANDOVER, Kind.SSCC): Move(steps.parcel, (S.HANDOVER,)),
        (S.HANDOVER, Kind.HANDOVER): remind(S.HANDOVER),
        (S.HANDOVER, Kind.DONE): LEAVE,
    },
    {S.HANDOVER: _parcel},
)
