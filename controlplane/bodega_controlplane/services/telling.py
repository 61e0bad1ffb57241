"""Numbers what commits have left to be told (`app.telling.numbering`), a moment after each, beside everything else.

Every instance looks; they take turns, and whoever comes second finds nothing left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bodega.limits_events import EVENTS_NUMBERED_EVERY_S
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.telling import numbering
from bodega_controlplane.services.attempts import attempt


class TellingService:
    """Runs for as long as the control plane does. `told` is called whenever there may be new events."""

    def __init__(self, hub: Hub, told: Callable[[], None] = lambda: None) -> None:
        self._hub = hub
        self._told = told

    async def run(self) -> None:
        """Until cancelled; what a database that is away has left unnumbered is numbered later."""
        while True:
            with attempt("events_not_numbered"):
                await self.round()
            await asyncio.sleep(EVENTS_NUMBERED_EVERY_S)

    async def round(self) -> None:
        """Number all that there is now."""
        hub = self._hub
        while await hub.read(lambda tx: numbering.any_due(tx, hub.now_ms())):
            await hub.run(lambda tx: numbering.number(tx, hub.now_ms(), hub.policy))
            self._told()
