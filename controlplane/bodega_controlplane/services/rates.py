"""Sees to it that every node has the services of the card in force, and knows which carriers are down."""

from __future__ import annotations

import asyncio
from functools import partial

from bodega.host.log import get_logger
from bodega.limits_hub import RATES_TOLD_S
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.shipping import telling
from bodega_controlplane.services.attempts import attempt

log = get_logger(__name__)


class RateService:
    """Runs for as long as the control plane does. Several on one database do the same work twice at worst."""

    def __init__(self, hub: Hub, *, every_s: float = RATES_TOLD_S) -> None:
        self._hub = hub
        self._every_s = every_s

    async def run(self) -> None:
        """Until cancelled; what a database that is away has left undone is done later."""
        while True:
            with attempt("rates_not_told"):
                await self.round()
            await asyncio.sleep(self._every_s)

    async def round(self) -> int:
        """Give every node that is behind what is right now; how many were given something else than they had."""
        caller = self._hub.caller("hub", "hub")
        late = await self._hub.read(partial(telling.behind, now_ms=caller.now_ms))
        told = 0
        for node_id in late:
            told += await self._hub.run(partial(telling.tell, caller=caller, node_id=node_id))
        if told:
            log.info("rates_told", nodes=told)
        return told
