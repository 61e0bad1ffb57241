"""What every request passes through before FastAPI sees it, as plain ASGI.

From the outside in: `Watch` binds the correlation id, logs one line and turns an unforeseen fault into a
500 without internals; `Gate` asks for the storefront's token before anything of the body is read;
`BodyLimit` reads the body up to its bound, whatever Content-Length says.
"""

from __future__ import annotations

import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bodega.errors import BodegaError, InvalidInput
from bodega.host.log import bound, get_logger
from bodega.limits import REQUEST_BYTES_MAX
from bodega_controlplane.api import bearer
from bodega_controlplane.api.bugs import unforeseen
from bodega_controlplane.api.correlation import HEADER, correlation_id
from bodega_controlplane.api.http.problems import problem
from bodega_controlplane.keys import Tokens

log = get_logger(__name__)

GUARDED_PREFIX = "/v1/"
TOO_LARGE = 413


class Watch:
    """Correlation id, access log, last line of defence."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        word = correlation_id(Headers(scope=scope).get(HEADER))
        status, started = 0, time.monotonic()

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
                await self._app(scope, receive, sending)
            except Exception as error:  # noqa: BLE001 - the last line of defence: a 500, never internals
                answer = problem(unforeseen(error, word))
                if not status:
                    await answer(scope, receive, sending)
            ms = round((time.monotonic() - started) * 1000, 1)
            log.info("http_request", method=scope["method"], path=_template(scope), status=status, ms=ms)


def _template(scope: Scope) -> str:
    """The path as the route declares it; what the client put in its place is not for the log."""
    return getattr(scope.get("route"), "path", "(not routed)")


class Gate:
    """The storefront's token, asked for on everything under /v1/."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(GUARDED_PREFIX):
            given = Headers(scope=scope).get("authorization", "")
            try:
                bearer.demand(self._tokens, given, "storefront", file="storefront.token")
            except BodegaError as error:
                await problem(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BodyLimit:
    """Reads the whole body, at most REQUEST_BYTES_MAX, then hands it on as one message."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        body = None if _too_many(declared) else await _read(receive)
        if body is None:
            await _too_large()(scope, receive, send)
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receiving() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, receiving, send)


def _too_many(declared: str) -> bool:
    return declared.isdigit() and int(declared) > REQUEST_BYTES_MAX


async def _read(receive: Receive) -> bytes | None:
    """The body, or None when it is too large; what a client sent before it hung up counts as the body."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > REQUEST_BYTES_MAX:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return bytes(body)


def _too_large() -> ASGIApp:
    error = InvalidInput(
        f"the request body has more than {REQUEST_BYTES_MAX} bytes",
        code="body-too-large",
        hint="send fewer rows in one request",
    )
    return problem(error, status=TOO_LARGE)
