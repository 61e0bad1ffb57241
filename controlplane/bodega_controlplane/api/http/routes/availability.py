"""What may be promised."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bodega.limits import AVAILABILITY_SKUS_MAX
from bodega_controlplane.api.http.dependencies import ChannelHere, HubHere
from bodega_controlplane.api.http.models.availability import AvailabilityOut, AvailabilityRow
from bodega_controlplane.api.http.models.words import Identifier
from bodega_controlplane.api.http.openapi import refusals
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.selling.channels import policy_for

router = APIRouter(prefix="/v1/availability", tags=["availability"])


@router.get("", summary="What may be promised, with the breakdown", responses=refusals())
async def availability(
    hub: HubHere,
    channel: ChannelHere,
    sku_id: Annotated[list[Identifier], Query(min_length=1, max_length=AVAILABILITY_SKUS_MAX)],
) -> AvailabilityOut:
    """One row per SKU and node; repeat `sku_id` for more SKUs."""
    policy = policy_for(channel, hub.policy)
    rows = await hub.read(lambda tx: stock.list_availability(tx, sku_id, policy))
    return AvailabilityOut(availability=[AvailabilityRow.of(row, channel.buffer_units) for row in rows])
