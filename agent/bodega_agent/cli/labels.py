"""`bodega labels`: every label that was asked for, and what a person decides about one in doubt."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from bodega.errors import InvalidInput, Unavailable
from bodega.host.cli import LazyGroup, emit_json, emit_table, json_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc

Json = dict[str, Any]

_NEXT = {
    "unknown": (
        "look for the label of {sscc}: if it is there, scan it from the parcel, or bodega labels confirm {sscc} --seen;"
        ' if it is not, bodega labels reprint {sscc} --reason "..."'
    ),
    "failed": "mend what the detail says, then: bodega labels retry {sscc}",
}
_PAPERS = ("label", "slip", "carrier")
_paper_option = click.option(
    "--paper",
    type=click.Choice(_PAPERS),
    default="label",
    show_default=True,
    help="Which of a parcel's papers: its label, its packing slip, or the label of its carrier.",
)
_cmd_id_option = click.option(
    "--cmd-id", default="", help="Repeat a command that got no answer: the same id does it once."
)


@click.group(
    cls=LazyGroup,
    lazy={
        "preview": "bodega_agent.cli.labels_preview:preview",
        "carrier": "bodega_agent.cli.labels_carrier:carrier",
        "sheet": "bodega_agent.cli.labels_sheet:sheet",
    },
)
def labels() -> None:
    """Parcel labels: one print job each, and reprints that are counted and have a reason.

    A job is queued, sent, then confirmed by the printer or by a scan of the label. `unknown` means that
    nobody knows if it was printed: look, scan it if it is there, reprint it if it is not. `failed` means that it can
    not be printed as it is.
    """


@labels.command("ls")
@config_option
@json_option
@click.option("--unknown", is_flag=True, help="Only those of which nobody knows if they were printed.")
@click.option("--failed", is_flag=True, help="Only those that can not be printed as they are.")
def list_labels(config_path: Path, *, as_json: bool, unknown: bool, failed: bool) -> None:
    """List print jobs, newest last, and what to do about those that need a person.

    Reads the ledger file; works while the agent is down.

    \b
    Examples:
      bodega labels ls
      bodega labels ls --unknown
      bodega labels ls --failed
    """
    wanted = {state for state, asked in (("unknown", unknown), ("failed", failed)) if asked}
    with ledger_of(config_path) as ledger:
        jobs = [_with_next(job) for job in ledger.labels() if not wanted or job["state"] in wanted]
    if as_json:
        emit_json(jobs)
        return
    emit_table(
        ("sscc", "order", "paper", "state", "copy", "changed", "detail"),
        [
            (
                job["sscc"],
                job["fulfillment_order_id"],
                _paper_of(job),
                job["state"],
                job["copy"],
                utc(job["updated_at_ms"]),
                job["detail"],
            )
            for job in jobs
        ],
        empty="No label needs a person." if wanted else "No labels yet.",
    )
    for job in jobs:
        if "next" in job:
            click.echo(f"next      {job['next']}")


def _paper_of(job: Json) -> str:
    return next((one for one in _PAPERS if f"-{one}-" in job["print_job_id"]), "label")


def _with_next(job: Json) -> Json:
    words = _NEXT.get(job["state"])
    if not words:
        return job
    paper = _paper_of(job)
    next_step = words.format(sscc=job["sscc"] if paper == "label" else f"{job['sscc']} --paper {paper}")
    return {**job, "next": next_step}


@labels.command()
@config_option
@json_option
@click.argument("sscc")
@click.option("--seen", is_flag=True, help="You have looked, and the label is there.")
@_paper_option
@_cmd_id_option
def confirm(config_path: Path, *, as_json: bool, sscc: str, seen: bool, paper: str, cmd_id: str) -> None:
    """Say that a label in doubt is there; it will not be printed again. A scan of it says the same, and is better.

    \b
    Example:
      bodega labels confirm 395260640000000019 --seen
    """
    if not seen:
        raise InvalidInput(
            "a label is confirmed by somebody who has seen it",
            hint=f"look for it, then: bodega labels confirm {sscc} --seen",
        )
    again = f"bodega labels confirm {sscc} --seen --paper {paper}"
    ask(config_path, "labels.confirm", cmd_id, as_json, again, sscc=sscc, paper=paper)


@labels.command()
@config_option
@json_option
@click.argument("sscc")
@click.option("--reason", required=True, help="Why the first label is not there; goes into the journal.")
@_paper_option
@_cmd_id_option
def reprint(config_path: Path, *, as_json: bool, sscc: str, reason: str, paper: str, cmd_id: str) -> None:
    """Print the label of a parcel again. The old print job ends; the new one is counted.

    Refused while the first label may still come out of the printer.

    \b
    Example:
      bodega labels reprint 395260640000000019 --reason "paper jam, label torn"
    """
    again = f"bodega labels reprint {sscc} --reason '{reason}' --paper {paper}"
    ask(config_path, "reprint", cmd_id, as_json, again, sscc=sscc, reason=reason, paper=paper)


@labels.command()
@config_option
@json_option
@click.argument("sscc")
@_paper_option
@_cmd_id_option
def retry(config_path: Path, *, as_json: bool, sscc: str, paper: str, cmd_id: str) -> None:
    """Print a label that has failed, after its cause is mended: a new copy, made from the parcel as it is now.

    \b
    Example:
      bodega labels retry 395260640000000019
    """
    again = f"bodega labels retry {sscc} --paper {paper}"
    ask(config_path, "labels.retry", cmd_id, as_json, again, sscc=sscc, paper=paper)


def ask(config_path: Path, operation: str, cmd_id: str, as_json: bool, again: str, **request: str) -> None:
    """Ask the agent for something about one paper, and tell what became of it; raises what the agent answers."""
    command = cmd_id or str(uuid4())
    with ControlClient.of(config_path) as agent:
        try:
            job = agent.ask(operation, cmd_id=command, **request)
        except Unavailable as error:
            hint = f"to be sure that it is done once: {again} --cmd-id {command}"
            raise Unavailable(error.message, hint=hint) from error
    if as_json:
        emit_json(job)
    elif job["state"] == "queued":
        click.echo(
            f"Label of parcel {job['sscc']} is queued as copy {job['copy']}. Throw any other one away."
        )
    else:
        click.echo(f"Label of parcel {job['sscc']}, copy {job['copy']}, is {job['state']}.")
