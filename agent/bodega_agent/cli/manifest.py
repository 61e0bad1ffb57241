"""`bodega manifest`: what carriers have collected, and what waits for them."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.core import money
from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.store.reads import parcels


@click.group()
def manifest() -> None:
    """Manifests: one per carrier and local day of shipping, filled by scans at the handover.

    The driver signs for one with CMD-MANIFEST on the floor. These commands read the ledger file, so they work while
    the agent is down.
    """


@manifest.command("ls")
@click.option("--open", "only_open", is_flag=True, help="Only those that no driver has signed for.")
@one_page_option
@config_option
@json_option
def list_manifests(config_path: Path, *, as_json: bool, only_open: bool, limit: int) -> None:
    """List manifests, the newest day first.

    \b
    Examples:
      bodega manifest ls
      bodega manifest ls --open --json | jq '.[].still_here'
    """
    with ledger_of(config_path) as ledger:
        found = parcels.manifests(ledger, limit, only_open=only_open)
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("manifest", "carrier", "ship date", "state", "parcels", "still here"),
        [
            (
                one["manifest_id"],
                one["carrier"],
                one["ship_date"],
                one["state"],
                one["parcels"],
                one["still_here"],
            )
            for one in found
        ],
        empty="No manifests yet.",
    )


@manifest.command("show")
@click.argument("manifest_id", metavar="ID")
@config_option
@json_option
def show(config_path: Path, manifest_id: str, *, as_json: bool) -> None:
    """Tell one manifest, parcel by parcel, in the order of the handover.

    \b
    Example:
      bodega manifest show MAN-1-2345
    """
    with ledger_of(config_path) as ledger:
        found = parcels.manifest(ledger, manifest_id)
    if as_json:
        emit_json(found)
        return
    click.echo(
        f"manifest  {found['manifest_id']} of {found['carrier']} for {found['ship_date']}, {found['state']}"
    )
    emit_table(
        ("sscc", "order", "service", "tracking number", "box", "grams", "price"),
        [
            (
                one["sscc"],
                one["fulfillment_order_id"],
                one["service"],
                one["tracking_number"] or "-",
                one["carton_id"] or "-",
                one["weight_g"] or "-",
                money.text_of(one["price_minor"], one["currency"]),
            )
            for one in found["lines"]
        ],
        empty="Nothing is on it.",
    )


@manifest.command("waiting")
@config_option
@json_option
def waiting(config_path: Path, *, as_json: bool) -> None:
    """List labelled parcels that wait for their carrier.

    \b
    Examples:
      bodega manifest waiting
      bodega manifest waiting --json | jq 'group_by(.carrier)'
    """
    with ledger_of(config_path) as ledger:
        found = parcels.waiting(ledger)
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("sscc", "order", "carrier", "service", "ship date", "tracking number"),
        [
            (
                one["sscc"],
                one["fulfillment_order_id"],
                one["carrier"] or "-",
                one["service"] or "-",
                one["ship_date"] or "-",
                one["tracking_number"] or "-",
            )
            for one in found
        ],
        empty="No parcel waits.",
    )
