"""`bodegactl transfers`: goods on their way from node to node."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega.v1 import expectations_pb2
from bodega.v1 import transfers_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import request_id_option
from bodega_controlplane.cli.expected_lines import lines_options, read_lines
from bodega_controlplane.cli.show import plain, plain_all, when


@click.group()
def transfers() -> None:
    """Goods between nodes, summed from the journals of both ends.

    A transfer is closed while what left and what arrived agree. When both ends have said `final=true`, what never
    came is written off at the node that received; `close` says it for them.
    """


@transfers.command("ls")
@click.option("--open", "open_only", is_flag=True, help="Only those that do not add up yet.")
@one_page_option
@json_option
@hub_command
def ls(hub: HubClient, open_only: bool, limit: int, as_json: bool) -> None:
    """List transfers, newest first; `in transit` below zero: more has arrived than is known to have left.

    \b
    Examples:
      bodegactl transfers ls --open
      bodegactl transfers ls --json

    JSON: {"transfers": [{transfer_id, state, opened_at_ms, changed_at_ms, in_transit, sides, goods}]}.
    """
    request = pb.ListTransfersRequest(open_only=open_only, page_size=limit)
    found = hub.call(hub.transfers.ListTransfers, request).transfers
    if as_json:
        emit_json({"transfers": plain_all(found)})
        return
    rows = [
        [one.transfer_id, one.state, when(one.opened_at_ms), one.in_transit, _sides(one)] for one in found
    ]
    emit_table(["transfer", "state", "opened", "in transit", "nodes"], rows, empty="No transfers.")


@transfers.command("order")
@click.option("--from", "from_node_id", required=True, metavar="NODE", help="Node that sends.")
@click.option("--to", "to_node_id", required=True, metavar="NODE", help="Node that receives.")
@lines_options
@request_id_option
@json_option
@hub_command
def order(
    hub: HubClient,
    from_node_id: str,
    to_node_id: str,
    lines: tuple[str, ...],
    lines_file: Path | None,
    request_id: str,
    *,
    as_json: bool,
) -> None:
    """Ask one node to send goods to another: both are told, and say how far they are.

    \b
    Example:
      bodegactl transfers order --from lisbon-01 --to porto-01 --line TEA=24 --line MUG=6

    JSON: {transfer_id, from_node_id, to_node_id, lines: [{sku_id, quantity}]}.
    """
    request = expectations_pb2.OrderTransferRequest(
        request_id=request_id,
        from_node_id=from_node_id,
        to_node_id=to_node_id,
        lines=read_lines(lines, lines_file),
    )
    ordered = hub.call(hub.expectations.OrderTransfer, request).transfer
    if as_json:
        emit_json(plain(ordered))
        return
    units = sum(line.quantity for line in ordered.lines)
    click.echo(f"{ordered.transfer_id}: {from_node_id} is asked to send {units} units to {to_node_id}.")


@transfers.command("show")
@click.argument("transfer_id", metavar="TRANSFER")
@json_option
@hub_command
def show(hub: HubClient, transfer_id: str, as_json: bool) -> None:
    """Show what each node says of a transfer, by kind of goods.

    \b
    Example:
      bodegactl transfers show T-2026-118

    JSON: {transfer_id, state, opened_at_ms, changed_at_ms, in_transit, sides: [{node_id, final, last_seq}],
    goods: [{node_id, sku_id, lot, owner, shipped, received, written_off}]}.
    """
    found = hub.call(hub.transfers.GetTransfer, pb.GetTransferRequest(transfer_id=transfer_id)).transfer
    if as_json:
        emit_json(plain(found))
        return
    _tell(found)


@transfers.command("close")
@click.argument("transfer_id", metavar="TRANSFER")
@click.option("--reason", required=True, metavar="WORDS", help="Why nothing more comes.")
@json_option
@hub_command
def close(hub: HubClient, transfer_id: str, reason: str, as_json: bool) -> None:
    """Say that nothing more comes: the node that received writes the difference off.

    Goods that turn up later are received as the same transfer; the write-off is then taken back.

    \b
    Example:
      bodegactl transfers close T-2026-118 --reason "one box was crushed"

    JSON: {transfer: {...}, conflict_id}.
    """
    request = pb.CloseTransferRequest(transfer_id=transfer_id, reason=reason)
    answer = hub.call(hub.transfers.CloseTransfer, request)
    if as_json:
        emit_json(plain(answer))
        return
    _tell(answer.transfer)
    click.echo(f"\nA node is told to settle it: bodegactl conflicts ls names conflict {answer.conflict_id}.")


def _tell(one: pb.Transfer) -> None:
    click.echo(f"{one.transfer_id} is {one.state}, {one.in_transit} in transit: {_sides(one)}.\n")
    rows = [
        [row.node_id, row.sku_id, row.lot or "-", row.shipped, row.received, row.written_off]
        for row in one.goods
    ]
    emit_table(["node", "sku", "lot", "sent", "received", "written off"], rows, empty="No goods.")


def _sides(one: pb.Transfer) -> str:
    return ", ".join(f"{side.node_id}{' (final)' if side.final else ''}" for side in one.sides)
