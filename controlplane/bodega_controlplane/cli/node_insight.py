"""`bodegactl nodes refused|parked|telemetry`: what nodes sent that has no place in the books."""

from __future__ import annotations

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega.v1 import insight_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.show import plain_all, when


@click.command("refused")
@click.argument("node_id", metavar="[NODE]", default="")
@one_page_option
@json_option
@hub_command
def refused(hub: HubClient, node_id: str, limit: int, as_json: bool) -> None:
    """List what the hub could not take from the nodes, with the reason: the newest first.

    The same again is counted, not listed again. Of each node and of all only the newest are kept; --json has
    their bytes. A node that spoke for another one is fenced for a minute after the last time.

    \b
    Examples:
      bodegactl nodes refused
      bodegactl nodes refused lisbon-01 --json | jq -r '.refused[0].body' | base64 -d

    JSON: {"refused": [{node_id, subject, reason, times, first_ms, last_ms, body}]}.
    """
    answer = hub.call(hub.insight.ListRefused, pb.ListRefusedRequest(node_id=node_id, page_size=limit))
    if as_json:
        emit_json({"refused": plain_all(answer.refused)})
        return
    rows = [[one.node_id, one.subject, one.times, when(one.last_ms), one.reason] for one in answer.refused]
    emit_table(["node", "subject", "times", "last", "reason"], rows, empty="Nothing was refused.")


@click.command("parked")
@click.argument("node_id", metavar="[NODE]", default="")
@one_page_option
@json_option
@hub_command
def parked(hub: HubClient, node_id: str, limit: int, as_json: bool) -> None:
    """List events of the nodes that are kept and have no effect, with the reason.

    What this version does not know is applied at the first start of one that does. The rest was judged by the
    state that it met, and is for people.

    \b
    Example:
      bodegactl nodes parked lisbon-01

    JSON: {"parked": [{node_id, epoch, seq, fact, reason}]}.
    """
    answer = hub.call(hub.insight.ListParked, pb.ListParkedRequest(node_id=node_id, page_size=limit))
    if as_json:
        emit_json({"parked": plain_all(answer.parked)})
        return
    rows = [[one.node_id, one.epoch, one.seq, one.fact, one.reason] for one in answer.parked]
    emit_table(["node", "epoch", "event", "fact", "reason"], rows, empty="Every event has its effect.")


@click.command("telemetry")
@click.argument("node_id", metavar="NODE")
@one_page_option
@json_option
@hub_command
def telemetry(hub: HubClient, node_id: str, limit: int, as_json: bool) -> None:
    """List what a node has noticed of itself: the newest first, in its own time.

    A node tells it only when the hub has all its events, and drops the oldest when its disk gets tight.

    \b
    Example:
      bodegactl nodes telemetry lisbon-01

    JSON: {"telemetry": [{at_ms, kind, subject, detail}]}.
    """
    answer = hub.call(hub.insight.ListTelemetry, pb.ListTelemetryRequest(node_id=node_id, page_size=limit))
    if as_json:
        emit_json({"telemetry": plain_all(answer.told)})
        return
    rows = [[when(one.at_ms), one.kind, one.subject, one.detail] for one in answer.told]
    emit_table(["when", "what", "of", "detail"], rows, empty="It has told nothing yet.")
