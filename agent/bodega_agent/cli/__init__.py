"""`bodega`: the node's command line. `run` is the daemon; every other command asks it, or reads its files.

One file per command, each imported only when it is called: the daemon never pays for tables and importers.
"""

from __future__ import annotations

import click

import bodega
from bodega.host.cli import EXIT_CODES_HELP, LazyGroup, run_main

_HERE = "bodega_agent.cli"


@click.group(
    cls=LazyGroup,
    lazy={
        "run": f"{_HERE}.run:run",
        "demo": "bodega_agent.demo.command:demo",
        "status": f"{_HERE}.status:status",
        "tasks": f"{_HERE}.tasks:tasks",
        "orders": f"{_HERE}.orders:orders",
        "receive": f"{_HERE}.receive:receive",
        "pickups": f"{_HERE}.pickups:pickups",
        "returns": f"{_HERE}.returns:returns",
        "count": f"{_HERE}.count:count",
        "reconcile": f"{_HERE}.reconcile:reconcile",
        "stock": f"{_HERE}.stock:stock",
        "catalog": f"{_HERE}.catalog:catalog",
        "labels": f"{_HERE}.labels:labels",
        "manifest": f"{_HERE}.manifest:manifest",
        "conflicts": f"{_HERE}.conflicts:conflicts",
        "ledger": f"{_HERE}.ledger:ledger",
        "floor": f"{_HERE}.floor:floor",
        "kpis": f"{_HERE}.kpis:kpis",
        "routing": f"{_HERE}.routing:routing",
        "sync": f"{_HERE}.sync:sync",
        "devices": f"{_HERE}.devices:devices",
        "config": f"{_HERE}.config:config",
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES_HELP,
)
@click.version_option(bodega.__version__, "--version", prog_name="bodega")
def bodega_group() -> None:
    """One node of a micro-fulfilment network: its stock, its work, its devices.

    `bodega run` is the agent. The other commands find it through the same file: give it with
    --config FILE or BODEGA_CONFIG, else it is /etc/bodega/agent.toml.

    \b
    A first look around:
      bodega config check agent.toml     is the file right, all faults at once
      bodega run --config agent.toml     run the agent here
      bodega status                      how the node is, and what is wrong
      bodega kpis                        how fast and how right the floor works
      bodega floor                       work with the keyboard instead of a scanner
      bodega stock --sku OAT-1L          what lies where
      bodega ledger verify               does every event add up

    `tasks`, `orders`, `pickups`, `returns`, `stock`, `kpis`, `labels ls`, `conflicts` and `ledger` read the ledger file
    and work while the agent is down. Every read takes --json: one document with stable keys, times in milliseconds
    since 1970 UTC.
    """


def main() -> None:
    """Entry point of the `bodega` command."""
    run_main(bodega_group, "bodega")
