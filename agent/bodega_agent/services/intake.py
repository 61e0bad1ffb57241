"""Scanners: one task per device, so that a dead one never takes another with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bodega.host.log import get_logger
from bodega_adapters.ports import Scanner
from bodega_agent.services.floor import FloorService

log = get_logger(__name__)


class IntakeService:
    """Feeds every scan of every scanner to the floor, in the order in which each device sent them."""

    def __init__(self, scanners: Sequence[Scanner]) -> None:
        self._scanners = scanners

    def present(self) -> set[str]:
        """Names of the scanners that are connected now."""
        return {scanner.name for scanner in self._scanners if scanner.connected}

    async def run(self, floor: FloorService) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for scanner in self._scanners:
                tasks.create_task(_feed(scanner, floor), name=f"scanner-{scanner.name}")

    async def close(self) -> None:
        """Release every device."""
        for scanner in self._scanners:
            await scanner.close()


async def _feed(scanner: Scanner, floor: FloorService) -> None:
    await floor.greet(scanner.name)
    async for scan in scanner.scans():
        await floor.handle(scan)
