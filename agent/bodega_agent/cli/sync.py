"""`bodega sync`: how far the journal and the hub's word have come."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, json_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc


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

    JSON: {configured, connected, epoch, head_seq, sent_seq, acked_seq, last_ack_age_s, down_seq, down_head_seq,
    hub_events_parked, paused_at_ms, fenced, new_epoch, hub_went_back}; of a node without [hub] only configured,
    connected and hub_events_parked.
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
    if facts["hub_events_parked"]:
        click.echo(
            f"parked        {facts['hub_events_parked']} of them wait: each start, and an upgrade, tries them again"
        )
    if facts["paused_at_ms"]:
        click.echo(f"PAUSED        since {utc(facts['paused_at_ms'])}; go on with: bodega sync resume")
    if facts["fenced"]:
        click.echo(f"FENCED        {facts['fenced']}")
    if facts["new_epoch"]:
        click.echo(f"new epoch     not yet: {facts['new_epoch']}")
    if facts["hub_went_back"]:
        click.echo(f"hub           went back {facts['hub_went_back']} times since this agent started")


@sync.command()
@config_option
@json_option
def pause(config_path: Path, *, as_json: bool) -> None:
    """Let nothing go to the hub or come from it, until `resume`; also over restarts.

    Work at the node goes on and is sent afterwards. The hub is told, and shows it to its operators; it gives this
    node new work all the same, which then waits.

    \b
    Example:
      bodega sync pause
    """
    with ControlClient.of(config_path) as agent:
        facts = agent.ask("sync.pause")
    if as_json:
        emit_json(facts)
        return
    was = "was paused already," if facts["already"] else "is paused"
    click.echo(f"Sync {was} since {utc(facts['paused_at_ms'])}. Work goes on. To go on: bodega sync resume")


@sync.command()
@config_option
@json_option
def resume(config_path: Path, *, as_json: bool) -> None:
    """Go on after a pause.

    \b
    Example:
      bodega sync resume
    """
    with ControlClient.of(config_path) as agent:
        facts = agent.ask("sync.resume")
    if as_json:
        emit_json(facts)
        return
    was = "Sync goes on" if facts["was_paused"] else "Sync was not paused"
    click.echo(f"{was}: {facts['to_send']} events are to be acknowledged by the hub.")


@sync.command()
@config_option
@json_option
def resync(config_path: Path, *, as_json: bool) -> None:
    """Trust nothing that was sent: ask the hub where it stands, send again from there, fetch what it has for us.

    A checkpoint of the stock goes with it, which the hub holds its own copy against (`bodegactl nodes show`). It
    may be repeated: who has an event already skips it.

    \b
    Example:
      bodega sync resync
    """
    with ControlClient.of(config_path) as agent:
        facts = agent.ask("sync.resync")
    if as_json:
        emit_json(facts)
        return
    more = facts["head_seq"] - facts["from_seq"] + 1
    sent = (
        f"{more} events are sent again from {facts['from_seq']} on" if more > 0 else "the hub has all of ours"
    )
    click.echo(f"The hub was asked: {sent}, {facts['fetched']} of its own were fetched.")


def _age(seconds: float | None) -> str:
    return "" if seconds is None else f", {seconds:.0f} s ago"
