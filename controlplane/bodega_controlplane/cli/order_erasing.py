"""`bodegactl orders erase`: forgets whom orders went to."""

from __future__ import annotations

import click

from bodega.host.cli import emit_json, json_option
from bodega.v1 import privacy_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import reason_option
from bodega_controlplane.cli.show import plain


@click.command("erase")
@click.argument("order_ids", metavar="ORDER...", nargs=-1, required=True)
@reason_option
@json_option
@hub_command
def erase(hub: HubClient, order_ids: tuple[str, ...], reason: str, *, as_json: bool) -> None:
    """Forget whom orders went to: names and addresses, here and at every node that served them, on labels too.

    Orders stay, with what was sent. Exit code 1 if one of them is under way; then nothing is erased. What the hub has
    told nodes is trimmed 30 days after they have applied it; it is gone then at the latest.

    \b
    Example:
      bodegactl orders erase O-1KAJ8Q3W2-7YB0M4TD --reason "asked for by the customer"

    JSON: {erased_order_ids, node_ids}.
    """
    request = pb.EraseRecipientsRequest(order_ids=order_ids, reason=reason)
    answer = hub.call(hub.privacy.EraseRecipients, request)
    if as_json:
        emit_json(plain(answer))
        return
    if not answer.erased_order_ids:
        click.echo("They had no recipient any more.")
        return
    click.echo(f"{len(answer.erased_order_ids)} orders no longer say whom they went to.")
    if answer.node_ids:
        click.echo(f"Told: {', '.join(answer.node_ids)}.")
