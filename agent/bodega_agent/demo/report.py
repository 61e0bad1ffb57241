"""What a run has shown: a table for people, one JSON document for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bodega_agent.demo.evidence import Evidence
from bodega_agent.demo.figures import Figures
from bodega_agent.demo.invariants import Finding

BREACHES_SHOWN_MAX = 5

_WORDS = {
    "orders_placed": "orders placed",
    "orders_shipped": "  shipped whole",
    "orders_short": "  shipped in part, or nothing on the shelf",
    "orders_cancelled": "  cancelled",
    "orders_refused": "orders refused for want of stock",
    "oversold_units": "units oversold",
    "labels_printed": "labels printed",
    "labels_double": "  of these double",
    "labels_asked_again": "  asked for again, lost in mid-print",
    "wrong_scans": "wrong scans, all refused",
    "units_set_apart": "units that came in broken, set apart",
    "shift_ms": "from the first order's first step to the last order's last, ms",
    "verdicts": "camera verdicts",
    "verdicts_doubtful": "  of these doubtful",
    "events_total": "events recorded at the nodes",
    "events_lost": "  lost",
    "events_doubled": "  doubled",
    "lag_p50_ms": "sync lag p50, ms",
    "lag_p99_ms": "sync lag p99, ms",
    "catchup_events": "events waiting at the heal",
    "catchup_events_per_s": "  caught up, events/s",
    "reconnect_ms": "  node back after the heal, ms",
    "restart_ms": "killed agent synced again after, ms",
    "conflicts": "conflicts resolved by a rule",
}


def document(
    evidence: Evidence, figures: Figures, findings: Sequence[Finding], seconds: float
) -> dict[str, Any]:
    """The JSON document; `broken` maps each broken invariant to its breaches."""
    broken = {finding.name: list(finding.breaches) for finding in findings if not finding.holds}
    return {
        "ok": not broken,
        "seconds": round(seconds, 1),
        "seed": evidence.plan.seed,
        "nodes": len(evidence.plan.sites),
        **figures.as_json(),
        "broken": broken,
    }


def write_json(path: Path, report: dict[str, Any]) -> None:
    """The document as a file, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


def print_report(report: dict[str, Any], findings: Sequence[Finding]) -> None:
    """The summary table and, for each rule, whether it holds."""
    click.echo()
    for key, words in _WORDS.items():
        click.echo(f"  {words:<44} {report[key]:>9,}")
    click.echo(f"  {'seconds':<44} {report['seconds']:>9}")
    click.echo()
    for finding in findings:
        click.echo(f"  {'holds ' if finding.holds else 'BROKEN'}  {finding.says}")
        for breach in finding.breaches[:BREACHES_SHOWN_MAX]:
            click.echo(f"          - {breach}")
        if len(finding.breaches) > BREACHES_SHOWN_MAX:
            click.echo(f"          ... and {len(finding.breaches) - BREACHES_SHOWN_MAX} more")
    click.echo()
