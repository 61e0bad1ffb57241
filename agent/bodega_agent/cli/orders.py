"""`bodega orders`: what this node was asked to ship, and how far it is."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.core.lifecycles import FulfillmentState
from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option


@click.command()
@config_option
@json_option
@click.option("--state", type=click.Choice([state.value for state in FulfillmentState]), help="Only these.")
def orders(config_path: Path, *, as_json: bool, state: str | None) -> None:
    """List the node's fulfillment orders with their lines, oldest first.

    Reads the ledger file, so it works while the agent is down.

    \b
    Examples:
      bodega orders
      bodega orders --state picking
      bodega orders --json | jq '.[].lines[] | select(.short > 0)'
    """
    with ledger_of(config_path) as ledger:
        found = [order for order in ledger.orders() if state in {None, order["state"]}]
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("order", "state", "line", "sku", "quantity", "picked", "short", "device", "sscc"),
        [
            (
                order["fulfillment_order_id"],
                order["state"],
                line["line"],
                line["sku_id"],
                line["quantity"],
                line["picked"],
                line["short"],
                order["device"] or "-",
                order["sscc"] or "-",
            )
            for order in found
            for line in order["lines"]
        ],
        empty="No fulfillment orders." if state is None else f"No fulfillment orders are {state}.",
    )
