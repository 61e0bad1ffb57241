"""A cancel from the hub: before hand-over it wins, after it the node says that it came too late.

Goods that were picked go to a put-back task; a closed parcel is first unpacked by book, so they lie on the
stage again. A second cancel of the same order does nothing.
"""

from __future__ import annotations

from bodega.core.ledger import stage_of
from bodega.core.lifecycles import FULFILLMENT, FulfillmentEvent, FulfillmentState
from bodega_agent.rules.floor.effects import CancelWork, Effect, OpenPutBack, ReportLateCancel, Unpack

# It has left the house: with the carrier, or with the customer.
GONE_STATES = frozenset({FulfillmentState.SHIPPED, FulfillmentState.COLLECTED})
_IN_A_PARCEL = frozenset({FulfillmentState.PACKED, FulfillmentState.LABELLED, FulfillmentState.STAGED})


def cancel_effects(
    fulfillment_order_id: str, state: FulfillmentState, *, picked: int, sscc: str
) -> tuple[Effect, ...]:
    """What a cancel does to an order in `state` with `picked` units off the shelf; empty if nothing."""
    if not FULFILLMENT.allows(state, FulfillmentEvent.CANCEL):
        return (ReportLateCancel(fulfillment_order_id),) if state in GONE_STATES else ()
    effects: list[Effect] = [CancelWork(fulfillment_order_id)]
    if state in _IN_A_PARCEL:
        effects.append(Unpack(fulfillment_order_id, sscc))
    if picked > 0:
        effects.append(OpenPutBack(fulfillment_order_id, stage_of(fulfillment_order_id)))
    return tuple(effects)
