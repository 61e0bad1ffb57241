"""`bodegactl decisions`: verdicts of cameras."""

from __future__ import annotations

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.show import plain_all


@click.group()
def decisions() -> None:
    """Verdicts of the cameras that look at picks.

    Why an order went to its node is another decision: bodegactl orders explain ORDER.
    """


@decisions.command("ls")
@click.option("--order", "order_id", default="", metavar="ORDER", help="Only verdicts on this order.")
@one_page_option
@json_option
@hub_command
def ls(hub: HubClient, order_id: str, limit: int, as_json: bool) -> None:
    """List verdicts of cameras, newest first.

    `pass`, `fail` or `review`, the main reason, and the model and provider that really ran. JSON also has
    scores, thresholds, the digest of the frame and the codes that were read in it.

    \b
    Examples:
      bodegactl decisions ls
      bodegactl decisions ls --order ORDER --json

    JSON: {"decisions": [{fulfillment_order_id, sku_id, outcome, reasons, frame_digest, model, provider,
    scores, thresholds, seen, duration_ms}]}.
    """
    request = pb.ListVisionDecisionsRequest(order_id=order_id, page_size=limit)
    answer = hub.call(hub.decisions.ListVisionDecisions, request)
    if as_json:
        emit_json({"decisions": plain_all(answer.decisions)})
        return
    rows = [
        [
            row.fulfillment_order_id,
            row.sku_id,
            row.outcome,
            row.reasons[0].text if row.reasons else "-",
            row.provider or "-",
            row.duration_ms,
        ]
        for row in answer.decisions
    ]
    headers = ["fulfillment order", "sku", "outcome", "main reason", "provider", "ms"]
    emit_table(headers, rows, empty="No verdicts. Nodes without a camera give none.")
