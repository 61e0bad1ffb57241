"""Looks whether another routing bundle is in force: whichever instance has activated it, all decide by it."""

from __future__ import annotations

import asyncio

from bodega.errors import BodegaError
from bodega.host.log import get_logger
from bodega.limits_hub import ROUTING_POLL_S
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.routing import bundles, in_force
from bodega_controlplane.services.attempts import attempt

log = get_logger(__name__)


class RoutingWatch:
    """`begin` before the first order is taken, then `run` beside everything else, a look every `every_s`."""

    def __init__(self, hub: Hub, *, every_s: float = ROUTING_POLL_S) -> None:
        self._hub = hub
        self._every_s = every_s
        self._said = ""

    async def begin(self) -> None:
        """Keep the default rules with the others, and decide by what is in force. Raises Unavailable."""
        caller, sign = self._hub.caller("hub", "hub"), self._hub.key.sign
        await self._hub.run(lambda tx: bundles.keep_default(tx, caller, sign))
        await self.look()

    async def run(self) -> None:
        """Until cancelled; while the database is away everything stays as it is."""
        while True:
            await asyncio.sleep(self._every_s)
            with attempt("routing_not_looked_at"):
                try:
                    await self.look()
                except BodegaError as error:
                    self._say(error.message)

    async def look(self) -> None:
        """Once. What can not be taken is said once, and the last good bundle stays."""
        self._say(await in_force.look(self._hub))

    def _say(self, reason: str) -> None:
        if reason and reason != self._said:
            log.error("routing_bundle_not_taken", reason=reason, stays=self._hub.policy.bundle.rule)
        self._said = reason
