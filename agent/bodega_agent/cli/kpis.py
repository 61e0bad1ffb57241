"""`bodega kpis`: the figures of the floor, from the node's own journal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.rules.kpis import Figures, Lead, Picking
from bodega_agent.store.reads.kpis import figures_since, queues

Json = dict[str, Any]

_HOUR_MS = 3_600_000


@click.command()
@config_option
@json_option
@click.option(
    "--hours",
    type=click.FloatRange(min=0, min_open=True),
    default=24.0,
    show_default=True,
    help="How far back to look.",
)
def kpis(config_path: Path, *, as_json: bool, hours: float) -> None:
    """Show pick rate and accuracy, times from order to ship, queues, exceptions, reprints and counts.

    Reads the ledger file, so it works while the agent is down; what an archive has taken is not looked at. Rates are of
    hours spent picking: breaks of more than ten minutes do not count. Per person they are shown here and never sent.

    \b
    Examples:
      bodega kpis
      bodega kpis --hours 8 --json
    """
    with ledger_of(config_path) as ledger:
        told = figures_since(ledger, time.time_ns() // 1_000_000 - int(hours * _HOUR_MS))
        waiting = queues(ledger)
    shown = as_shown(told.figures)
    shown = {
        "hours": hours,
        "first_seq": told.first_seq,
        "last_seq": told.last_seq,
        **shown,
        "queues": waiting,
    }
    if as_json:
        emit_json(shown)
    else:
        _print(shown, told.figures)


def as_shown(figures: Figures) -> Json:
    """Stable keys; shares and rates are null while there is nothing to divide by."""
    return {
        "picking": _rates(figures.all_picking),
        "picking_by_person": {actor: _rates(picking) for actor, picking in figures.picking.items()},
        "pick_accuracy": figures.pick_accuracy,
        "units_mispicked": figures.mispicked,
        "order_to": {
            name: {"orders": lead.orders, "p50_ms": lead.p50_ms, "p90_ms": lead.p90_ms}
            for name, lead in figures.leads.items()
        },
        "exceptions": [
            {
                "kind": kind,
                "reason": reason,
                "times": figures.exception_counts[kind, reason],
                "units": noted.units,
            }
            for (kind, reason), noted in figures.exceptions.items()
        ],
        "labels": figures.labels,
        "reprints": dict(figures.reprints),
        "counts": {
            "places": figures.places_counted,
            "right": figures.places_right,
            "accuracy": figures.count_accuracy,
            "units_off": figures.units_counted_off,
            "units_in_book": figures.units_in_book,
        },
    }


def _rates(picking: Picking) -> Json:
    return {
        "units": picking.units,
        "scans": picking.scans,
        "worked_ms": picking.worked_ms,
        "units_per_hour": picking.units_per_hour,
        "scans_per_hour": picking.scans_per_hour,
    }


def _print(shown: Json, figures: Figures) -> None:
    events = f"events {shown['first_seq']} to {shown['last_seq']}" if shown["last_seq"] else "no events"
    everybody = figures.all_picking
    counts = f"{figures.places_right} of {figures.places_counted} places right"
    reprints = sum(figures.reprints.values())
    for name, text in (
        ("time", f"the last {shown['hours']:g} h, {events}"),
        (
            "pick rate",
            f"{_rate(everybody.units_per_hour)} units/h, {_rate(everybody.scans_per_hour)} scans/h",
        ),
        (
            "accuracy",
            f"picks {_share(figures.pick_accuracy)} ({everybody.units} units, {figures.mispicked} wrong)",
        ),
        *((f"to {name}", _lead(lead)) for name, lead in figures.leads.items()),
        ("counts", f"{_share(figures.count_accuracy)} ({counts}, {figures.units_counted_off} units off)"),
        ("labels", f"{figures.labels} printed first, {reprints} again"),
    ):
        click.echo(f"{name:<10}{text}")
    _tables(shown, figures)


def _tables(shown: Json, figures: Figures) -> None:
    for title, headers, rows in (
        (
            "waiting now",
            ("what", "how many"),
            [(name, many) for name, many in shown["queues"].items() if many],
        ),
        (
            "exceptions",
            ("kind", "reason", "times", "units"),
            [(row["kind"], row["reason"] or "-", row["times"], row["units"]) for row in shown["exceptions"]],
        ),
        ("labels again", ("reason", "times"), list(figures.reprints.items())),
        (
            "picking",
            ("who", "units", "scans", "hours", "units/h"),
            [
                (who, one.units, one.scans, f"{one.worked_ms / _HOUR_MS:.1f}", _rate(one.units_per_hour))
                for who, one in figures.picking.items()
            ],
        ),
    ):
        click.echo(f"\n{title}")
        emit_table(headers, rows, empty="none")


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _lead(lead: Lead) -> str:
    return f"p50 {_minutes(lead.p50_ms)}, p90 {_minutes(lead.p90_ms)} ({lead.orders} orders)"


def _minutes(ms: int) -> str:
    return f"{ms / 60_000:,.1f} min"
