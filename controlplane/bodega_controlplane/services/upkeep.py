"""Does what `app.upkeep` finds to be done, round after round, beside everything else."""

from __future__ import annotations

import asyncio

from bodega.errors import BodegaError
from bodega.host.log import get_logger
from bodega.limits import UPKEEP_S
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.upkeep import ACTOR, due

log = get_logger(__name__)


class UpkeepService:
    """Runs for as long as the control plane does, a round every `every_s`."""

    def __init__(self, hub: Hub, every_s: float = UPKEEP_S) -> None:
        self._hub = hub
        self._every_s = every_s

    async def run(self) -> None:
        """Until cancelled; what a database that is away has left undone is done later."""
        while True:
            try:
                await self.round()
            except BodegaError as error:
                log.warning("upkeep_failed", code=error.code, reason=error.message)
            await asyncio.sleep(self._every_s)

    async def round(self) -> None:
        """Everything that is due now."""
        caller, now, policy = self._hub.caller(ACTOR, ACTOR), self._hub.boot_time(), self._hub.policy
        for job in await self._hub.read(lambda tx: due(tx, caller, policy, now)):
            await self._hub.run(job)
