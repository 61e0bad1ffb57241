"""Counting, deciding, reconciling, sending and arriving."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bodega_agent.rules.floor.arrive.doing import Arriving
from bodega_agent.rules.floor.arrive.facts import Arrival, ArrivalLine, ArriveFacts
from bodega_agent.rules.floor.count.doing import Choosing, Counting, Deciding
from bodega_agent.rules.floor.count.facts import Count, CountFacts, Held, Line, Place
from bodega_agent.rules.floor.count.judge import Tolerance
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.pick.facts import Shelf
from bodega_agent.rules.floor.reconcile.facts import ReconcileFacts
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.send.doing import Sending
from bodega_agent.rules.floor.send.facts import LegState, SendFacts, Transfer, TransferLine
from bodega_agent.rules.floor.session import FloorStep, Session
from support.floor_model import NAMES

S = FloorStep
LINE = Line("OAT", "", NAMES["OAT"], 10, ("gtin-OAT",), counted=3, seen=True)
COUNT = Count("COUNT-1-1", "A-01", "plan", 1, whole=True, lines=(LINE,))
COUNTING = Counting("COUNT-1-1", 1, "OAT")
TOLERANCE = Tolerance(2, 5)
TRANSFER = Transfer(
    "X-1",
    "porto-01",
    LegState.PICKING,
    (TransferLine("OAT", NAMES["OAT"], ("gtin-OAT",), 4),),
    (Shelf("OAT", "", "A-01", 1, 5),),
    "scanner-1",
)
ARRIVAL = Arrival("X-1", "porto-01", LegState.RECEIVING, (ArrivalLine("OAT", NAMES["OAT"], 4, 3),))
ARRIVING = Arriving("X-1", sku_id="OAT", name=NAMES["OAT"], quantity=1)


def _at(step: FloorStep, **more: Any) -> Session:
    return replace(Session("scanner-1", step=step), **more)


def _count(**more: Any) -> CountFacts:
    facts = CountFacts(
        count=COUNT,
        places=(Place("A-02", "plan"),),
        scanned=Place("A-01", "plan"),
        opens=COUNT,
        held=(Held("COUNT-1-1", "A-01", "OAT", "", NAMES["OAT"], (3, 3), 10, "ana"),),
        recount=TOLERANCE,
        approve=TOLERANCE,
    )
    return replace(facts, **more)


_RECONCILE = ReconcileFacts(
    count=COUNT,
    scanned=Place("A-01", "reconcile"),
    opens=COUNT,
    recount=TOLERANCE,
    approve=TOLERANCE,
    why={("OAT", ""): ("#7 pick by ana 3 min ago: 7 left A-02 by the book, and may have been taken here",)},
)
_READY = replace(TRANSFER, lines=(replace(TRANSFER.lines[0], picked=4),))

SITUATIONS: dict[FloorStep, tuple[Session, Facts]] = {
    S.COUNT_BIN: (
        _at(S.COUNT_BIN, doing=Choosing()),
        _count(count=None, places=(Place("DOCK", "digest", label=False),)),
    ),
    S.COUNT_ITEM: (_at(S.COUNT_ITEM, bin_id="A-01", doing=COUNTING), _count()),
    S.COUNT_APPROVE: (_at(S.COUNT_APPROVE, doing=Deciding()), _count()),
    S.RECONCILE_BIN: (_at(S.RECONCILE_BIN), replace(_RECONCILE, count=None)),
    S.RECONCILE_ITEM: (_at(S.RECONCILE_ITEM, bin_id="A-01", doing=COUNTING), _RECONCILE),
    S.RECONCILE_POST: (_at(S.RECONCILE_POST, bin_id="A-01", doing=COUNTING), _RECONCILE),
    S.SEND_CHOOSE: (_at(S.SEND_CHOOSE), SendFacts(open=("X-1",), transfer=TRANSFER)),
    S.SEND_BIN: (_at(S.SEND_BIN, doing=Sending("X-1")), SendFacts(open=("X-1",), transfer=TRANSFER)),
    S.SEND_ITEM: (
        _at(S.SEND_ITEM, bin_id="A-01", doing=Sending("X-1", "OAT", "", 1)),
        SendFacts(open=("X-1",), transfer=TRANSFER),
    ),
    S.SEND_READY: (_at(S.SEND_READY, doing=Sending("X-1")), SendFacts(open=("X-1",), transfer=_READY)),
    S.ARRIVE_CHOOSE: (
        _at(S.ARRIVE_CHOOSE, doing=Arriving("X-1", unknown=True)),
        ArriveFacts(arrival=ARRIVAL),
    ),
    S.ARRIVE_ITEM: (_at(S.ARRIVE_ITEM, doing=ARRIVING), ArriveFacts(expected=("X-1",), arrival=ARRIVAL)),
    S.ARRIVE_CLOSE: (_at(S.ARRIVE_CLOSE, doing=ARRIVING), ArriveFacts(expected=("X-1",), arrival=ARRIVAL)),
}

STARTS: dict[Kind, Facts] = {
    Kind.COUNT: _count(),
    Kind.APPROVE: _count(count=None),
    Kind.RECONCILE: ReconcileFacts(),
    Kind.SEND: SendFacts(open=("X-1",)),
    Kind.ARRIVE: ArriveFacts(expected=("X-1",)),
}
