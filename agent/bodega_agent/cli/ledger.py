"""`bodega ledger`: the node's journal, read from its file."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.errors import ExitCode
from bodega.host.cli import LazyGroup, emit_json, json_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option

_HERE = "bodega_agent.cli"


@click.group(
    cls=LazyGroup,
    lazy={
        "do": f"{_HERE}.ledger_do:do",
        "log": f"{_HERE}.ledger_log:log",
        "show": f"{_HERE}.ledger_log:show",
        "explain": f"{_HERE}.ledger_explain:explain",
        "export": f"{_HERE}.ledger_export:export",
        "import": f"{_HERE}.ledger_import:import_rows",
    },
)
def ledger() -> None:
    """The journal: every fact that this node has recorded, in order, as a hash chain.

    Nothing in it is ever changed; a correction is a new event. `do` asks the agent; all others read the
    ledger file and work while the agent is down.
    """


@ledger.command()
@config_option
@json_option
def verify(config_path: Path, *, as_json: bool) -> None:
    """Check the whole journal: hash chain, postings that sum to zero, balances. Exit 1 if anything is off.

    \b
    Example:
      bodega ledger verify
    """
    with ledger_of(config_path) as journal:
        result = journal.verify()
    if as_json:
        emit_json(result)
    elif result["ok"]:
        click.echo(f"{result['events']} events: chain, postings and balances are right.")
    else:
        click.echo(f"BROKEN after {result['events']} events: {result['problem']}")
        click.echo("  next: keep the file as it is, stop the agent, and call whoever runs the fleet")
    if not result["ok"]:
        raise SystemExit(ExitCode.CHECK_FAILED)
