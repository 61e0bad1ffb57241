"""What of the node's condition is worth telling, as a difference between two looks at it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bodega_agent.rules.kpis import Figures


@dataclass(frozen=True, slots=True)
class Condition:
    """How the node is at one moment."""

    devices_lost: frozenset[str]
    disk_rung: str
    vision_provider: str
    connected: bool
    head_seq: int
    acked_seq: int
    disk_free_bytes: int


class Finding(NamedTuple):
    """One row: a stable word, the device or part concerned (or empty), and words or numbers."""

    kind: str
    subject: str = ""
    detail: str = ""


def findings(before: Condition | None, now: Condition) -> list[Finding]:
    """What has changed since the last look; at the first one, only what is not well."""
    known_lost = before.devices_lost if before else frozenset()
    found = [Finding("device_lost", name) for name in sorted(now.devices_lost - known_lost)]
    found += [Finding("device_back", name) for name in sorted(known_lost - now.devices_lost)]
    if before is None:
        return found
    for kind, was, is_now in (
        ("disk_rung", before.disk_rung, now.disk_rung),
        ("vision_provider", before.vision_provider, now.vision_provider),
        ("link", _link(before), _link(now)),
    ):
        if was != is_now:
            found.append(Finding(kind, "", is_now))
    return found


def sample(now: Condition) -> Finding:
    """The figures, told now and then."""
    return Finding(
        "sample",
        "",
        f"head {now.head_seq}, acknowledged {now.acked_seq}, disk free {now.disk_free_bytes} bytes",
    )


def floor_figures(figures: Figures, waiting: Mapping[str, int]) -> list[Finding]:
    """How the floor has worked lately and what waits there, a row each; of nobody in particular, and no empty one."""
    shares = {
        "pick_rate_units_per_hour": figures.all_picking.units_per_hour,
        "pick_accuracy": figures.pick_accuracy,
        "count_accuracy": figures.count_accuracy,
    }
    found = [Finding("kpi", name, f"{value:.4g}") for name, value in shares.items() if value is not None]
    found += [
        Finding(
            "kpi", f"order_to_{name}", f"{lead.orders} orders, p50 {lead.p50_ms} ms, p90 {lead.p90_ms} ms"
        )
        for name, lead in figures.leads.items()
    ]
    if reprints := sum(figures.reprints.values()):
        found.append(Finding("kpi", "label_reprints", f"{reprints} of {figures.labels} labels"))
    found += [Finding("queue", name, str(many)) for name, many in waiting.items() if many]
    for kind in sorted({kind for kind, _ in figures.exceptions}):
        reasons = (
            f"{reason or 'no reason'} {times}"
            for (of, reason), times in figures.exception_counts.items()
            if of == kind
        )
        found.append(Finding("exception", kind, ", ".join(reasons)))
    return found


def _link(condition: Condition) -> str:
    return "connected" if condition.connected else "cut"
