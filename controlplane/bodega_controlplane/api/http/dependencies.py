"""What handlers are given: the hub, the channel that asks, and headers and path parameters that many of them take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPBearer
from pydantic import AwareDatetime

from bodega.limits import (
    IDEMPOTENCY_KEY_CHARS_MAX,
    IDENTIFIER_CHARS_MAX,
    PAGE_ROWS_DEFAULT,
    PAGE_ROWS_MAX,
    TEXT_CHARS_MAX,
)
from bodega_controlplane.api.http.models.words import PLAIN_WORD, VISIBLE_ASCII
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering.desk import OrderDesk
from bodega_controlplane.app.selling.views import ChannelView
from bodega_controlplane.app.views import Caller, PageRequest

# Only for the document: `middleware.Gate` has asked for the token long before a handler runs.
bearer = HTTPBearer(auto_error=False, scheme_name="channelToken", description="The channel's token.")


# Coroutines, because FastAPI sends a plain function to a thread of its own: dearer than the rest of most requests.
async def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


async def _desk(request: Request) -> OrderDesk:
    desk: OrderDesk = request.app.state.desk
    return desk


async def _channel(request: Request) -> ChannelView:
    channel: ChannelView = request.state.channel
    return channel


async def _caller(request: Request) -> Caller:
    hub: Hub = request.app.state.hub
    channel: ChannelView = request.state.channel
    return hub.caller(channel.channel_id, channel.channel_id)


HubHere = Annotated[Hub, Depends(_hub)]
DeskHere = Annotated[OrderDesk, Depends(_desk)]
ChannelHere = Annotated[ChannelView, Depends(_channel)]
CallerHere = Annotated[Caller, Depends(_caller)]


def _id(example: str) -> object:
    return Path(min_length=1, max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_WORD, examples=[example])


OrderId = Annotated[str, _id("O-1KAJ8Q3W2-7YB0M4TD")]
SkuId = Annotated[str, _id("TEA-EARL-GREY")]
ReturnId = Annotated[str, _id("R-1KAJ8Q3W2-7YB0M4TD")]

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=IDEMPOTENCY_KEY_CHARS_MAX,
        pattern=VISIBLE_ASCII,
        description="Made by the client, one per change: sending the same request again is safe, and changes "
        "nothing twice.",
    ),
]
IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        max_length=TEXT_CHARS_MAX,
        description="ETag of the state that the change was decided on; 412 if it is another one by now.",
    ),
]
IfNoneMatch = Annotated[
    str,
    Header(
        alias="If-None-Match",
        max_length=TEXT_CHARS_MAX,
        description="ETag that the client has; 304 if it holds.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX, description="Rows wanted.")]
Cursor = Annotated[str, Query(max_length=TEXT_CHARS_MAX, description="`next_cursor` of the last page.")]


async def _page(limit: Limit = PAGE_ROWS_DEFAULT, cursor: Cursor = "") -> PageRequest:
    return PageRequest(limit, cursor)


PageHere = Annotated[PageRequest, Depends(_page)]

Since = Annotated[
    AwareDatetime | None,
    Query(
        description="Only what has changed at this time or later. Ask again from a minute before the last `updated_at` "
        "that was seen; to miss nothing, poll the events."
    ),
]
