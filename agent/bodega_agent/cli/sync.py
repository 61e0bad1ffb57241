"""`bodega sync`: how far the journal and the hub's word have come."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, json_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.location import config_option


@click.group()
def sync() -> None:
    """The exchange with the control plane. The node works without it; nothing is lost while it is cut."""


@sync.command()
@config_option
@json_option
def status(config_path: Path, *, as_json: bool) -> None:
    """Show what was recorded here, what was sent, and what the hub has committed.

    "Acknowledged" means that the hub's database has it and its signature was checked here.

    \b
    Example:
      bodega sync status
    """
    with ControlClient.of(config_path) as agent:
        facts = agent.ask("sync")
    if as_json:
        emit_json(facts)
        return
    if not facts.get("configured", True):
        click.echo("This node has no [hub] in its configuration: it works alone.")
        return
    click.echo(f"link          {'connected' if facts['connected'] else 'not connected'}")
    click.echo(f"recorded      {facts['head_seq']} (epoch {facts['epoch']})")
    click.echo(f"sent          {facts['sent_seq']}")
    click.echo(f"acknowledged  {facts['acked_seq']}{_age(facts['last_ack_age_s'])}")
    click.echo(f"from the hub  {facts['down_seq']} of {facts['down_head_seq']} applied")
    if facts["fenced"]:
        click.echo(f"FENCED        {facts['fenced']}")


def _age(seconds: float | None) -> str:
    return "" if seconds is None else f", {seconds:.0f} s ago"
