"""`bodegactl`: the operator's command line. `serve` is the daemon; every other command is a gRPC client.

One file per command; each is imported only when it is called, so `serve` never pays for the importers
and a read never pays for the server.
"""

from __future__ import annotations

from typing import Any

import click

import bodega
from bodega.host.cli import EXIT_CODES_HELP, LazyGroup, run_main
from bodega_controlplane.cli.location import from_environment

_HERE = "bodega_controlplane.cli"


@click.group(
    cls=LazyGroup,
    lazy={
        "serve": f"{_HERE}.serve:serve",
        "catalog": f"{_HERE}.catalog:catalog",
        "channels": f"{_HERE}.channels:channels",
        "orders": f"{_HERE}.orders:orders",
        "stock": f"{_HERE}.stock:stock",
        "rights": f"{_HERE}.rights:rights",
        "transfers": f"{_HERE}.transfers:transfers",
        "notices": f"{_HERE}.notices:notices",
        "returns": f"{_HERE}.returns:returns",
        "floor": f"{_HERE}.floor:floor",
        "routing": f"{_HERE}.routing:routing",
        "nodes": f"{_HERE}.nodes:nodes",
        "rates": f"{_HERE}.rates:rates",
        "carriers": f"{_HERE}.carriers:carriers",
        "conflicts": f"{_HERE}.conflicts:conflicts",
        "overrides": f"{_HERE}.overrides:overrides",
        "decisions": f"{_HERE}.decisions:decisions",
        "webhooks": f"{_HERE}.webhooks:webhooks",
        "audit": f"{_HERE}.audit:audit",
        "db": f"{_HERE}.db:db",
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES_HELP,
)
@click.version_option(bodega.__version__, "--version", prog_name="bodegactl")
@from_environment
@click.pass_context
def bodegactl(context: click.Context, /, **location: Any) -> None:
    """The control plane of a network of micro-fulfilment nodes.

    `bodegactl serve` runs it, and `bodegactl db` looks after its database. Every other command asks a running
    one over gRPC: tell it which with --hub (or BODEGACTL_HUB) and give the operator's token with --token-file
    (or BODEGACTL_TOKEN_FILE); the control plane writes that file at its first start, as operator.token in its
    data_dir.

    \b
    A first look around:
      bodegactl serve --config controlplane.toml
      bodegactl nodes ls
      bodegactl orders ls --state confirmed
      bodegactl orders explain ORDER
      bodegactl stock available SKU

    Every read takes --json and then prints one JSON document with stable keys: the field names of
    proto/bodega/v1, states as lower-case words, times as milliseconds since 1970-01-01 UTC (`*_ms`),
    bytes as base64.
    """
    context.obj = location


def main() -> None:
    """Entry point of the `bodegactl` command."""
    run_main(bodegactl, "bodegactl")
