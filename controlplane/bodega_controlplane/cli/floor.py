"""`bodegactl floor`: what nodes say of the work on their floors."""

from __future__ import annotations

import json

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega.v1 import insight_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.show import when

KINDS = (
    "receipts",
    "exceptions",
    "shifts",
    "parcels",
    "manifests",
    "pickups",
    "returns",
    "refunds",
    "counts",
    "transfers",
    "substitutions",
)
_JSON = frozenset({"lines", "expected", "parcels"})


@click.group()
def floor() -> None:
    """The work on the floors of the nodes, as their journals say. People are named by id only."""


@floor.command("ls")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--node", "node_id", default="", metavar="NODE", help="Only this node's.")
@one_page_option
@json_option
@hub_command
def ls(hub: HubClient, kind: str, node_id: str, limit: int, as_json: bool) -> None:
    """List one kind of record, the newest first; of each thing its newest word.

    \b
    Examples:
      bodegactl floor ls refunds
      bodegactl floor ls exceptions --node lisbon-01
      bodegactl floor ls parcels --json | jq -r '.parcels[].tracking_number'

    JSON: {KIND: [{...}]} with the names of the facts in bodega/v1/floor.proto; numbers are texts.
    """
    request = pb.ListFloorRecordsRequest(kind=kind, node_id=node_id, page_size=limit)
    answer = hub.call(hub.insight.ListFloorRecords, request)
    records = [{name: one.fields[name] for name in answer.names} for one in answer.records]
    if as_json:
        parsed = [
            {name: json.loads(value) if name in _JSON else value for name, value in one.items()}
            for one in records
        ]
        emit_json({kind: parsed})
        return
    rows = [[_short(name, value) for name, value in one.items()] for one in records]
    emit_table([name.replace("_", " ") for name in answer.names], rows, empty=f"No {kind}.")


def _short(name: str, value: str) -> str:
    if name in _JSON:
        return str(len(json.loads(value)))
    return when(int(value)) if name.endswith("at_ms") else value or "-"
