"""A pickup that nobody takes goes back to stock: by the way of a cancelled order, from the stage by put-away."""

from __future__ import annotations

from bodega.core.ledger import stage_of
from bodega_agent.rules.floor.effects import Effect, OpenPutBack, Unpack
from bodega_agent.rules.floor.pickup.effects import EndPickup


def give_up(fulfillment_order_id: str, sscc: str, *, refused: bool) -> tuple[Effect, ...]:
    """What ends a staged pickup: `refused` by its customer, or not fetched in time."""
    return (
        EndPickup(fulfillment_order_id, refused),
        Unpack(fulfillment_order_id, sscc),
        OpenPutBack(fulfillment_order_id, stage_of(fulfillment_order_id)),
    )
