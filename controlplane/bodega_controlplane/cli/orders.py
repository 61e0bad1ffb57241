"""`bodegactl orders`: look at orders, cancel or move one, ask why it went where it went."""

from __future__ import annotations

import click

from bodega.core.lifecycles import OrderState
from bodega.host.cli import emit_json, emit_table, json_option
from bodega.v1 import controlplane_pb2 as pb
from bodega.v1 import orders_pb2
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import reason_option, request_id_option
from bodega_controlplane.cli.order_erasing import erase
from bodega_controlplane.cli.paging import collect, limit_option
from bodega_controlplane.cli.show import enum_word, plain, plain_all, when


@click.group()
def orders() -> None:
    """Orders, as the channels placed them.

    Orders come in over the storefront's HTTP API. Here they are looked at, cancelled and explained.
    """


@orders.command("ls")
@click.option(
    "--state", type=click.Choice([word.value for word in OrderState]), help="Only orders in this state."
)
@click.option("--node", "node_id", default="", metavar="NODE", help="Only what this node works on, or has.")
@click.option("--channel", default="", metavar="CHANNEL", help="Only this channel's.")
@click.option("--reference", default="", metavar="TEXT", help="Only with this reference of their channel's.")
@limit_option
@json_option
@hub_command
def ls(
    hub: HubClient,
    state: str | None,
    node_id: str,
    channel: str,
    reference: str,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List orders, newest first.

    \b
    Examples:
      bodegactl orders ls
      bodegactl orders ls --state in_fulfillment --limit 200
      bodegactl orders ls --json | jq -r '.orders[].order_id'

    JSON: {"orders": [{order_id, channel, reference, state, node_id, lines, parcels, placed_at_ms,
    updated_at_ms, service_class, method, ship_complete, ship_by_ms}]}.
    """
    wanted = orders_pb2.OrderState.Value(f"ORDER_STATE_{state.upper() if state else 'UNSPECIFIED'}")

    def page(size: int, token: str) -> tuple[list[orders_pb2.Order], str]:
        request = pb.ListOrdersRequest(
            page_size=size,
            page_token=token,
            state=wanted,
            node_id=node_id,
            channel=channel,
            reference=reference,
        )
        answer = hub.call(hub.orders.ListOrders, request)
        return list(answer.orders), answer.next_page_token

    found = collect(limit, page)
    if as_json:
        emit_json({"orders": plain_all(found)})
        return
    rows = [
        [
            order.order_id,
            _state(order).replace("_", " "),
            order.node_id,
            _units(order),
            when(order.placed_at_ms),
            order.reference,
        ]
        for order in found
    ]
    headers = ["order", "state", "node", "units", "placed", "ref"]
    emit_table(headers, rows, empty="No orders. Channels place them with POST /v1/orders.")


@orders.command("show")
@click.argument("order_id", metavar="ORDER")
@json_option
@hub_command
def show(hub: HubClient, order_id: str, as_json: bool) -> None:
    """Show one order with its lines and parcels.

    \b
    Examples:
      bodegactl orders show ORDER
      bodegactl orders show ORDER --json

    JSON: the order itself, with the keys of `orders ls`.
    """
    _print(hub.call(hub.orders.GetOrder, pb.GetOrderRequest(order_id=order_id)).order, as_json)


@orders.command("cancel")
@click.argument("order_id", metavar="ORDER")
@json_option
@hub_command
def cancel(hub: HubClient, order_id: str, as_json: bool) -> None:
    """Ask the node to stop working on an order.

    The node has the last word: an order that it has not handed over is cancelled, and what was picked
    goes back to the shelf; one that it has handed over stays shipped. Watch the state to see which.
    Exit code 1 if the order is already final.

    \b
    Example:
      bodegactl orders cancel ORDER && bodegactl orders show ORDER
    """
    _print(hub.call(hub.orders.CancelOrder, pb.CancelOrderRequest(order_id=order_id)).order, as_json)


@orders.command("reassign")
@click.argument("order_id", metavar="ORDER")
@click.option("--part", type=click.IntRange(1), default=None, help="Which part, if the order has several.")
@click.option("--to", "node_id", default="", metavar="NODE", help="Node; else the routing rule chooses.")
@reason_option
@request_id_option
@json_option
@hub_command
def reassign(
    hub: HubClient,
    order_id: str,
    part: int | None,
    node_id: str,
    reason: str,
    request_id: str,
    *,
    as_json: bool,
) -> None:
    """Take an order, or a part of it, from its node and give it to another one.

    The old node is told to stop: what it has begun is put back. If it has shipped before it hears that, its parcel
    stands and a conflict says so. Exit code 1 if the order is final, kept at its node, or no node can serve it.

    \b
    Examples:
      bodegactl orders reassign ORDER --reason "the node is flooded"
      bodegactl orders reassign ORDER --to porto-01 --reason "closer to the truck"
    """
    request = pb.ReassignOrderRequest(
        request_id=request_id, order_id=order_id, node_id=node_id, reason=reason, part=part or 0
    )
    _print(hub.call(hub.orders.ReassignOrder, request).order, as_json)


@orders.command("explain")
@click.argument("order_id", metavar="ORDER")
@json_option
@hub_command
def explain(hub: HubClient, order_id: str, as_json: bool) -> None:
    """Say why an order went to its node, and why not to the others.

    Shows the decision as it was recorded: the rule with its version, every node that was looked at with its
    distance, and the reasons for and against it. An order that was moved also says from where, by whom and why.

    \b
    Example:
      bodegactl orders explain ORDER

    JSON: {order_id, node_id, rule, candidates: [{node_id, distance_km, eligible, reasons}], decided_at_ms, reason,
    decided_by, earlier: [the same, newest first]}.
    """
    answer = hub.call(hub.decisions.ExplainRoute, pb.ExplainRouteRequest(order_id=order_id))
    decision = answer.decision
    if as_json:
        emit_json(plain(decision) | {"earlier": plain_all(answer.earlier)})
        return
    chosen = f"went to {decision.node_id}" if decision.node_id else "went to no node"
    click.echo(
        f"{decision.order_id} {chosen} by the rule {decision.rule} at {when(decision.decided_at_ms)}.\n"
    )
    rows = [
        [
            row.node_id,
            f"{row.distance_km:.1f}",
            "chosen" if row.node_id == decision.node_id else "could" if row.eligible else "could not",
            "; ".join(reason.text for reason in row.reasons),
        ]
        for row in decision.candidates
    ]
    emit_table(["node", "km", "serve", "why"], rows, empty="No node was looked at.")
    if decision.reason:
        click.echo(f"\n{decision.decided_by} moved it: {decision.reason}")
    for before in answer.earlier:
        why = f"; {before.decided_by} had moved it: {before.reason}" if before.reason else ""
        click.echo(f"before that it was at {before.node_id}, since {when(before.decided_at_ms)}{why}")


def _print(order: orders_pb2.Order, as_json: bool) -> None:
    if as_json:
        emit_json(plain(order))
        return
    click.echo(f"order      {order.order_id}  ({order.channel} {order.reference})")
    click.echo(f"state      {_state(order)}")
    click.echo(f"node       {order.node_id or '-'}")
    click.echo(f"class      {order.service_class or 'standard'}")
    click.echo(f"parcels    {' '.join(order.parcels) or '-'}")
    click.echo(f"placed     {when(order.placed_at_ms)}")
    click.echo(f"updated    {when(order.updated_at_ms)}\n")
    rows = [[line.line, line.sku_id, line.quantity, line.shipped, line.short] for line in order.lines]
    emit_table(["line", "sku", "asked", "shipped", "short"], rows, empty="It has no lines.")
    if len(order.parts) > 1 or not order.node_id:
        click.echo("")
        rows = [
            [part.part, part.node_id or "-", part.state, sum(line.quantity for line in part.lines)]
            for part in order.parts
        ]
        emit_table(["part", "node", "state", "units"], rows, empty="")


def _state(order: orders_pb2.Order) -> str:
    return enum_word(orders_pb2.OrderState.DESCRIPTOR, order.state)


def _units(order: orders_pb2.Order) -> int:
    return sum(line.quantity for line in order.lines)


orders.add_command(erase)
