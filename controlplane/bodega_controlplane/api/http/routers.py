"""Every router of the storefront API, in the order of the document.

A new resource is one file in `routes/`, whose router has the whole path as its prefix, and one row here.

Routers under /v1 need a channel's token (`middleware.Gate` asks for it); the others are open to all.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, FastAPI, Security
from starlette.routing import Match, Route
from starlette.types import Scope

from bodega_controlplane.api.http.dependencies import bearer
from bodega_controlplane.api.http.routes import (
    availability,
    catalogue,
    events,
    health,
    orders,
    returns,
    shipments,
    webhooks,
)

OF_CHANNELS: tuple[APIRouter, ...] = (
    catalogue.router,
    availability.router,
    orders.router,
    shipments.router,
    returns.router,
    events.router,
    webhooks.router,
)
# Path -> bytes of a body, for those that may have more than REQUEST_BYTES_MAX.
LARGER_BODIES: Mapping[str, int] = {**catalogue.LARGER_BODIES}
OPEN_TO_ALL: tuple[APIRouter, ...] = (health.router,)


def methods_of(scope: Scope, known: str) -> list[str]:
    """Every method of a path (RFC 9110, 10.2.1), with those `known`: Starlette tells those of one route."""
    found = set(filter(None, known.split(", ")))
    for router in (*OF_CHANNELS, *OPEN_TO_ALL):
        for route in router.routes:
            if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
                found |= route.methods or set()
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


def include_all(app: FastAPI) -> None:
    """Put every router into the app."""
    for router in OF_CHANNELS:
        app.include_router(router, dependencies=[Security(bearer)])
    for router in OPEN_TO_ALL:
        app.include_router(router)
