"""`bodegactl conflicts`: facts that met, and what a named rule made of them."""

from __future__ import annotations

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.paging import one_page_option
from bodega_controlplane.cli.show import plain_all, when


@click.group()
def conflicts() -> None:
    """Facts that met, and what was done about them.

    They arise where the centre decided one thing and a node did another while it was out of touch.
    """


@conflicts.command("ls")
@one_page_option
@json_option
@hub_command
def ls(hub: HubClient, limit: int, as_json: bool) -> None:
    """List conflicts, newest first, with what was done about each.

    Each was resolved by a rule with a name and a version. JSON also has the events that met, what each
    side knew, and how to undo what was done.

    \b
    Examples:
      bodegactl conflicts ls
      bodegactl conflicts ls --json | jq '.conflicts[0]'

    JSON: {"conflicts": [{conflict_id, kind, rule, inputs, knew, effect, undo, order_id, node_id, opened_at_ms}]}.
    """
    answer = hub.call(hub.decisions.ListConflicts, pb.ListConflictsRequest(page_size=limit))
    if as_json:
        emit_json({"conflicts": plain_all(answer.conflicts)})
        return
    rows = [
        [when(row.opened_at_ms), row.kind, row.order_id or "-", row.node_id or "-", row.effect]
        for row in answer.conflicts
    ]
    emit_table(["opened", "kind", "order", "node", "effect"], rows, empty="No conflicts.")
