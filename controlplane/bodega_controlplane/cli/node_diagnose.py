"""`bodegactl nodes diagnose`: the node's own words, fetched over the broker."""

from __future__ import annotations

import json
from typing import Any

import click

from bodega.host.cli import emit_json, json_option
from bodega.limits import DIAGNOSIS_LOG_LINES_MAX
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command


@click.command("diagnose")
@click.argument("node_id", metavar="NODE")
@click.option(
    "--log",
    "log_lines",
    type=click.IntRange(0, DIAGNOSIS_LOG_LINES_MAX),
    default=20,
    show_default=True,
    help="Lines of its log.",
)
@json_option
@hub_command
def diagnose(hub: HubClient, node_id: str, log_lines: int, as_json: bool) -> None:
    """Ask a node how it is: its status, its sync, what it could not apply, and the end of its log.

    The question goes over the broker to the node itself, so nobody has to be there. No personal data is in the
    answer. A node that is out of touch does not answer; `nodes show` says what the hub knows.

    \b
    Examples:
      bodegactl nodes diagnose lisbon-01
      bodegactl nodes diagnose lisbon-01 --log 200 --json > lisbon-01.json

    JSON: {"node_id", "took_ms", "status", "sync", "parked": [{seq, fact}], "refused_envelopes", "basis_seqs",
    "log_lines"}; status and sync as `bodega status --json` and `bodega sync status --json` at the node.
    """
    request = pb.DiagnoseNodeRequest(node_id=node_id, log_lines=log_lines)
    answer = hub.call(hub.nodes.DiagnoseNode, request)
    said = answer.diagnosis
    facts: dict[str, Any] = {
        "node_id": node_id,
        "took_ms": answer.took_ms,
        "status": json.loads(said.status or "{}"),
        "sync": json.loads(said.sync or "{}"),
        "parked": [{"seq": one.seq, "fact": one.fact} for one in said.parked],
        "refused_envelopes": said.refused_envelopes,
        "basis_seqs": list(said.basis_seqs),
        "log_lines": list(said.log_lines),
    }
    if as_json:
        emit_json(facts)
        return
    _tell(facts)


def _tell(facts: dict[str, Any]) -> None:
    status, sync = facts["status"], facts["sync"]
    problems = status.get("health", [])
    click.echo(f"{facts['node_id']} answered in {facts['took_ms']} ms: version {status.get('version', '-')}")
    click.echo(f"up             {status.get('uptime_s', 0):.0f} s")
    click.echo(f"problems       {'; '.join(problem['text'] for problem in problems) or 'none'}")
    click.echo(
        f"sync           {sync.get('acked_seq', 0)} of {sync.get('head_seq', 0)} events acknowledged,"
        f" {sync.get('down_seq', 0)} of {sync.get('down_head_seq', 0)} of the hub's applied"
    )
    click.echo(f"fence          {sync.get('fenced') or 'none'}")
    parked = ", ".join(f"{one['seq']} ({one['fact']})" for one in facts["parked"])
    click.echo(f"parked         {parked or 'nothing'}")
    click.echo(f"refused        {facts['refused_envelopes']} envelopes since its start")
    click.echo(f"checkpoints    {', '.join(map(str, facts['basis_seqs'])) or 'none'}")
    for line in facts["log_lines"]:
        click.echo(f"  {line}")
