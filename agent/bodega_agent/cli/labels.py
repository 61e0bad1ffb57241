"""`bodega labels`: every label that was asked for, and the explicit way to ask for another."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import click

from bodega.errors import Unavailable
from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc


@click.group()
def labels() -> None:
    """Parcel labels: one print job each, and reprints that are counted and have a reason.

    A job is queued, sent, then confirmed by the printer or by a scan of the label. `unknown` means that
    nobody knows if it was printed: look, scan it if it is there, reprint it if it is not.
    """


@labels.command("ls")
@config_option
@json_option
@click.option("--unknown", is_flag=True, help="Only those of which nobody knows if they were printed.")
def list_labels(config_path: Path, *, as_json: bool, unknown: bool) -> None:
    """List print jobs, newest last. Reads the ledger file; works while the agent is down.

    \b
    Examples:
      bodega labels ls
      bodega labels ls --unknown
    """
    with ledger_of(config_path) as ledger:
        jobs = [job for job in ledger.labels() if not unknown or job["state"] == "unknown"]
    if as_json:
        emit_json(jobs)
        return
    emit_table(
        ("sscc", "order", "state", "copy", "changed", "detail"),
        [
            (
                job["sscc"],
                job["fulfillment_order_id"],
                job["state"],
                job["copy"],
                utc(job["updated_at_ms"]),
                job["detail"],
            )
            for job in jobs
        ],
        empty="No label is in doubt." if unknown else "No labels yet.",
    )


@labels.command()
@config_option
@json_option
@click.argument("sscc")
@click.option("--reason", required=True, help="Why the first label is not there; goes into the journal.")
@click.option("--cmd-id", default="", help="Repeat a command that got no answer: the same id prints once.")
def reprint(config_path: Path, *, as_json: bool, sscc: str, reason: str, cmd_id: str) -> None:
    """Print the label of a parcel again. The old print job ends; the new one is counted.

    Refused while the first label may still come out of the printer.

    \b
    Example:
      bodega labels reprint 395260640000000019 --reason "paper jam, label torn"
    """
    command = cmd_id or str(uuid4())
    with ControlClient.of(config_path) as agent:
        try:
            job = agent.ask("reprint", sscc=sscc, reason=reason, cmd_id=command)
        except Unavailable as error:
            again = f"bodega labels reprint {sscc} --reason '{reason}' --cmd-id {command}"
            raise Unavailable(error.message, hint=f"to be sure that it prints once: {again}") from error
    if as_json:
        emit_json(job)
    else:
        click.echo(f"Label of parcel {sscc} is queued as copy {job['copy']}. Throw any other one away.")
