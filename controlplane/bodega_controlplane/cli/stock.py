"""`bodegactl stock`: what lies where, and what of it may be promised."""

from __future__ import annotations

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega.v1 import controlplane_pb2 as pb
from bodega.v1 import stock_pb2
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.paging import collect, limit_option
from bodega_controlplane.cli.show import plain_all


@click.group()
def stock() -> None:
    """Stock over all nodes.

    It comes from the replica of their ledgers, so it is as new as their last contact.

    `ls` is physical: what lies in which bin. `available` is what may be promised, with the breakdown.
    `serials` says where units with serial numbers are.
    """


@stock.command("ls")
@click.option("--node", "node_id", default="", metavar="NODE", help="Only this node.")
@click.option("--sku", "sku_id", default="", metavar="SKU", help="Only this SKU.")
@limit_option
@json_option
@hub_command
def ls(hub: HubClient, node_id: str, sku_id: str, limit: int, as_json: bool) -> None:
    """List what lies where, as each node last reported it.

    \b
    Examples:
      bodegactl stock ls --node lisbon-01
      bodegactl stock ls --sku TEA-EARL-GREY --json

    JSON: {"levels": [{node_id, bin, owner, sku_id, lot, disposition, on_hand}]}; dispositions are GS1 CBV's.
    """

    def page(size: int, token: str) -> tuple[list[stock_pb2.StockLevel], str]:
        request = pb.ListStockRequest(node_id=node_id, sku_id=sku_id, page_size=size, page_token=token)
        answer = hub.call(hub.stock.ListStock, request)
        return list(answer.levels), answer.next_page_token

    found = collect(limit, page)
    if as_json:
        emit_json({"levels": plain_all(found)})
        return
    rows = [[row.node_id, row.bin, row.sku_id, row.lot or "-", row.disposition, row.on_hand] for row in found]
    headers = ["node", "bin", "sku", "lot", "disposition", "on hand"]
    emit_table(
        headers, rows, empty="No stock. It appears here when a node has received some and is in touch."
    )


@stock.command("available")
@click.argument("sku_ids", metavar="SKU...", nargs=-1, required=True)
@json_option
@hub_command
def available(hub: HubClient, sku_ids: tuple[str, ...], as_json: bool) -> None:
    """Say what of a SKU may be promised at each node, and why it is that many.

    available = sellable - node rights - reserved - held back - safety stock, and never below zero: what lies on the
    shelf, less what the node may promise by itself, less what open orders wait for, less what is kept back.

    \b
    Examples:
      bodegactl stock available TEA-EARL-GREY
      bodegactl stock available TEA-EARL-GREY MUG-BLUE --json

    JSON: {"availability": [{sku_id, node_id, sellable, node_rights, reserved, held_back,
    safety_stock, available}]}.
    """
    answer = hub.call(hub.stock.ListAvailability, pb.ListAvailabilityRequest(sku_ids=sku_ids))
    if as_json:
        emit_json({"availability": plain_all(answer.availability)})
        return
    rows = [
        [
            row.sku_id,
            row.node_id,
            row.sellable,
            row.node_rights,
            row.reserved,
            row.held_back,
            row.safety_stock,
            row.available,
        ]
        for row in answer.availability
    ]
    headers = ["sku", "node", "sellable", "node rights", "reserved", "held back", "safety stock", "available"]
    emit_table(headers, rows, empty="No node is registered: bodegactl nodes register FILE.")


@stock.command("serials")
@click.option("--sku", "sku_id", default="", metavar="SKU", help="Only this SKU.")
@click.option("--serial", default="", metavar="SERIAL", help="Only this serial number.")
@click.option("--in-two-nodes", is_flag=True, help="Only units that more than one node says it holds.")
@limit_option
@json_option
@hub_command
def serials(hub: HubClient, sku_id: str, serial: str, in_two_nodes: bool, limit: int, as_json: bool) -> None:
    """List where units with serial numbers are, as each node last reported them.

    A unit is in one place. One that two nodes hold for longer than a transfer takes was scanned wrongly in one
    of them: count both bins.

    \b
    Examples:
      bodegactl stock serials --serial SN-0042
      bodegactl stock serials --in-two-nodes --json

    JSON: {"serials": [{serial, node_id, account: {sku_id, bin or external, disposition, lot, owner}}]}.
    """

    def page(size: int, token: str) -> tuple[list[pb.ListSerialsResponse.SerialPlace], str]:
        request = pb.ListSerialsRequest(
            sku_id=sku_id, serial=serial, in_two_nodes=in_two_nodes, page_size=size, page_token=token
        )
        answer = hub.call(hub.stock.ListSerials, request)
        return list(answer.serials), answer.next_page_token

    found = collect(limit, page)
    if as_json:
        emit_json({"serials": plain_all(found)})
        return
    rows = [
        [row.account.sku_id, row.serial, row.node_id, row.account.bin or row.account.external]
        for row in found
    ]
    emit_table(["sku", "serial", "node", "place"], rows, empty="No such units.")
