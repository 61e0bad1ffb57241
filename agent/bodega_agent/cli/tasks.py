"""`bodega tasks`: what is to be done at the node."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc


@click.command()
@config_option
@json_option
def tasks(config_path: Path, *, as_json: bool) -> None:
    """List open work: orders that have not left the house, the most urgent first; goods to put back; places to count.

    Reads the ledger file, so it works while the agent is down.

    \b
    Examples:
      bodega tasks
      bodega tasks --json | jq '.[] | select(.kind == "put_back")'
    """
    with ledger_of(config_path) as ledger:
        open_work = ledger.tasks()
    if as_json:
        emit_json(open_work)
        return
    emit_table(
        ("kind", "order", "state", "due", "units", "device", "sscc", "label", "place"),
        [
            (
                task["kind"],
                task.get("fulfillment_order_id") or "-",
                task.get("state", ""),
                utc(task["due_ms"]) if task.get("due_ms") else "-",
                task.get("units", task.get("quantity", "-")),
                task.get("device") or "-",
                task.get("sscc") or "-",
                task.get("print_state") or "-",
                f"{task['place']}: {task['sku_id'] or 'all of it'}" if "place" in task else "-",
            )
            for task in open_work
        ],
        empty="Nothing is to be done.",
    )
