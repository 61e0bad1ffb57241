"""`bodegactl overrides`: rules that people at the centre have set aside, with a reason and an end."""

from __future__ import annotations

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega.limits import QUANTITY_MAX
from bodega.v1 import conflicts_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import reason_option, request_id_option, until_option
from bodega_controlplane.cli.paging import collect, limit_option
from bodega_controlplane.cli.show import plain, plain_all, span, when


@click.group()
def overrides() -> None:
    """Rules that a person has set aside for a while. They outrank rules, and never edit history.

    An outcome of a conflict is held with: bodegactl conflicts override.
    """


@overrides.command("ls")
@click.option("--open", "only_open", is_flag=True, help="Only those in force.")
@limit_option
@json_option
@hub_command
def ls(hub: HubClient, *, only_open: bool, limit: int, as_json: bool) -> None:
    """List overrides, newest first.

    \b
    Example:
      bodegactl overrides ls --open

    JSON: {"overrides": [{override_id, kind, subject, effect, reason, actor, state, opened_at_ms, expires_after_ms,
    ended_at_ms, ended_by}]}.
    """

    def page(size: int, token: str) -> tuple[list[pb.Override], str]:
        request = pb.ListOverridesRequest(page_size=size, page_token=token, only_open=only_open)
        answer = hub.call(hub.conflicts.ListOverrides, request)
        return list(answer.overrides), answer.next_page_token

    found = collect(limit, page)
    if as_json:
        emit_json({"overrides": plain_all(found)})
        return
    rows = [
        [
            row.override_id,
            row.state,
            row.effect,
            row.reason,
            row.actor,
            when(row.opened_at_ms),
            span(row.expires_after_ms),
        ]
        for row in found
    ]
    headers = ["override", "state", "holds", "reason", "who", "opened", "lasts"]
    emit_table(headers, rows, empty="No overrides.")


@overrides.command("keep")
@click.argument("order_id", metavar="ORDER")
@reason_option
@until_option
@request_id_option
@json_option
@hub_command
def keep(
    hub: HubClient, order_id: str, reason: str, expires_after_ms: int, request_id: str, *, as_json: bool
) -> None:
    """Keep an order at its node: no rule, and nobody, moves it away until then.

    \b
    Example:
      bodegactl overrides keep ORDER --reason "the customer collects it there" --until 2d
    """
    request = pb.OpenOverrideRequest(
        request_id=request_id,
        kind="keep_at_node",
        order_id=order_id,
        reason=reason,
        expires_after_ms=expires_after_ms,
    )
    _print(hub.call(hub.conflicts.OpenOverride, request).override, as_json=as_json)


@overrides.command("hold")
@click.option("--node", "node_id", required=True, metavar="NODE", help="Node.")
@click.option("--sku", "sku_id", required=True, metavar="SKU", help="SKU.")
@click.option("--lot", default="", metavar="LOT", help="Only this lot.")
@click.option(
    "--quantity",
    default=0,
    type=click.IntRange(0, QUANTITY_MAX),
    metavar="N",
    help="Base units; all unless given.",
)
@reason_option
@until_option
@request_id_option
@json_option
@hub_command
def hold(  # noqa: PLR0913 - the options of the command
    hub: HubClient,
    node_id: str,
    sku_id: str,
    lot: str,
    quantity: int,
    reason: str,
    expires_after_ms: int,
    request_id: str,
    *,
    as_json: bool,
) -> None:
    """Keep units at a node from being promised, there and here; in force once the node has said so.

    \b
    Example:
      bodegactl overrides hold --node lisbon-01 --sku OAT-1L --lot L42 --reason "damp pallet" --until 1d
    """
    request = pb.OpenOverrideRequest(
        request_id=request_id,
        kind="hold",
        node_id=node_id,
        sku_id=sku_id,
        lot=lot,
        quantity=quantity,
        reason=reason,
        expires_after_ms=expires_after_ms,
    )
    _print(hub.call(hub.conflicts.OpenOverride, request).override, as_json=as_json)


@overrides.command("close")
@click.argument("override_id", metavar="ID")
@request_id_option
@json_option
@hub_command
def close(hub: HubClient, override_id: str, request_id: str, *, as_json: bool) -> None:
    """Put the rule in force again. Exit code 1 if it is already.

    \b
    Example:
      bodegactl overrides close V-1KAJ8Q3W2-7YB0M4TD
    """
    request = pb.CloseOverrideRequest(request_id=request_id, override_id=override_id)
    _print(hub.call(hub.conflicts.CloseOverride, request).override, as_json=as_json)


def _print(row: pb.Override, *, as_json: bool) -> None:
    if as_json:
        emit_json(plain(row))
        return
    click.echo(f"{row.override_id} is {row.state}: {row.effect}")
