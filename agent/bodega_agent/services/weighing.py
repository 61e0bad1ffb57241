"""The scale's word on a closed box: asked after the step is durable, and never in its way.

A scale has one plate, so parcels are weighed one after another. An empty plate is no answer: it is asked again until a
parcel stands there, for SCALE_WAIT_S. A person may type the grams at any time instead.
"""

from __future__ import annotations

import asyncio
from functools import partial

from bodega.errors import BodegaError
from bodega.host.log import get_logger
from bodega.limits import COMMANDS_WAITING_MAX
from bodega.limits_floor import SCALE_EMPTY_GRAMS, SCALE_PAUSE_S, SCALE_WAIT_S
from bodega_adapters.ports import Scale
from bodega_agent.rules.floor.scans import WeightArrived
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.services.floor import FloorService, WeighAsked
from bodega_agent.store.floor import sessions
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction

log = get_logger(__name__)

_MG_PER_G = 1000


class WeighingService:
    """Turns a closed box into a question to the scale, and its answer into news for the device that packs."""

    def __init__(
        self,
        store: Store,
        floor: FloorService,
        scale: Scale,
        *,
        wait_s: float = SCALE_WAIT_S,
        pause_s: float = SCALE_PAUSE_S,
    ) -> None:
        self._store = store
        self._floor = floor
        self._scale = scale
        self._wait_s = wait_s
        self._pause_s = pause_s
        # Bounded by the devices: each waits for one parcel.
        self._asked: asyncio.Queue[WeighAsked] = asyncio.Queue(maxsize=COMMANDS_WAITING_MAX)

    def ask(self, asked: WeighAsked) -> None:
        """Queue a question."""
        self._asked.put_nowait(asked)

    async def run(self) -> None:
        """Until cancelled. First of all, whoever waited for the scale when the agent stopped waits for it still."""
        for asked in await self._store.write(_waiting):
            self.ask(asked)
        while True:
            asked = await self._asked.get()
            if await self._store.write(partial(_waits, asked=asked)):
                await self._floor.tell(asked.device, await self._weigh(asked))

    async def _weigh(self, asked: WeighAsked) -> WeightArrived:
        order = asked.fulfillment_order_id
        try:
            async with asyncio.timeout(self._wait_s):
                while True:
                    weight = await self._scale.weigh()
                    grams = round(weight.milligrams / _MG_PER_G)
                    if grams >= SCALE_EMPTY_GRAMS:
                        return WeightArrived(order, grams)
                    await asyncio.sleep(self._pause_s)
        except TimeoutError:
            return WeightArrived(order, 0, "nothing was put on it")
        except BodegaError as error:
            log.info("scale_gave_no_weight", code=error.code, reason=error.message)
            return WeightArrived(order, 0, error.message)


def _waiting(tx: Transaction) -> list[WeighAsked]:
    """Sessions that wait for a weight."""
    return [
        WeighAsked(session.device, session.fulfillment_order_id)
        for session in sessions.at_step(tx, FloorStep.PACK_WEIGH)
    ]


def _waits(tx: Transaction, *, asked: WeighAsked) -> bool:
    session = sessions.load(tx, asked.device)
    step, order = FloorStep.PACK_WEIGH, asked.fulfillment_order_id
    return (session.step, session.fulfillment_order_id) == (step, order)
