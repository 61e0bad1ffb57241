"""Does what `app.ordering.upkeep` finds to be done, round after round, beside everything else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bodega.errors import BodegaError, Unavailable
from bodega.host.log import get_logger
from bodega.limits import UPKEEP_AGAIN_S, UPKEEP_S
from bodega.limits_hub import NODE_LEASE_S
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering.upkeep import ACTOR, Job, due
from bodega_controlplane.rules.leases import Leases
from bodega_controlplane.services.attempts import attempt
from bodega_controlplane.store import nodes

log = get_logger(__name__)


class UpkeepService:
    """Runs for as long as the control plane does, a round every `every_s`.

    What could not be done is tried again after `again_s`, so that many open conflicts cost little. A node that is
    silent for `lease_s` while others are heard loses what nobody there has begun.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        every_s: float = UPKEEP_S,
        again_s: float = UPKEEP_AGAIN_S,
        lease_s: float = NODE_LEASE_S,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._hub = hub
        self._every_s = every_s
        self._again_s = again_s
        self._clock = clock
        self._leases = Leases(lease_s)
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        """Until cancelled; what a database that is away has left undone is done later."""
        while True:
            with attempt("upkeep_failed"):
                await self.round()
            await asyncio.sleep(self._every_s)

    async def round(self) -> None:
        """Everything that is due now."""
        caller, boot, policy = self._hub.caller(ACTOR, ACTOR), self._hub.boot_time(), self._hub.policy
        now = (self._clock or asyncio.get_running_loop().time)()
        down = self._leases.observe(now, await self._hub.read(nodes.contacts))
        jobs = await self._hub.read(lambda tx: due(tx, caller, policy, boot, down))
        waiting = {job.name: self._not_before[job.name] for job in jobs if job.name in self._not_before}
        for job in jobs:
            if waiting.get(job.name, now) > now:
                continue
            if await self._done(job):
                waiting.pop(job.name, None)
            else:
                waiting[job.name] = now + self._again_s
        self._not_before = waiting

    async def _done(self, job: Job) -> bool:
        """Whether it was done; one that fails by itself does not stop those after it. Raises Unavailable."""
        try:
            return await self._hub.run(job.run)
        except Unavailable:
            raise
        except BodegaError as error:
            log.warning("upkeep_job_failed", job=job.name, code=error.code, reason=error.message)
        except Exception:  # a bug in what one order needs
            log.exception("upkeep_job_failed", job=job.name)
        return False
