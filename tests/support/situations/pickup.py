"""A parcel that a customer fetches: staged in a locker, asked for with its code, handed over."""

from __future__ import annotations

from bodega.core.floor_words import BinKind, Method
from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.pickup.code import code_sha256
from bodega_agent.rules.floor.pickup.facts import Pickup, PickupFacts, Place
from bodega_agent.rules.floor.session import FloorStep, Session

SSCC = "395260640000000019"


def pickup(state: FulfillmentState, bin_id: str = "") -> Pickup:
    """The one that all situations are about; its code is 4711."""
    return Pickup("FO-1", "O-1", state, Method.LOCKER, SSCC, bin_id, code_sha256("FO-1", "4711"))


_PACKED = pickup(FulfillmentState.LABELLED)
_WAITS = pickup(FulfillmentState.STAGED, "A-01")
_PLACES = (Place("A-01", BinKind.LOCKER, left=("FO-0",)),)
_AT_COUNTER = PickupFacts(pickup=_WAITS, scanned=(_WAITS,))


def _at(step: FloorStep, order: str = "") -> Session:
    return Session("scanner-1", step=step, fulfillment_order_id=order)


SITUATIONS: dict[FloorStep, tuple[Session, Facts]] = {
    FloorStep.STAGE_PARCEL: (_at(FloorStep.STAGE_PARCEL), PickupFacts(scanned=(_PACKED,), places=_PLACES)),
    FloorStep.STAGE_PLACE: (
        _at(FloorStep.STAGE_PLACE, "FO-1"),
        PickupFacts(pickup=_PACKED, scanned=(_PACKED,), places=_PLACES),
    ),
    FloorStep.COLLECT_FIND: (_at(FloorStep.COLLECT_FIND), PickupFacts(scanned=(_WAITS,))),
    FloorStep.COLLECT_CODE: (_at(FloorStep.COLLECT_CODE, "FO-1"), _AT_COUNTER),
    FloorStep.COLLECT_HAND: (_at(FloorStep.COLLECT_HAND, "FO-1"), _AT_COUNTER),
}
