"""Pick, pack and hand over, one order at a time."""

from __future__ import annotations

from typing import Any

from bodega.core.lifecycles import FulfillmentState, PrintState
from bodega_agent.rules.floor.facts import Facts, VisionMode
from bodega_agent.rules.floor.handover.facts import HandoverFacts, Parcel
from bodega_agent.rules.floor.pick.facts import Check, PickFacts, Shelf, Work, WorkLine
from bodega_agent.rules.floor.scans import CheckOutcome
from bodega_agent.rules.floor.session import FloorStep, Session
from support.floor_model import NAMES

SSCC = "395260640000000019"


def _work(state: FulfillmentState, *, picked: int = 0, **more: Any) -> Work:
    line = WorkLine(1, "OAT", NAMES["OAT"], ("gtin-OAT",), 2, picked=picked)
    shelves = (Shelf("OAT", "", "A-01", 1, 5),) if picked < 2 else ()
    return Work("FO-1", "O-1", state, (line,), device="scanner-1", shelves=shelves, **more)


_OPEN = FulfillmentState.PICKING
SITUATIONS: dict[FloorStep, tuple[Session, Facts]] = {
    FloorStep.IDLE: (Session("scanner-1"), PickFacts()),
    FloorStep.TAKE_OVER: (
        Session("scanner-2", step=FloorStep.TAKE_OVER, fulfillment_order_id="FO-1"),
        PickFacts(left_work=_work(_OPEN)),
    ),
    FloorStep.PICK_BIN: (
        Session("scanner-1", step=FloorStep.PICK_BIN, fulfillment_order_id="FO-1"),
        PickFacts(work=_work(_OPEN)),
    ),
    FloorStep.PICK_ITEM: (
        Session("scanner-1", step=FloorStep.PICK_ITEM, fulfillment_order_id="FO-1", bin_id="A-01"),
        PickFacts(work=_work(_OPEN)),
    ),
    FloorStep.PICK_CHECK: (
        Session("scanner-1", step=FloorStep.PICK_CHECK, fulfillment_order_id="FO-1"),
        PickFacts(
            work=_work(_OPEN, picked=2, checks=(Check(1, CheckOutcome.FAIL, ("other colour",)),)),
            vision=VisionMode.BLOCKING,
        ),
    ),
    FloorStep.PACK: (
        Session("scanner-1", step=FloorStep.PACK, fulfillment_order_id="FO-1"),
        PickFacts(work=_work(FulfillmentState.PICKED, picked=2), next_sscc=SSCC),
    ),
    FloorStep.LABEL: (
        Session("scanner-1", step=FloorStep.LABEL, fulfillment_order_id="FO-1"),
        PickFacts(work=_work(FulfillmentState.PACKED, picked=2, sscc=SSCC, print_state=PrintState.UNKNOWN)),
    ),
    FloorStep.HANDOVER: (
        Session("scanner-1", step=FloorStep.HANDOVER),
        HandoverFacts(parcel=Parcel(SSCC, "FO-1", FulfillmentState.LABELLED)),
    ),
}
