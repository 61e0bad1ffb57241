"""What every request passes through before FastAPI sees it, as plain ASGI.

From the outside in: `Watch` binds the correlation id, logs one line and turns an unforeseen fault into a
500 without internals; `Gate` asks for a channel's token before anything of the body is read;
`BodyLimit` reads the body up to its bounds of size and time, whatever Content-Length says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bodega.errors import BodegaError, InvalidInput
from bodega.host.log import bound, get_logger
from bodega.limits import REQUEST_BODY_S_MAX, REQUEST_BYTES_MAX
from bodega_controlplane.api.bugs import unforeseen
from bodega_controlplane.api.correlation import HEADER, correlation_id
from bodega_controlplane.api.http.doorkeeper import Doorkeeper
from bodega_controlplane.api.http.problems import problem
from bodega_controlplane.app.selling.views import ChannelView

log = get_logger(__name__)

GUARDED_PREFIX = "/v1/"
_DIGITS_MAX = 18


class Watch:
    """Correlation id, access log, last line of defence; status 0 in the log: the client went before the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        word = correlation_id(Headers(scope=scope).get(HEADER))
        status, started = 0, time.monotonic()
        # HEAD is GET without its body, which the server leaves out (RFC 9110, 9.3.2).
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = word
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Cache-Control"] = "no-store"
            await send(message)

        with bound(correlation_id=word):
            try:
                await self._app(asked, receive, sending)
            except Exception as error:  # noqa: BLE001 - the last line of defence: a 500, never internals
                answer = problem(unforeseen(error, word))
                if not status:
                    await answer(scope, receive, sending)
            ms = round((time.monotonic() - started) * 1000, 1)
            about = {"method": scope["method"], "path": _template(asked), "channel": _channel(asked)}
            log.info("http_request", **about, status=status, ms=ms)


def _template(scope: Scope) -> str:
    """The path as the route declares it; what the client put in its place is not for the log."""
    return getattr(scope.get("route"), "path", "(not routed)")


def _channel(scope: Scope) -> str:
    channel: ChannelView | None = scope.get("state", {}).get("channel")
    return channel.channel_id if channel else ""


class Gate:
    """A channel's token, asked for on everything under /v1/; handlers find the channel in `request.state.channel`."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._doorkeeper = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(GUARDED_PREFIX):
            given = Headers(scope=scope).get("authorization", "")
            try:
                channel = await self._doorkeeper.admit(given)
            except BodegaError as error:
                await problem(error)(scope, receive, send)
                return
            scope.setdefault("state", {})["channel"] = channel
        await self._app(scope, receive, send)


class BodyLimit:
    """Reads the whole body up to its bound, then hands it on as one message.

    A body whose sender went away in the middle of it is handed on to nobody: half a file is no smaller file.
    `larger`: path -> bytes, for those that may have more than REQUEST_BYTES_MAX.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int]) -> None:
        self._app = app
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._larger.get(scope["path"], REQUEST_BYTES_MAX)
        declared = Headers(scope=scope).get("content-length", "0")
        try:
            async with asyncio.timeout(REQUEST_BODY_S_MAX):
                body = None if _too_many(declared, most) else await _read(receive, most)
        except TimeoutError:
            await problem(_too_slow(), headers={"Connection": "close"})(scope, receive, send)
            return
        except ClientDisconnect:
            return
        if body is None:
            await _too_large(most)(scope, receive, send)
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receiving() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, receiving, send)


def _too_many(declared: str, most: int) -> bool:
    # More digits than any bound has are too many, and would take long to read.
    return declared.isdigit() and (len(declared) > _DIGITS_MAX or int(declared) > most)


async def _read(receive: Receive, most: int) -> bytes | None:
    """The body, or None when it is too large. Raises ClientDisconnect for one that does not come to its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _too_slow() -> InvalidInput:
    return InvalidInput(
        f"the request body has not come within {REQUEST_BODY_S_MAX:.0f} s",
        code="body-too-slow",
        hint="send it again, in smaller parts over a slow line; nothing was done",
    )


def _too_large(most: int) -> ASGIApp:
    return problem(
        InvalidInput(
            f"the request body has more than {most} bytes",
            code="body-too-large",
            hint="send fewer rows in one request",
        )
    )
