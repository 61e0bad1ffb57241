"""`bodega ledger archive`: old events go to files, now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bodega.host.cli import emit_json, json_option
from bodega.limits import ARCHIVE_OLDER_THAN_S, LEDGER_CHECK_S
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.location import config_option

_DAY_S = 24 * 3600


@click.command()
@config_option
@json_option
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(0),
    default=ARCHIVE_OLDER_THAN_S / _DAY_S,
    show_default=True,
    metavar="DAYS",
    help="Events of at least this age.",
)
def archive(config_path: Path, *, as_json: bool, days: float) -> None:
    """Move old events that the hub has acknowledged from the journal to archives.

    The running agent does it, and by itself once an hour. Results of commands of that age go too: a cmd_id that
    comes back later is a new command. `ledger verify` reads archives and journal together. The file of the ledger
    does not shrink: the room is used again.

    \b
    Examples:
      bodega ledger archive
      bodega ledger archive --older-than 7
    """
    written: list[dict[str, Any]] = []
    with ControlClient.of(config_path, answer_s=LEDGER_CHECK_S) as agent:
        agent.send("ledger.archive", older_than_days=days)
        while (step := agent.next_result())["step"] != "done":
            if step["step"] == "archived":
                written.append(step)
                if not as_json:
                    click.echo(f"events {step['first_seq']} to {step['last_seq']}: {step['file']}")
    if as_json:
        emit_json(written)
    elif not written:
        click.echo("Nothing is old enough and acknowledged.")
