"""`bodegactl routing`: the rules by which orders find their nodes, as bundles that never change."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega.v1 import routing_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import reason_option, request_id_option
from bodega_controlplane.cli.files import read_text
from bodega_controlplane.cli.routing_past import explain, meant, replay, simulate
from bodega_controlplane.cli.show import plain, plain_all, when


@click.group()
def routing() -> None:
    """The rules by which orders find their nodes: checked, tried on the past, put in force everywhere.

    A bundle is a JSON document (proto/README.md says what may stand in it). It never changes: a new one has a higher
    version. `validate` and `simulate` change nothing. `activate` refuses a bundle with any fault, and the one in
    force stays; else every instance and every connected node decides by the new one within seconds.
    """


for _command in (simulate, explain, replay):
    routing.add_command(_command)


@routing.command("validate")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@json_option
@hub_command
def validate(hub: HubClient, file: Path, as_json: bool) -> None:
    """Check a bundle whole: shape, expressions, golden cases, speed; every fault at once.

    \b
    Example:
      bodegactl routing validate bundle.json

    JSON: {rule, digest, bytes, added_at_ms, in_force}. Exit code 65 with every fault if it has any.
    """
    request = pb.ValidateRoutingRequest(document=read_text(file).encode())
    bundle = hub.call(hub.routing.ValidateRouting, request).bundle
    if as_json:
        emit_json(plain(bundle))
        return
    click.echo(f"{bundle.rule} has no fault. Its digest is {bundle.digest}.")


@routing.command("activate")
@click.argument("bundle", metavar="BUNDLE")
@reason_option
@request_id_option
@json_option
@hub_command
def activate(hub: HubClient, bundle: str, reason: str, request_id: str, *, as_json: bool) -> None:
    """Put a bundle in force: a FILE, or the NAME@VERSION or digest of one that was in force before.

    Checked first, as `validate` does. Exit code 1 if it is in force already, or if another bundle has that name and
    version.

    \b
    Examples:
      bodegactl routing activate bundle.json --reason "the new courier"
      bodegactl routing activate nearest-with-floor@1 --reason "as it was"

    JSON: {activation, rule, digest, rollback, actor, reason, at_ms}.
    """
    what = meant(bundle)
    request = pb.ActivateRoutingRequest(
        request_id=request_id, document=what.document, bundle=what.bundle, reason=reason
    )
    _tell(hub.call(hub.routing.ActivateRouting, request).activation, as_json)


@routing.command("rollback")
@reason_option
@request_id_option
@json_option
@hub_command
def rollback(hub: HubClient, reason: str, request_id: str, *, as_json: bool) -> None:
    """Put in force again what was so before the present bundle.

    \b
    Example:
      bodegactl routing rollback --reason "too many splits"

    JSON: {activation, rule, digest, rollback, actor, reason, at_ms}. Exit code 1 if the default is in force.
    """
    request = pb.RollbackRoutingRequest(request_id=request_id, reason=reason)
    _tell(hub.call(hub.routing.RollbackRouting, request).activation, as_json)


def _tell(made: pb.RoutingActivation, as_json: bool) -> None:
    if as_json:
        emit_json(plain(made))
        return
    click.echo(f"{made.rule} is in force, as activation {made.activation}. Nodes: bodegactl routing ls")


@routing.command("ls")
@one_page_option
@json_option
@hub_command
def ls(hub: HubClient, limit: int, as_json: bool) -> None:
    """List bundles, what was in force when, and what each node decides by.

    \b
    Example:
      bodegactl routing ls

    JSON: {bundles: [{rule, digest, bytes, added_at_ms, in_force}], activations: [{activation, rule, digest, rollback,
    actor, reason, at_ms}], nodes: [{node_id, activation, digest, faults}]}.
    """
    answer = hub.call(hub.routing.ListRouting, pb.ListRoutingRequest(page_size=limit))
    if as_json:
        emit_json({name: plain_all(getattr(answer, name)) for name in ("bundles", "activations", "nodes")})
        return
    rules = {one.digest: one.rule for one in answer.bundles}
    rows = [
        [one.rule, one.digest[:12], one.bytes, when(one.added_at_ms), "in force" if one.in_force else "-"]
        for one in answer.bundles
    ]
    emit_table(["bundle", "digest", "bytes", "kept", "state"], rows, empty="No bundles are kept yet.")
    click.echo("")
    rows = [
        [one.activation, when(one.at_ms), one.rule, "rollback" if one.rollback else "activate", one.reason]
        for one in answer.activations
    ]
    emit_table(["activation", "time", "bundle", "by", "reason"], rows, empty="The default is in force.")
    click.echo("")
    newest = answer.activations[0].activation if answer.activations else 0
    rows = [
        [
            one.node_id,
            rules.get(one.digest, one.digest[:12]) or "default",
            one.activation,
            _state(one, newest),
        ]
        for one in answer.nodes
    ]
    emit_table(["node", "decides by", "activation", "state"], rows, empty="No nodes.")


def _state(one: pb.RoutingAtNode, newest: int) -> str:
    if one.faults:
        return f"refused: {one.faults[0]}"
    return "current" if one.activation == newest else "waits for it"


@routing.command("show")
@click.argument("bundle", metavar="[BUNDLE]", default="")
@json_option
@hub_command
def show(hub: HubClient, bundle: str, as_json: bool) -> None:
    """Print the document of a bundle: NAME@VERSION or digest, else the one in force.

    \b
    Examples:
      bodegactl routing show
      bodegactl routing show nearest-with-floor@1 > bundle.json

    JSON: {bundle: {rule, digest, bytes, added_at_ms, in_force}, document (base64), signature}.
    """
    answer = hub.call(hub.routing.GetRouting, pb.GetRoutingRequest(bundle=bundle))
    if as_json:
        emit_json(plain(answer))
        return
    click.echo(answer.document.decode())
