"""`bodega routing`: the rules by which this node decides where it decides alone."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, json_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.routing_past import explain, replay
from bodega_agent.store.routing import bundle_in, message_in


@click.group()
def routing() -> None:
    """The routing bundle in force: made and signed at the hub, kept here for when the hub is out of reach."""


routing.add_command(explain)
routing.add_command(replay)


@routing.command("show")
@config_option
@json_option
def show(config_path: Path, *, as_json: bool) -> None:
    """Show which bundle is in force here, and what the node may decide by it alone.

    Reads the ledger file, so it works while the agent is down. With --json the whole document is there, too.

    \b
    Examples:
      bodega routing show
      bodega routing show --json | jq .document

    JSON: {rule, digest, activation, from_hub, allows, document}.
    """
    with ledger_of(config_path) as ledger:
        body = ledger.meta("routing_bundle")
    bundle, message = bundle_in(body), message_in(body)
    allows = list(bundle.document.edge.allows)
    activation = message.activation if message else 0
    if as_json:
        emit_json(
            {
                "rule": bundle.rule,
                "digest": bundle.digest,
                "activation": activation,
                "from_hub": message is not None,
                "allows": allows,
                "document": bundle.body.decode(),
            }
        )
        return
    source = f"from the hub, activation {activation}" if message else "the default: the hub has sent none"
    click.echo(f"bundle  {bundle.rule} ({source})")
    click.echo(f"digest  {bundle.digest}")
    click.echo(f"alone   {', '.join(one.replace('_', ' ') for one in allows) or 'nothing'}")
