"""Into the box with a list of cartons, voiding, and manifests."""

from __future__ import annotations

from datetime import date
from typing import Any

from bodega.core.lifecycles import FulfillmentState
from bodega.core.rates import Bracket, Consignment, LocalTime, Service, Zone
from bodega_agent.rules.cartons import Carton, Piece
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.handover.doing import ClosingManifest
from bodega_agent.rules.floor.handover.facts import HandoverFacts, OpenManifest
from bodega_agent.rules.floor.pack.doing import Counted, Voiding
from bodega_agent.rules.floor.pack.facts import Content, PackFacts, Packing, Shipping
from bodega_agent.rules.floor.pick.facts import Work, WorkLine
from bodega_agent.rules.floor.session import FloorStep, Session
from support.floor_model import NAMES

SSCC, OTHER = "395260640000000019", "395260640000000026"
BOXES = (Carton("X-1", (200, 150, 100), 80, 5_000), Carton("BOX-L", (400, 300, 200), 200, 20_000))
NEXT_DAY = Service(
    "NEXT",
    "northpost",
    "next_day",
    960,
    (1, 2, 3, 4, 5),
    "EUR",
    5_000,
    100,
    (Zone("home", ("PT",), (), (Bracket(2_000, 400), Bracket(30_000, 900)), 1),),
)
SHIPPING = Shipping((NEXT_DAY,), Consignment("PT", "1000-001", 0), LocalTime(date(2026, 11, 23), 600))


def work(state: FulfillmentState = FulfillmentState.PICKED, sscc: str = "") -> Work:
    """Two oat milks, picked."""
    line = WorkLine(1, "OAT", NAMES["OAT"], ("gtin-OAT",), 2, picked=2)
    return Work("FO-1", "O-1", state, (line,), device="scanner-1", sscc=sscc)


def packing(seen: int = 2, **more: Any) -> Packing:
    """Packing of that order, begun."""
    piece = Piece(NAMES["OAT"], 2, 1_040, 1_000, (), fragile=True)
    contents = (Content("OAT", piece, ("gtin-OAT",), seen),)
    return Packing(begun=True, contents=contents, cartons=BOXES, verifies=True, **more)


def facts(packed: Packing) -> PackFacts:
    """What packing knows of it."""
    return PackFacts(work=work(), next_sscc=OTHER, packing=packed, shipping=SHIPPING, slips=True)


def _at(step: FloorStep, **more: Any) -> Session:
    return Session("scanner-1", step=step, fulfillment_order_id="FO-1", **more)


_MANIFESTS = (
    OpenManifest("MAN-1-7", "northpost", "2026-11-23", 2, 1, (SSCC,)),
    OpenManifest("MAN-1-9", "southpost", "2026-11-23", 1),
)
SITUATIONS: dict[FloorStep, tuple[Session, Facts]] = {
    FloorStep.PACK_ITEM: (
        _at(FloorStep.PACK_ITEM, doing=Counted("OAT", 1)),
        facts(packing(1)),
    ),
    FloorStep.PACK_SHORT: (_at(FloorStep.PACK_SHORT), facts(packing(1))),
    FloorStep.PACK_CARTON: (_at(FloorStep.PACK_CARTON), facts(packing())),
    FloorStep.PACK_WEIGH: (
        _at(FloorStep.PACK_WEIGH),
        facts(packing(carton_id="BOX-L", weight_g=900, has_scale=True)),
    ),
    FloorStep.VOID_PARCEL: (
        Session("scanner-1", step=FloorStep.VOID_PARCEL),
        PackFacts(work=work(FulfillmentState.LABELLED, SSCC)),
    ),
    FloorStep.VOID_REASON: (
        _at(FloorStep.VOID_REASON, doing=Voiding(SSCC)),
        PackFacts(work=work(FulfillmentState.LABELLED, SSCC), next_sscc=OTHER),
    ),
    FloorStep.MANIFEST: (
        Session("scanner-1", step=FloorStep.MANIFEST),
        HandoverFacts(manifests=_MANIFESTS),
    ),
    FloorStep.MANIFEST_CLOSE: (
        Session("scanner-1", step=FloorStep.MANIFEST_CLOSE, doing=ClosingManifest("MAN-1-7")),
        HandoverFacts(manifests=_MANIFESTS),
    ),
}
