"""`bodegactl serve`: the control plane itself."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

DEFAULT_CONFIG = "/etc/bodega/controlplane.toml"


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="BODEGACTL_CONFIG",
    default=Path(DEFAULT_CONFIG),
    metavar="FILE",
    help=f"Configuration file.  [env BODEGACTL_CONFIG; default {DEFAULT_CONFIG}]",
)
def serve(path: Path) -> None:
    """Run the control plane.

    That is the storefront's HTTP API, the operators' gRPC, and the sync with all nodes. It runs in the
    foreground, logs to standard error (JSON when that is no terminal), and stops on
    SIGTERM or Ctrl-C after the transaction in hand. The first start makes the database, the hub's signing
    key and two tokens (storefront.token, operator.token, mode 0600) in data_dir. Without a broker it
    serves all the same: orders wait for their nodes.

    \b
    Examples:
      bodegactl serve --config controlplane.toml
      curl http://127.0.0.1:8080/healthz

    \b
    A small configuration:
      data_dir = "/var/lib/bodega-controlplane"
      [nats]
      url = "nats://127.0.0.1:4222"
      [http]
      port = 8080          # 0 = a free one; see endpoints.json in data_dir
      [grpc]
      port = 7443

    Exit code 78 names every fault of the configuration, 71 a port that is in use.
    """
    # Imported here and not above: every other command would pay for the whole server.
    server = importlib.import_module("bodega_controlplane.server")
    server.main(path)
