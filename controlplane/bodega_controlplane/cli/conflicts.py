"""`bodegactl conflicts`: facts that met, what a named rule made of them, and what people decide."""

from __future__ import annotations

import click

from bodega.core.conflicts.table import CASES
from bodega.host.cli import emit_json, emit_table, json_option
from bodega.v1 import conflicts_pb2 as pb
from bodega.v1 import decisions_pb2
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import reason_option, request_id_option, until_option
from bodega_controlplane.cli.paging import collect, limit_option
from bodega_controlplane.cli.show import plain, plain_all, when


@click.group()
def conflicts() -> None:
    """Facts that met, and what was done about them.

    They arise where the centre decided one thing and a node did another while it was out of touch. A rule has
    resolved each; those in state `open` need a person.
    """


@conflicts.command("ls")
@click.option("--open", "only_open", is_flag=True, help="Only those that need a person.")
@click.option("--kind", type=click.Choice(sorted(CASES)), help="Only this case.")
@click.option("--node", "node_id", default="", metavar="NODE", help="Only this node's.")
@limit_option
@json_option
@hub_command
def ls(hub: HubClient, *, only_open: bool, kind: str | None, node_id: str, limit: int, as_json: bool) -> None:
    """List conflicts, newest first, with what was done about each.

    \b
    Examples:
      bodegactl conflicts ls --open
      bodegactl conflicts ls --kind physical_shortfall --node lisbon-01
      bodegactl conflicts ls --json | jq '.conflicts[0]'

    JSON: {"conflicts": [{conflict_id, kind, rule, inputs, knew, effect, undo, order_id, node_id, opened_at_ms,
    sku_id, effects, needs, state, decided_by, decision, decided_at_ms, override_ends_ms}]}.
    """

    def page(size: int, token: str) -> tuple[list[decisions_pb2.Conflict], str]:
        request = pb.ConflictServiceListConflictsRequest(
            page_size=size, page_token=token, only_open=only_open, kind=kind or "", node_id=node_id
        )
        answer = hub.call(hub.conflicts.ListConflicts, request)
        return list(answer.conflicts), answer.next_page_token

    found = collect(limit, page)
    if as_json:
        emit_json({"conflicts": plain_all(found)})
        return
    rows = [
        [
            row.conflict_id,
            when(row.opened_at_ms),
            row.state,
            row.kind,
            row.order_id or row.sku_id or "-",
            row.node_id or "-",
            row.effect,
        ]
        for row in found
    ]
    headers = ["conflict", "opened", "state", "kind", "about", "node", "effect"]
    emit_table(headers, rows, empty="No conflicts.")


@conflicts.command("show")
@click.argument("conflict_id", metavar="ID")
@json_option
@hub_command
def show(hub: HubClient, conflict_id: str, *, as_json: bool) -> None:
    """Tell one conflict: the facts that met, what each side knew, what was done, and how to undo it.

    \b
    Example:
      bodegactl conflicts show 3f2a9c01d4e5b678

    JSON: {conflict: {...}, inputs: [{event, fact, who, at_ms, sentence}], rule_sentence}.
    """
    story = hub.call(hub.conflicts.GetConflict, pb.GetConflictRequest(conflict_id=conflict_id))
    if as_json:
        emit_json(plain(story))
        return
    row = story.conflict
    click.echo(f"{row.conflict_id}  {row.kind}, {row.state}, opened {when(row.opened_at_ms)}")
    click.echo(f"rule     {row.rule}: {story.rule_sentence}")
    for one in story.inputs:
        told = f"{when(one.at_ms)}  {one.who}: " if one.at_ms else ""
        click.echo(f"met      {one.event}  {told}{one.sentence}")
    click.echo(f"knew     {row.knew}")
    click.echo(f"done     {row.effect}  [{' '.join(row.effects)}]")
    click.echo(f"needs    {row.needs or 'nobody'}")
    if row.decided_by:
        click.echo(f"decided  {when(row.decided_at_ms)}  {row.decided_by}: {row.decision}")
    if row.override_ends_ms:
        click.echo(f"until    {when(row.override_ends_ms)}")
    click.echo(f"undo     {row.undo}")


@conflicts.command("resolve")
@click.argument("conflict_id", metavar="ID")
@click.option("--decision", required=True, metavar="TEXT", help="What was decided.")
@request_id_option
@json_option
@hub_command
def resolve(hub: HubClient, conflict_id: str, decision: str, request_id: str, *, as_json: bool) -> None:
    """Say what was decided about a conflict; it needs nobody any more.

    Exit code 1 if it needed nobody.

    \b
    Example:
      bodegactl conflicts resolve 3f2a9c01d4e5b678 --decision "Porto's parcel was recalled"
    """
    request = pb.ResolveConflictRequest(request_id=request_id, conflict_id=conflict_id, decision=decision)
    _print(hub.call(hub.conflicts.ResolveConflict, request).conflict, as_json=as_json)


@conflicts.command("override")
@click.argument("conflict_id", metavar="ID")
@click.option("--effect", required=True, metavar="TEXT", help="What holds in place of the rule's outcome.")
@reason_option
@until_option
@request_id_option
@json_option
@hub_command
def override(
    hub: HubClient,
    conflict_id: str,
    effect: str,
    reason: str,
    expires_after_ms: int,
    request_id: str,
    *,
    as_json: bool,
) -> None:
    """Hold another outcome than the rule's, for a while; rules leave the conflict alone until then.

    It ends at --until, or with: bodegactl overrides close ID. Exit code 1 if it is resolved already.

    \b
    Example:
      bodegactl conflicts override 3f2a9c01d4e5b678 --effect "wait for the truck" --reason "due at 15:00" --until 4h
    """
    request = pb.OverrideConflictRequest(
        request_id=request_id,
        conflict_id=conflict_id,
        effect=effect,
        reason=reason,
        expires_after_ms=expires_after_ms,
    )
    _print(hub.call(hub.conflicts.OverrideConflict, request).conflict, as_json=as_json)


def _print(row: decisions_pb2.Conflict, *, as_json: bool) -> None:
    if as_json:
        emit_json(plain(row))
        return
    until = f" until {when(row.override_ends_ms)}" if row.override_ends_ms else ""
    click.echo(f"{row.conflict_id} is {row.state}{until}: {row.decision}")
