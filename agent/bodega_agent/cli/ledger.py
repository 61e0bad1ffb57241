"""`bodega ledger`: the node's journal, one file per command."""

from __future__ import annotations

import click

from bodega.host.cli import LazyGroup

_HERE = "bodega_agent.cli"


@click.group(
    cls=LazyGroup,
    lazy={
        "do": f"{_HERE}.ledger_do:do",
        "log": f"{_HERE}.ledger_log:log",
        "show": f"{_HERE}.ledger_log:show",
        "explain": f"{_HERE}.ledger_explain:explain",
        "import": f"{_HERE}.ledger_import:import_rows",
        "export": f"{_HERE}.ledger_export:export",
        "verify": f"{_HERE}.ledger_verify:verify",
        "backup": f"{_HERE}.ledger_backup:backup",
        "restore": f"{_HERE}.ledger_backup:restore",
        "forks": f"{_HERE}.ledger_forks:forks",
        "archive": f"{_HERE}.ledger_archive:archive",
    },
)
def ledger() -> None:
    """The journal: every fact that this node has recorded, in order, as a hash chain.

    Nothing in it is ever changed; a correction is a new event. `do`, `import` and `archive` ask the agent;
    `restore` needs it stopped; all others read the ledger file and work while the agent is down.
    """
