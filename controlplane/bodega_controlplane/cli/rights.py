"""`bodegactl rights`: which units a node may promise by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega.limits import QUANTITY_MAX
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.paging import collect, limit_option
from bodega_controlplane.cli.show import plain, plain_all

_HEADERS = ["sku", "node", "held", "promised", "in flight", "wanted"]


@click.group()
def rights() -> None:
    """The right to promise units, held by the hub or by a node, never by both.

    A node sells to walk-ins and pickups from the rights that it holds, also without a network. What it holds,
    and what is in flight to it, the hub does not promise to anybody else.
    """


@rights.command("ls")
@click.option("--node", "node_id", default="", metavar="NODE", help="Only this node.")
@click.option("--sku", "sku_id", default="", metavar="SKU", help="Only this SKU.")
@limit_option
@json_option
@hub_command
def ls(hub: HubClient, node_id: str, sku_id: str, limit: int, as_json: bool) -> None:
    """List rights by SKU and node, as far as each node's journal is read.

    `held` are the node's, `promised` of these stand behind its reservations, `in flight` are granted and
    not yet taken, `wanted` are asked back and not yet answered.

    \b
    Examples:
      bodegactl rights ls --node lisbon-01
      bodegactl rights ls --sku TEA-EARL-GREY --json

    JSON: {"rights": [{sku_id, node_id, held, promised, in_flight, wanted}]}.
    """

    def page(size: int, token: str) -> tuple[list[pb.NodeRights], str]:
        request = pb.ListRightsRequest(node_id=node_id, sku_id=sku_id, page_size=size, page_token=token)
        answer = hub.call(hub.rights.ListRights, request)
        return list(answer.rights), answer.next_page_token

    found = collect(limit, page)
    if as_json:
        emit_json({"rights": plain_all(found)})
        return
    empty = "No node holds rights: bodegactl rights grant --node NODE --sku SKU --quantity N."
    emit_table(_HEADERS, [_row(one) for one in found], empty=empty)


def _move_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--request-id", default="", metavar="ID", help="Repeat a request safely under its id."),
        click.option(
            "--quantity", required=True, type=click.IntRange(1, QUANTITY_MAX), metavar="N", help="Base units."
        ),
        click.option("--sku", "sku_id", required=True, metavar="SKU", help="SKU."),
        click.option("--node", "node_id", required=True, metavar="NODE", help="Node."),
    ):
        function = option(function)
    return function


@rights.command("grant")
@_move_options
@json_option
@hub_command
def grant(hub: HubClient, node_id: str, sku_id: str, quantity: int, request_id: str, as_json: bool) -> None:
    """Give a node the right to promise units that the hub may promise now.

    They leave the hub's availability at once and are the node's when it takes them; `rights ls` shows
    them in flight until then.

    \b
    Example:
      bodegactl rights grant --node lisbon-01 --sku TEA-EARL-GREY --quantity 5

    JSON: {transfer_id, rights: {sku_id, node_id, held, promised, in_flight, wanted}}.
    """
    request = pb.GrantRightsRequest(
        request_id=request_id or uuid4().hex, node_id=node_id, sku_id=sku_id, quantity=quantity
    )
    _show(hub.call(hub.rights.GrantRights, request), as_json)


@rights.command("recall")
@_move_options
@json_option
@hub_command
def recall(hub: HubClient, node_id: str, sku_id: str, quantity: int, request_id: str, as_json: bool) -> None:
    """Ask a node to give rights back.

    The node gives what it has not promised, at most this many; they are the hub's when its answer is here.

    \b
    Example:
      bodegactl rights recall --node lisbon-01 --sku TEA-EARL-GREY --quantity 5

    JSON: {transfer_id, rights: {sku_id, node_id, held, promised, in_flight, wanted}}.
    """
    request = pb.RecallRightsRequest(
        request_id=request_id or uuid4().hex, node_id=node_id, sku_id=sku_id, quantity=quantity
    )
    _show(hub.call(hub.rights.RecallRights, request), as_json)


@rights.command("rebalance")
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and why.")
@json_option
@hub_command
def rebalance(hub: HubClient, dry_run: bool, as_json: bool) -> None:
    """Move rights to where they are used, now; the hub does the same by itself every quarter of an hour.

    A node that has promised or sold units by itself in the last 7 days is granted as much again; what a node does
    not use is asked back, half of it at a time, and stays the node's until it has answered. Small differences stay.

    \b
    Examples:
      bodegactl rights rebalance --dry-run
      bodegactl rights rebalance --json

    JSON: {"moves": [{node_id, sku_id, kind, quantity, used, target, why, transfer_id}]}.
    """
    moves = hub.call(hub.rights.RebalanceRights, pb.RebalanceRightsRequest(dry_run=dry_run)).moves
    if as_json:
        emit_json({"moves": plain_all(moves)})
        return
    rows = [
        [one.sku_id, one.node_id, one.kind, one.quantity, one.target, one.transfer_id or "-", one.why]
        for one in moves
    ]
    emit_table(
        ["sku", "node", "move", "units", "target", "transfer", "why"],
        rows,
        empty="All rights are where they are used.",
    )


def _show(moved: pb.GrantRightsResponse | pb.RecallRightsResponse, as_json: bool) -> None:
    if as_json:
        emit_json(plain(moved))
        return
    click.echo(f"transfer {moved.transfer_id} is on its way\n")
    emit_table(_HEADERS, [_row(moved.rights)], empty="")


def _row(one: pb.NodeRights) -> list[object]:
    return [one.sku_id, one.node_id, one.held, one.promised, one.in_flight, one.wanted]
