"""What has happened, in order: whoever missed a webhook, or wants none, asks for what came after the last he has."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bodega.limits import PAGE_ROWS_DEFAULT
from bodega.limits_events import EVENT_TYPES_PER_WEBHOOK_MAX
from bodega_controlplane.api.http.dependencies import CallerHere, HubHere, Limit
from bodega_controlplane.api.http.models.telling import EventId, EventPageOut, EventType
from bodega_controlplane.api.http.openapi import refusals
from bodega_controlplane.app.telling import events
from bodega_controlplane.app.views import PageRequest

router = APIRouter(prefix="/v1/events", tags=["events"])

_AFTER = Query(
    description="An event's id, or the `next_cursor` of the last answer; empty: the oldest kept; `latest`: "
    "nothing of what has been."
)
_TYPE = Query(
    max_length=EVENT_TYPES_PER_WEBHOOK_MAX, description='Only these types; "order.*" means all that begin so.'
)


@router.get("", summary="Events after one of them", responses=refusals())
async def list_events(
    hub: HubHere,
    caller: CallerHere,
    limit: Limit = PAGE_ROWS_DEFAULT,
    after: Annotated[EventId, _AFTER] = "",
    type: Annotated[list[EventType], _TYPE] = [],  # noqa: A002, B006 - the parameter's name; it is never changed
) -> EventPageOut:
    """The channel's own, and those of nobody in particular, such as stock. Numbered without gaps when they happen, so
    that whoever goes on from `next_cursor` misses none. They are kept for 30 days; a cursor from before that, or from
    before the control plane was restored from a backup, is refused with `cursor-expired` or `cursor-unknown`."""
    page, channel = PageRequest(limit, after), caller.channel
    found = await hub.read(
        lambda tx: events.list_events(tx, page, channel=channel, types=type, types_at="query.type")
    )
    return EventPageOut.of(found)
