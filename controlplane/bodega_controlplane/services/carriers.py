"""Asks the configured carriers, now and then, whether they are there and what they offer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial

from bodega.core.rates import Service
from bodega.errors import BodegaError, Unavailable
from bodega.host.log import get_logger
from bodega.limits_hub import CARRIER_CHECK_S, CARRIER_CHECK_TAKES_S, CARRIER_MISSES_BEFORE_DOWN
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.shipping import carriers as use_cases
from bodega_controlplane.app.shipping import publishing
from bodega_controlplane.carriers.ports import Carrier

log = get_logger(__name__)


class CarrierService:
    """Runs for as long as the control plane does, and closes its carriers at the end.

    A carrier that has failed CARRIER_MISSES_BEFORE_DOWN times in a row is down, and up again with its first answer; one
    that an operator has said is down stays so. Of several hubs on one database the one that asked last is believed.
    """

    def __init__(
        self,
        hub: Hub,
        carriers: Sequence[Carrier],
        *,
        every_s: float = CARRIER_CHECK_S,
        takes_s: float = CARRIER_CHECK_TAKES_S,
    ) -> None:
        self._hub = hub
        self._carriers = carriers
        self._every_s = every_s
        self._takes_s = takes_s
        self._misses: Counter[str] = Counter()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                for carrier in self._carriers:
                    await self.ask(carrier)
                await asyncio.sleep(self._every_s)
        finally:
            for carrier in self._carriers:
                await carrier.close()

    async def ask(self, carrier: Carrier) -> None:
        """Ask one carrier, and keep what follows; what a database that is away has left undone is done later."""
        try:
            services = await self._answer(carrier)
        except Unavailable as error:
            await self._missed(carrier.name, error)
            return
        self._misses[carrier.name] = 0
        caller = self._hub.caller(use_cases.HUB, use_cases.HUB)
        try:
            published = partial(publishing.publish, caller=caller, carrier=carrier.name, services=services)
            if await self._hub.run(published):
                log.info("carrier_published", carrier=carrier.name, services=len(services))
            if await self._hub.run(partial(use_cases.answered, caller=caller, carrier=carrier.name)):
                log.info("carrier_up", carrier=carrier.name)
        except BodegaError as error:
            why = "; ".join(map(str, error.faults))
            log.warning("carrier_not_taken", carrier=carrier.name, reason=error.message, faults=why)

    async def _answer(self, carrier: Carrier) -> tuple[Service, ...]:
        try:
            async with asyncio.timeout(self._takes_s):
                await carrier.check()
                return await carrier.services()
        except TimeoutError as error:
            raise Unavailable(f"{carrier.name} has not answered within {self._takes_s:.0f} s") from error
        except Unavailable:
            raise
        except Exception as error:  # a driver of somebody else: its bug is a miss of its carrier, and no more
            log.exception("carrier_driver_failed", carrier=carrier.name)
            raise Unavailable(f"its driver has failed: {type(error).__name__}") from error

    async def _missed(self, name: str, error: Unavailable) -> None:
        self._misses[name] += 1
        log.warning("carrier_missed", carrier=name, times=self._misses[name], reason=error.message)
        if self._misses[name] < CARRIER_MISSES_BEFORE_DOWN:
            return
        caller = self._hub.caller(use_cases.HUB, use_cases.HUB)
        down = partial(use_cases.set_carrier, caller=caller, carrier=name, down=True, reason=error.message)
        try:
            await self._hub.run(down)
        except BodegaError as refusal:
            log.warning("carrier_not_down", carrier=name, reason=refusal.message)
