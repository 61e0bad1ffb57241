"""Receive, put away, replenish, hold and release."""

from __future__ import annotations

from bodega.core.ledger import DOCK, Disposition, unit_place
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.hold.doing import Judged
from bodega_agent.rules.floor.hold.facts import HoldFacts, Lying
from bodega_agent.rules.floor.putaway.doing import InHand
from bodega_agent.rules.floor.putaway.facts import PutAwayFacts, Waiting
from bodega_agent.rules.floor.putaway.suggest import BinFacts, Load
from bodega_agent.rules.floor.receive.against import Line
from bodega_agent.rules.floor.receive.doing import Fresh, Receiving
from bodega_agent.rules.floor.receive.facts import Delivery, ReceiveFacts, Unit, UnitLine
from bodega_agent.rules.floor.replenish.doing import Refilling
from bodega_agent.rules.floor.replenish.facts import Face, ReplenishFacts, Source
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from support.floor_model import NAMES

OAT = NAMES["OAT"]
SSCC = "395260640000000019"
FRESH = Fresh("OAT", OAT, "", 1, counted=3)

_LINES = (
    Line("OAT", "", 12, 3, name=OAT),
    Line("RYE", "", 5, name=NAMES["RYE"]),
    *(Line(f"S{number}", "", 1, name=f"Thing {number}") for number in range(3)),
)
_DELIVERY = Delivery("R-1", "X-0", "Acme", lines=_LINES, gtins=("gtin-OAT",))
RECEIVING = ReceiveFacts(
    delivery=_DELIVERY,
    named=Delivery("", "X-1", lines=(Line("OAT", "", 5, name=OAT),)),
    unit=Unit(SSCC, lines=(UnitLine("OAT", OAT, "", "", 4),)),
    next_receipt_id="R-2",
    next_sscc=SSCC,
    lacks_expiry=True,
    today="2026-11-22",
)
_WAITING = (
    Waiting(DOCK, "OAT", "", 3),
    Waiting(DOCK, "OAT", "", 2, disposition=Disposition.DAMAGED.value),
    Waiting(unit_place(SSCC), "OAT", "", 4),
)
_BINS = (
    BinFacts("A-01", 1, temperature_class="frozen"),
    BinFacts("A-02", 2),
    BinFacts("Q-01", 3, kind="quality"),
)
PUTTING = PutAwayFacts(waiting=_WAITING, load=Load(1, "OAT"), bins=_BINS)
_REFILLING = ReplenishFacts(
    face=Face("A-01", "OAT", 1, 2, 4, name=OAT, gtins=("gtin-OAT",), sources=(Source("R-01", "", 9),))
)
_LYING = HoldFacts(
    lying=(Lying("OAT", "", Disposition.SELLABLE, 4), Lying("OAT", "", Disposition.NOT_SELLABLE, 2))
)


def _receiving(step: FloorStep, doing: Receiving) -> tuple[Session, Facts]:
    return Session("scanner-1", step=step, doing=doing), RECEIVING


def _refilling(step: FloorStep, quantity: int, bin_id: str) -> tuple[Session, Facts]:
    return Session(
        "scanner-1", step=step, bin_id=bin_id, doing=Refilling("A-01", quantity=quantity)
    ), _REFILLING


SITUATIONS: dict[FloorStep, tuple[Session, Facts]] = {
    FloorStep.RECEIVE_ITEM: _receiving(FloorStep.RECEIVE_ITEM, Receiving("R-1", SSCC, FRESH)),
    FloorStep.RECEIVE_LOT: _receiving(
        FloorStep.RECEIVE_LOT, Receiving("R-1", fresh=Fresh("OAT", OAT, "", 1))
    ),
    FloorStep.RECEIVE_EXPIRY: _receiving(
        FloorStep.RECEIVE_EXPIRY, Receiving("R-1", fresh=Fresh("OAT", OAT, "L1", 1))
    ),
    FloorStep.RECEIVE_APART: _receiving(
        FloorStep.RECEIVE_APART, Receiving("R-1", fresh=FRESH, apart="damaged")
    ),
    FloorStep.RECEIVE_CLOSE: _receiving(FloorStep.RECEIVE_CLOSE, Receiving("R-1")),
    FloorStep.HOLD_BIN: (Session("scanner-1", step=FloorStep.HOLD_BIN), HoldFacts()),
    FloorStep.HOLD_ITEM: (Session("scanner-1", step=FloorStep.HOLD_ITEM, bin_id="A-01"), _LYING),
    FloorStep.HOLD_VERDICT: (
        Session("scanner-1", step=FloorStep.HOLD_VERDICT, bin_id="A-01", doing=Judged("OAT", OAT, "")),
        _LYING,
    ),
    FloorStep.PUTAWAY_ITEM: (Session("scanner-1", step=FloorStep.PUTAWAY_ITEM), PUTTING),
    FloorStep.PUTAWAY_WHICH: (
        Session("scanner-1", step=FloorStep.PUTAWAY_WHICH, doing=InHand("OAT", OAT, "", 1, disposition="")),
        PUTTING,
    ),
    FloorStep.PUTAWAY_BIN: (
        Session("scanner-1", step=FloorStep.PUTAWAY_BIN, doing=InHand("OAT", OAT, "", 1)),
        PUTTING,
    ),
    FloorStep.PUTAWAY_REASON: (
        Session("scanner-1", step=FloorStep.PUTAWAY_REASON, bin_id="A-01", doing=InHand("OAT", OAT, "", 1)),
        PUTTING,
    ),
    FloorStep.REPLENISH_FROM: _refilling(FloorStep.REPLENISH_FROM, 0, ""),
    FloorStep.REPLENISH_ITEM: _refilling(FloorStep.REPLENISH_ITEM, 1, "R-01"),
    FloorStep.REPLENISH_INTO: _refilling(FloorStep.REPLENISH_INTO, 3, "R-01"),
}

STARTS: dict[Kind, Facts] = {
    Kind.RECEIVE: ReceiveFacts(delivery=_DELIVERY),
    Kind.PUTAWAY: PutAwayFacts(),
    Kind.REPLENISH: _REFILLING,
    Kind.HOLD: HoldFacts(),
}
