"""Picking beyond one order at a time: carts and totes, questions at the shelf, shorts and substitutes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.facts import Facts, VisionMode
from bodega_agent.rules.floor.pick.doing import AskedWhy, InHand, MayBeEmpty, Missing, Picking
from bodega_agent.rules.floor.pick.facts import PickFacts, Shelf, Substitute, Work, WorkLine
from bodega_agent.rules.floor.session import FloorStep, Session
from support.floor_model import NAMES

_PICKING, _ASSIGNED = FulfillmentState.PICKING, FulfillmentState.ASSIGNED
_SHELVES = (Shelf("OAT", "", "A-01", 1, 5), Shelf("RYE", "", "A-02", 2, 5))


def line(number: int, sku_id: str, quantity: int, **more: Any) -> WorkLine:
    """One line of an order, of which nothing is picked."""
    return WorkLine(number, sku_id, NAMES[sku_id], (f"gtin-{sku_id}",), quantity, **more)


def _on_cart(order: str, tote_id: str, **more: Any) -> Work:
    lines = (line(1, "OAT", 2), line(2, "RYE", 1))
    return Work(
        order,
        f"O-{order}",
        more.pop("state", _PICKING),
        more.pop("lines", lines),
        device="scanner-1",
        shelves=more.pop("shelves", _SHELVES),
        batch="cart-FO-1",
        totes=(tote_id,),
        **more,
    )


_CART = (_on_cart("FO-1", "X-1"), _on_cart("FO-2", "X-2"))
_NEXT = replace(_on_cart("FO-3", ""), state=_ASSIGNED, device="", batch="", totes=())
_INSTEAD = Substitute("TEA", NAMES["TEA"], ("gtin-TEA",), 4)
_MISSING = _on_cart("FO-1", "X-1", lines=(line(1, "OAT", 2, substitutes=(_INSTEAD,)),), shelves=())
_WHY = Picking(asked_why=AskedWhy("A-01", "OAT", ""))


def _at(step: FloorStep, doing: Picking | None = None, *, bin_id: str = "A-01") -> Session:
    return Session("scanner-1", step=step, fulfillment_order_id="FO-1", bin_id=bin_id, doing=doing)


def _facts(*walk: Work, **more: Any) -> PickFacts:
    return PickFacts(work=walk[0], walk=walk, vision=VisionMode.OFF, **more)


SITUATIONS: dict[FloorStep, tuple[Session, Facts]] = {
    FloorStep.CART_TOTE: (_at(FloorStep.CART_TOTE), _facts(*_CART, next_works=(_NEXT, _NEXT))),
    FloorStep.PICK_TOTE: (
        _at(FloorStep.PICK_TOTE, Picking(in_hand=InHand("FO-1", NAMES["OAT"], 2))),
        _facts(*_CART),
    ),
    FloorStep.PICK_FULL: (_at(FloorStep.PICK_FULL), _facts(_on_cart("FO-1", "X-7"), _CART[1])),
    FloorStep.PICK_ZERO: (
        _at(FloorStep.PICK_ZERO, Picking(may_be_empty=MayBeEmpty("A-01", "TEA", "", NAMES["TEA"]))),
        _facts(*_CART),
    ),
    FloorStep.PICK_SHORT: (_at(FloorStep.PICK_SHORT, _WHY), _facts(*_CART)),
    FloorStep.PICK_DAMAGED: (_at(FloorStep.PICK_DAMAGED, _WHY), _facts(*_CART)),
    FloorStep.PICK_SUBSTITUTE: (
        _at(FloorStep.PICK_SUBSTITUTE, Picking(missing=Missing("OAT", "missing", "FO-1", 1)), bin_id=""),
        _facts(_MISSING),
    ),
}
