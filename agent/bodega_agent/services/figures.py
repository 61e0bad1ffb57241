"""How the floor has worked lately, for the hub: of all together, never of a person."""

from __future__ import annotations

from collections.abc import Callable

from bodega.limits_floor import KPI_TOLD_EVENTS_MAX, KPI_TOLD_S
from bodega_agent.rules.telemetry import Finding, floor_figures
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads.kpis import figures_since, queues
from bodega_agent.store.store import Store


async def floor_findings(store: Store, now_ms: Callable[[], int]) -> list[Finding]:
    """The figures of the last KPI_TOLD_S; read beside all other work, on a connection of its own."""

    def ask(reader: Reader) -> list[Finding]:
        told = figures_since(reader, now_ms() - KPI_TOLD_S * 1000, events_max=KPI_TOLD_EVENTS_MAX)
        return floor_figures(told.figures, queues(reader))

    return await store.read_aside(ask)
