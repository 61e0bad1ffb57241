"""Tells the hub what is good to know, when there is nothing that it must know: telemetry never delays a ship."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import TELEMETRY_LOOK_S, TELEMETRY_SAMPLE_S
from bodega.v1 import telemetry_pb2
from bodega_agent.rules.telemetry import Condition, Finding, findings, sample
from bodega_agent.services.ports import HubLink
from bodega_agent.store.telemetry import TelemetryBox

log = get_logger(__name__)


class TelemetryService:
    """`look` asks how the node is; `may_speak`: whether the journal has nothing to send; `may_keep`: whether the disk
    has room for what may be lost. `figures`: how the floor has worked lately, asked for with every sample.
    """

    def __init__(
        self,
        node_id: str,
        box: TelemetryBox,
        link: HubLink,
        *,
        look: Callable[[], Awaitable[Condition]],
        may_speak: Callable[[], bool],
        may_keep: Callable[[], bool],
        figures: Callable[[], Awaitable[list[Finding]]] | None = None,
    ) -> None:
        self._node_id = node_id
        self._box = box
        self._link = link
        self._look = look
        self._may_speak = may_speak
        self._may_keep = may_keep
        self._figures = figures
        self._before: Condition | None = None
        self._sampled_at_s: float | None = None

    async def run(self) -> None:
        """Until cancelled; whatever goes wrong costs telemetry only."""
        while True:
            try:
                await self._notice()
                await self._send()
            except (Unavailable, OSError) as error:
                log.debug("telemetry_waits", reason=str(error))
            await asyncio.sleep(TELEMETRY_LOOK_S)

    async def _notice(self) -> None:
        now = await self._look()
        found = findings(self._before, now)
        self._before = now
        clock_s = asyncio.get_running_loop().time()
        if self._sampled_at_s is None or clock_s - self._sampled_at_s >= TELEMETRY_SAMPLE_S:
            self._sampled_at_s = clock_s
            found.append(sample(now))
            found += await self._figures() if self._figures else []
        if found and self._may_keep():
            await asyncio.to_thread(self._box.add, list(map(_row, found)))

    async def _send(self) -> None:
        """What waits, oldest first, for as long as nothing else has to go."""
        while self._may_speak():
            waiting = await asyncio.to_thread(self._box.oldest)
            if waiting is None:
                return
            path, report = waiting
            report.node_id = self._node_id
            await self._link.report(report)
            await asyncio.to_thread(self._box.remove, path)


def _row(finding: Finding) -> telemetry_pb2.TelemetryRow:
    return telemetry_pb2.TelemetryRow(
        at_ms=time.time_ns() // 1_000_000, kind=finding.kind, subject=finding.subject, detail=finding.detail
    )
