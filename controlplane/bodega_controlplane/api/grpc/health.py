"""The standard health service (grpc.health.v1): for the server and for each of its services, by what the database says.

A load balancer that watches it takes an instance out while its database is away, and before it stops: then every
service is NOT_SERVING, while calls in hand still end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from grpc_health.v1 import health, health_pb2

from bodega.host.log import get_logger
from bodega.limits_hub import HEALTH_LOOK_S
from bodega_controlplane.app.hub import Hub

log = get_logger(__name__)

SERVICE = health.SERVICE_NAME
_Status = health_pb2.HealthCheckResponse.ServingStatus


class Health(health.aio.HealthServicer):  # type: ignore[misc, name-defined]  # it has no types
    """Says SERVING for the whole ("") and for each of `services` until `watch` finds otherwise."""

    def __init__(self, services: Sequence[str]) -> None:
        super().__init__()
        self._names = ("", *services)
        self._said: _Status | None = None

    async def watch(self, hub: Hub) -> None:
        """Look at the database every HEALTH_LOOK_S, for ever."""
        while True:
            await self.look(hub)
            await asyncio.sleep(HEALTH_LOOK_S)

    async def look(self, hub: Hub) -> None:
        """Ask the database once, and say what follows for every service."""
        status = health_pb2.HealthCheckResponse.SERVING
        try:
            await hub.ask_database()
        except Exception as error:  # noqa: BLE001 - whatever keeps the database from answering, it is said and watched
            status = health_pb2.HealthCheckResponse.NOT_SERVING
            if self._said != status:
                log.warning("not_serving", reason=f"{type(error).__name__}: {error}")
        if status != self._said:
            self._said = status
            for name in self._names:
                await self.set(name, status)
