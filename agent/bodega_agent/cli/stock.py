"""`bodega stock`: what lies where, from the node's own ledger."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option


@click.command()
@config_option
@json_option
@click.option("--sku", "sku_id", default="", metavar="SKU", help="Only this SKU.")
@click.option(
    "--bin", "bin_id", default="", metavar="BIN", help="Only this place: a bin, DOCK, STAGE-..., ..."
)
def stock(config_path: Path, *, as_json: bool, sku_id: str, bin_id: str) -> None:
    """Show stock on hand by place, lot and disposition, in base units.

    Reads the ledger file, so it works while the agent is down. Dispositions are GS1 CBV words:
    sellable_accessible on a shelf, in_progress on the dock or a stage, container_closed in a parcel.

    \b
    Examples:
      bodega stock
      bodega stock --sku OAT-1L
      bodega stock --bin DOCK --json
    """
    with ledger_of(config_path) as ledger:
        found = ledger.stock(sku_id=sku_id, bin_id=bin_id)
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("place", "sku", "name", "lot", "disposition", "quantity"),
        [
            (row["bin"], row["sku_id"], row["name"], row["lot"] or "-", row["disposition"], row["quantity"])
            for row in found
        ],
        empty="No stock there.",
    )
