"""What may be promised."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bodega_controlplane.api.http.dependencies import CallerHere, ChannelHere, HubHere
from bodega_controlplane.api.http.models.availability import (
    AvailabilityOut,
    AvailabilityQuery,
    AvailabilityRow,
    PromiseOut,
    SkuTotal,
)
from bodega_controlplane.api.http.openapi import refusals
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.selling.channels import policy_for
from bodega_controlplane.app.selling.promising import promise_each
from bodega_controlplane.store.transaction import Transaction

router = APIRouter(prefix="/v1/availability", tags=["availability"])


@router.get("", summary="What may be promised, with the breakdown", responses=refusals())
async def availability(
    hub: HubHere, caller: CallerHere, channel: ChannelHere, asked: Annotated[AvailabilityQuery, Query()]
) -> AvailabilityOut:
    """Of each SKU at each node, less what this channel leaves to the others.

    With a destination also by when it would come, in every class of service. It is a snapshot: an order promises.
    """
    policy = policy_for(channel, hub.policy)

    def look(tx: Transaction) -> AvailabilityOut:
        found = stock.list_availability(tx, asked.sku_id, policy)
        rows = [AvailabilityRow.of(row, channel.buffer_units) for row in found]
        to, wanted = asked.destination, sorted(set(asked.sku_id))
        promises = promise_each(tx, caller, wanted, asked.quantity, to, policy) if to else ()
        return AvailabilityOut(
            skus=SkuTotal.each(wanted, rows),
            availability=rows,
            promises=[PromiseOut.of(one) for one in promises],
        )

    return await hub.read(look)
