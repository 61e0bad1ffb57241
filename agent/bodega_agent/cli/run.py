"""`bodega run`: the agent itself."""

from __future__ import annotations

from pathlib import Path

import click

from bodega_agent.cli.location import config_option
from bodega_agent.config import load_config


@click.command()
@config_option
def run(config_path: Path) -> None:
    """Run the agent until SIGTERM or Ctrl-C.

    It opens the ledger, the scanners, the printer and the camera, and is ready before the network is;
    without a [hub] in the file it works alone. Logs go to standard error: readable on a terminal, JSON
    in a service.

    \b
    Examples:
      bodega run --config agent.toml
      systemctl start bodega-agent
    """
    configuration = load_config(config_path)
    # Imported late: a file with faults is answered before the daemon's libraries are loaded.
    from bodega_agent import daemon  # noqa: PLC0415  # see the sentence above

    daemon.run(configuration)
