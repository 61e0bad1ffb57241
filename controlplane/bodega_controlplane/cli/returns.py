"""`bodegactl returns`: goods that customers send back."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, json_option
from bodega.v1 import expectations_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import request_id_option
from bodega_controlplane.cli.expected_lines import lines_options, read_lines
from bodega_controlplane.cli.show import plain


@click.group()
def returns() -> None:
    """Goods that come back. What a node has taken, and what money is due: bodegactl floor ls returns, refunds."""


@returns.command("expect")
@click.argument("order_id", metavar="ORDER")
@click.option(
    "--node", "node_id", default="", metavar="NODE", help="Node that takes it; else the one that sent it."
)
@lines_options
@request_id_option
@json_option
@hub_command
def expect(
    hub: HubClient,
    order_id: str,
    node_id: str,
    lines: tuple[str, ...],
    lines_file: Path | None,
    request_id: str,
    *,
    as_json: bool,
) -> None:
    """Agree to a return: the node is told what should come back; without lines, all that was sent.

    Prints the return's id: put it on the slip that the customer sends with the goods. Exit code 1 if nothing of the
    order has left, or all of it comes back already.

    \b
    Examples:
      bodegactl returns expect ORDER
      bodegactl returns expect ORDER --line TEA=1 --node porto-01

    JSON: {node_id, expected: {return_id, order_id, lines}}.
    """
    request = pb.ExpectReturnRequest(
        request_id=request_id, order_id=order_id, node_id=node_id, lines=read_lines(lines, lines_file)
    )
    answer = hub.call(hub.expectations.ExpectReturn, request)
    if as_json:
        emit_json(plain(answer))
        return
    units = sum(line.quantity for line in answer.expected.lines)
    click.echo(
        f"{answer.node_id} expects return {answer.expected.return_id}: {units} units of order {order_id}."
    )
