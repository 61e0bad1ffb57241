"""Ends promises and overrides whose time is over, and gives back to stock what no customer has fetched.

On the event loop's monotonic clock and not on the scheduler: that one plans by the wall clock, and a wall
clock set back by a year would leave everything reserved for a year. What is due, the ledger decides by
CLOCK_BOOTTIME; this only asks often enough.
"""

from __future__ import annotations

import asyncio

from bodega.errors import BodegaError
from bodega.host.log import get_logger
from bodega.limits import EXPIRY_SWEEP_S
from bodega_agent.store.expiry import expire_due
from bodega_agent.store.store import Store

log = get_logger(__name__)


class ExpiryService:
    """Runs for as long as the daemon does. A promise ends at most `every_s` after it is due."""

    def __init__(self, store: Store, every_s: float = EXPIRY_SWEEP_S) -> None:
        self._store = store
        self._every_s = every_s

    async def run(self) -> None:
        """Until cancelled; a ledger that can not be written is tried again."""
        while True:
            try:
                ended = await self._store.write(expire_due)
            except BodegaError as error:
                log.warning("expiry_failed", code=error.code, reason=error.message)
            else:
                if ended:
                    log.info("promises_expired", ended=ended)
            await asyncio.sleep(self._every_s)
