"""`bodega ledger verify`: does every event add up, in the journal, its archives and the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bodega.errors import ExitCode
from bodega.host.cli import emit_json, json_option
from bodega.limits import LEDGER_CHECK_S
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option


@click.command()
@config_option
@json_option
@click.option("--since-checkpoint", is_flag=True, help="Quick: begin at the newest checkpoint of the chain.")
@click.option(
    "--clear", is_flag=True, help="Let the running agent check, and take its alarm back if all is right."
)
def verify(config_path: Path, *, as_json: bool, since_checkpoint: bool, clear: bool) -> None:
    """Check the whole ledger: archives, hash chain, postings that sum to zero, balances, serials.

    The first thing that is wrong is named, and the exit code is 1. Archives that were dropped to make room are
    said; then the check begins at the oldest checkpoint behind them.

    \b
    Examples:
      bodega ledger verify
      bodega ledger verify --since-checkpoint
      bodega ledger verify --clear     after the cause of an alarm is gone
    """
    if clear and since_checkpoint:
        raise click.UsageError("an alarm is only taken back by the full check: leave --since-checkpoint out")
    if clear:
        with ControlClient.of(config_path, answer_s=LEDGER_CHECK_S) as agent:
            result = agent.ask("ledger.verify")
    else:
        with ledger_of(config_path) as journal:
            result = journal.verify(since_checkpoint=since_checkpoint)
    if as_json:
        emit_json(result)
    else:
        _show(result)
    if not result["ok"]:
        raise SystemExit(ExitCode.CHECK_FAILED)


def _show(result: dict[str, Any]) -> None:
    for note in result["notes"]:
        click.echo(f"note: {note}")
    last = result["from_seq"] + result["events"] - 1
    checked = f"{result['events']} events"
    if result["from_seq"] > 1 or result["archives"]:
        checked += f" ({result['from_seq']} to {last}, {result['archives']} archives)"
    if result["ok"]:
        click.echo(f"{checked}: chain, postings, balances and serials are right.")
        return
    click.echo(f"BROKEN after {checked}: {result['problem']}")
    click.echo("  next: keep the file as it is, stop the agent, and call whoever runs the fleet;")
    click.echo("        bodega ledger restore puts the newest backup in its place")
