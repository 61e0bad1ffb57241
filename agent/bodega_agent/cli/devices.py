"""`bodega devices`: what is plugged in, and what is not there any more."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.location import config_option


@click.group()
def devices() -> None:
    """Scanners, the label printer and cameras of this node."""


@devices.command("ls")
@config_option
@json_option
def list_devices(config_path: Path, *, as_json: bool) -> None:
    """List the configured devices and whether each is there.

    \b
    Example:
      bodega devices ls
    """
    with ControlClient.of(config_path) as agent:
        found = agent.ask("status")["devices"]
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("name", "kind", "driver", "state", "detail"),
        [(each["name"], each["kind"], each["driver"], each["state"], each["detail"]) for each in found],
        empty="No devices are configured. Add [[scanners]], [printer] or [[cameras]] to the file.",
    )
