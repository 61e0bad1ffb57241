"""`bodega stock`: what lies where and what may be promised of it, from the node's own ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bodega.core.ledger import Disposition
from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import today, utc
from bodega_agent.store.reads import atp as promise_reads
from bodega_agent.store.reads import stock as stock_reads
from bodega_agent.store.reads.stock import GROUPS, StockFilter

Json = dict[str, Any]


def _filters(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options that narrow stock, by the names of StockFilter's fields."""
    options = {
        "sku_id": click.option("--sku", "sku_id", default="", metavar="SKU", help="Only this SKU."),
        "bin_id": click.option(
            "--bin", "bin_id", default="", metavar="BIN", help="Only this place: a bin, DOCK, STAGE-..., ..."
        ),
        "lot": click.option("--lot", default="", metavar="LOT", help="Only this lot."),
        "disposition": click.option(
            "--disposition", type=click.Choice([d.value for d in Disposition]), help="Only this."
        ),
        "owner": click.option("--owner", default="", metavar="BRAND", help="Only stock of this owner."),
    }

    def narrowed(command: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(names):
            command = options[name](command)
        return command

    return narrowed


@click.group(invoke_without_command=True)
@config_option
@json_option
@_filters("sku_id", "bin_id", "lot", "disposition", "owner")
@click.option("--serial", default="", metavar="SERIAL", help="Where is the unit with this serial number?")
@click.option("--serials", is_flag=True, help="List the serial numbers that lie in the node.")
@click.option(
    "--group", "groups", type=click.Choice(list(GROUPS)), multiple=True, help="Sum by this; may be repeated."
)
@click.pass_context
def stock(
    context: click.Context,
    /,
    config_path: Path,
    *,
    as_json: bool,
    serial: str,
    serials: bool,
    groups: tuple[str, ...],
    **narrowed: str | None,
) -> None:
    """Show stock on hand by place, lot and disposition, in base units.

    Reads the ledger file, so it works while the agent is down. Dispositions are GS1 CBV words:
    sellable_accessible on a shelf, in_progress on the dock or a stage, container_closed in a parcel.
    Options that narrow the list combine.

    \b
    Examples:
      bodega stock
      bodega stock --sku OAT-1L --disposition sellable_accessible
      bodega stock --group sku --group disposition
      bodega stock --serial SN-0042
      bodega stock --bin DOCK --json
      bodega stock atp OAT-1L
    """
    if context.invoked_subcommand is not None:
        return
    wanted = StockFilter(**{name: value or "" for name, value in narrowed.items()})
    with ledger_of(config_path) as ledger:
        if serial or serials:
            _show_serials(stock_reads.serials(ledger, serial, wanted), as_json=as_json)
        elif groups:
            _show_sums(stock_reads.summed(ledger, wanted, groups), groups, as_json=as_json)
        else:
            _show_places(ledger.stock(wanted), as_json=as_json)


def _show_places(found: list[Json], *, as_json: bool) -> None:
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("place", "sku", "name", "lot", "owner", "disposition", "quantity"),
        [
            (
                row["bin"],
                row["sku_id"],
                row["name"],
                row["lot"] or "-",
                row["owner"] or "-",
                row["disposition"],
                row["quantity"],
            )
            for row in found
        ],
        empty="No stock there.",
    )
    _show_total(found)


def _show_sums(found: list[Json], groups: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        emit_json(found)
        return
    emit_table(
        (*groups, "places", "quantity"),
        [(*(row[GROUPS[group]] or "-" for group in groups), row["places"], row["quantity"]) for row in found],
        empty="No stock there.",
    )
    _show_total(found)


def _show_total(found: list[Json]) -> None:
    if found:
        click.echo(f"total: {sum(row['quantity'] for row in found)}")


def _show_serials(found: list[Json], *, as_json: bool) -> None:
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("serial", "sku", "where", "lot", "owner", "disposition"),
        [
            (
                row["serial"],
                row["sku_id"],
                row["bin"] or f"({row['external']})",
                row["lot"] or "-",
                row["owner"] or "-",
                row["disposition"] or "-",
            )
            for row in found
        ],
        empty="No such serial number.",
    )


@stock.command()
@config_option
@json_option
@click.argument("sku_ids", nargs=-1, metavar="[SKU]...")
def atp(config_path: Path, *, as_json: bool, sku_ids: tuple[str, ...]) -> None:
    """Show what the node may promise of each SKU (available to promise), with what it is made of.

    Every row adds up: the columns from SELLABLE to NO_RIGHT sum to ATP. NO_RIGHT are units that only the hub
    may promise. `bodega ledger explain SKU` shows the events behind a row.

    \b
    Examples:
      bodega stock atp
      bodega stock atp OAT-1L RYE-500G
      bodega stock atp --json | jq '.[] | select(.shortfall > 0)'
    """
    with ledger_of(config_path) as ledger:
        found = promise_reads.standings(ledger, today(), sku_ids)
    if as_json:
        emit_json(found)
        return
    words = [word for word in (found[0] if found else {}) if word not in {"sku_id", "name", "available"}]
    emit_table(
        ("sku", "name", *words, "atp"),
        [(row["sku_id"], row["name"], *(row[word] for word in words), row["available"]) for row in found],
        empty="This node knows no SKU yet.",
    )


@stock.command()
@config_option
@json_option
@_filters("sku_id", "bin_id", "lot", "owner")
def lots(config_path: Path, *, as_json: bool, **narrowed: str) -> None:
    """List the lots on hand, the one that expires soonest first.

    \b
    Examples:
      bodega stock lots
      bodega stock lots --sku OAT-1L
    """
    day = today()
    with ledger_of(config_path) as ledger:
        found = [
            {**row, "expired": "" < row["expiry"] < day}
            for row in stock_reads.lots(ledger, StockFilter(**narrowed))
        ]
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("sku", "name", "lot", "expiry", "sellable", "on hand"),
        [
            (
                row["sku_id"],
                row["name"],
                row["lot"],
                f"{row['expiry'] or '-'}{' (expired)' if row['expired'] else ''}",
                row["sellable"],
                row["on_hand"],
            )
            for row in found
        ],
        empty="No stock with lots there.",
    )


@stock.command()
@config_option
@json_option
@_filters("sku_id", "bin_id", "lot")
def discrepancies(config_path: Path, *, as_json: bool, **narrowed: str) -> None:
    """List where shelf and book differ and nobody has counted since, oldest first.

    DIFFERENCE is shelf minus book, in base units.

    \b
    Examples:
      bodega stock discrepancies
      bodega stock discrepancies --bin A-01-01
    """
    with ledger_of(config_path) as ledger:
        found = stock_reads.discrepancies(ledger, replace(stock_reads.EVERYTHING, **narrowed))
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("event", "time", "place", "sku", "lot", "difference", "reason"),
        [
            (
                row["seq"],
                utc(row["at_ms"]) if row["at_ms"] is not None else "(archived)",
                row["bin"],
                row["sku_id"],
                row["lot"] or "-",
                row["difference"],
                row["reason"],
            )
            for row in found
        ],
        empty="Shelf and book agree, as far as anybody has seen.",
    )
