"""Builds the storefront's ASGI app; the composition root serves it, with uvicorn's access log off."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

import bodega
from bodega.errors import BodegaError, InvalidInput, NotFound
from bodega_controlplane.api.http.doorkeeper import Doorkeeper
from bodega_controlplane.api.http.faults import invalid_request
from bodega_controlplane.api.http.middleware import BodyLimit, Gate, Watch
from bodega_controlplane.api.http.openapi import document
from bodega_controlplane.api.http.problems import problem
from bodega_controlplane.api.http.routers import LARGER_BODIES, include_all, methods_of
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering.desk import OrderDesk
from bodega_controlplane.keys import Tokens

_DESCRIPTION = """\
Orders in, promises kept. Send `Authorization: Bearer <token of the channel>` with everything under `/v1`.
Every write needs an `Idempotency-Key`: a repeat gets the first answer, byte for byte, and changes nothing twice.
Every refusal is `application/problem+json` (RFC 9457) with a stable `code`, a `hint` and all `faults`; one with
`Retry-After` says when to come back. `ETag` and `If-Match` keep two writers from undoing each other's work.
Quantities are base units; times are RFC 3339 in UTC; money is in minor units of an ISO 4217 currency."""

_METHOD_CHARS_MAX = 20


def build_app(hub: Hub, tokens: Tokens, clock: Callable[[], float] = time.monotonic) -> FastAPI:
    """The storefront's HTTP API over `hub`. No interactive pages: those would load scripts from elsewhere.

    `clock`: seconds that never go back, for the rates of channels.
    """
    app = FastAPI(
        title="Bodega storefront API",
        version=bodega.__version__,
        summary="Catalogue, orders and availability for sales channels.",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        # A redirect would say http:// behind a proxy that ends TLS, and a client would follow with its token.
        redirect_slashes=False,
    )
    app.state.hub = hub
    app.state.desk = OrderDesk(hub)
    include_all(app)
    app.add_exception_handler(BodegaError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _by_starlette)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, larger=LARGER_BODIES)
    app.add_middleware(Gate, doorkeeper=Doorkeeper(hub, tokens, clock))
    app.add_middleware(Watch)
    app.openapi = cache(lambda: document(app))  # type: ignore[method-assign]  # FastAPI's documented way
    return app


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, BodegaError)
    return problem(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(invalid_request(error.errors()))


async def _by_starlette(request: Request, error: Exception) -> Response:
    """Unknown paths, wrong methods, bodies that cannot be read."""
    assert isinstance(error, HTTPException)
    hint = "GET /openapi.json lists every path with its methods and bodies"
    headers = error.headers or {}
    ours: BodegaError
    if error.status_code == 404:
        ours = NotFound("there is no such path", hint=hint)
    elif error.status_code == 405:
        methods = ", ".join(methods_of(request.scope, headers.get("Allow", "")))
        headers = {**headers, "Allow": methods}
        ours = InvalidInput(
            f"this path has no {request.method[:_METHOD_CHARS_MAX]}, only {methods}",
            code="method-not-allowed",
            hint=hint,
        )
    else:
        ours = InvalidInput("the request cannot be read", code="unreadable-request", hint=hint)
    return problem(ours, status=error.status_code, headers=headers)
