"""`bodega config`: is the file right, before the agent is started with it."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, json_option
from bodega_agent.config import load_config


@click.group()
def config() -> None:
    """The node's configuration file."""


@config.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def check(file: Path, *, as_json: bool) -> None:
    """Read FILE as the agent would. Every fault is named at once, with its line; then the exit code is 78.

    \b
    Example:
      bodega config check /etc/bodega/agent.toml
    """
    found = load_config(file)
    summary = {
        "node_id": found.node_id,
        "state_dir": str(found.state_dir),
        "control_socket": str(found.socket_path),
        "hub": found.hub.nats_url if found.hub else None,
        "scanners": [scanner.name for scanner in found.scanners],
        "printers": [printer.name for printer in found.all_printers],
        "scales": [scale.name for scale in found.scales],
        "cameras": [camera.name for camera in found.cameras],
        "vision": found.vision.mode if found.vision else "off",
    }
    if as_json:
        emit_json(summary)
        return
    click.echo(f"{file} is right.")
    for name, value in summary.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        click.echo(f"{name:<14}  {shown or '-'}")
