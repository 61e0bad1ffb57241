"""`bodega orders`: what this node was asked to ship, and how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bodega.core.lifecycles import FulfillmentState
from bodega.errors import NotFound
from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc
from bodega_agent.store.reads.orders import orders as orders_in


@click.command()
@config_option
@json_option
@click.option("--state", type=click.Choice([state.value for state in FulfillmentState]), help="Only these.")
@click.argument("fulfillment_order", default="")
def orders(config_path: Path, *, as_json: bool, state: str | None, fulfillment_order: str) -> None:
    """List the node's fulfillment orders with their lines: what is open as it is picked, then what is over.

    The order whose carrier leaves first comes first, then the one that was promised sooner, then the older. Reads the
    ledger file, so it works while the agent is down.

    \b
    Examples:
      bodega orders
      bodega orders --state assigned
      bodega orders FO-1
      bodega orders --json | jq '.[].lines[] | select(.short > 0)'
    """
    with ledger_of(config_path) as ledger:
        found = orders_in(ledger, state=state or "", fulfillment_order_id=fulfillment_order)
    if fulfillment_order and not found:
        raise NotFound(f"there is no fulfillment order '{fulfillment_order}' here", hint="bodega orders")
    if as_json:
        emit_json(found)
        return
    emit_table(
        (
            "order",
            "state",
            "due",
            "class",
            "line",
            "sku",
            "quantity",
            "picked",
            "short",
            "device",
            "with",
            "sscc",
        ),
        [_row(order, line) for order in found for line in order["lines"]],
        empty="No fulfillment orders." if state is None else f"No fulfillment orders are {state}.",
    )


def _row(order: dict[str, Any], line: dict[str, Any]) -> tuple[object, ...]:
    promise = order["service_class"] or "standard"
    return (
        order["fulfillment_order_id"],
        order["state"],
        utc(order["due_ms"]) if order["due_ms"] else "-",
        promise if order["method"] in {"", "parcel"} else f"{promise} {order['method']}",
        f"{line['line']} for {line['substitute_of']}" if line["substitute_of"] else line["line"],
        line["sku_id"],
        line["quantity"],
        line["picked"],
        line["short"],
        order["device"] or "-",
        " ".join(order["totes"]) or order["batch"] or "-",
        order["sscc"] or "-",
    )
