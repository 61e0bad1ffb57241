"""Whether the control plane can answer, for load balancers."""

from __future__ import annotations

from fastapi import APIRouter

import bodega
from bodega_controlplane.api.http.dependencies import HubHere
from bodega_controlplane.api.http.models.health import HealthOut
from bodega_controlplane.api.http.openapi import refusals

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the control plane can answer", responses=refusals(open_to_all=True))
async def healthz(hub: HubHere) -> HealthOut:
    """Asks the database; 503 when that does not answer."""
    await hub.ask_database()
    return HealthOut(status="ok", version=bodega.__version__, broker_connected=hub.broker_connected)
