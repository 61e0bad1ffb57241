"""`bodega returns`: what customers have sent back."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc
from bodega_agent.store.reads.returns import by_id, newest


@click.group()
def returns() -> None:
    """Returns: announced by the hub, under way at the bench, or closed and refunded.

    They are taken back on the floor: CMD-RETURN.
    """


@returns.command("ls")
@click.option("--open", "unclosed", is_flag=True, help="Only those that are not closed.")
@one_page_option
@config_option
@json_option
def ls(config_path: Path, *, as_json: bool, unclosed: bool, limit: int) -> None:
    """List returns, newest first.

    Reads the ledger file, so it works while the agent is down.

    \b
    Examples:
      bodega returns ls --open
      bodega returns ls --json | jq '.[] | select(.refunded < .back)'
    """
    with ledger_of(config_path) as ledger:
        found = newest(ledger, limit, unclosed=unclosed)
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("return", "order", "state", "since", "announced", "back", "unfinished", "refunded"),
        [
            (
                row["return_id"],
                row["order_id"] or "-",
                row["state"],
                utc(row["opened_at_ms"]),
                row["announced"] or "-",
                row["back"],
                row["unfinished"],
                row["refunded"],
            )
            for row in found
        ],
        empty="Nothing came back.",
    )


@returns.command("show")
@click.argument("return_id", metavar="RETURN")
@config_option
@json_option
def show(config_path: Path, return_id: str, *, as_json: bool) -> None:
    """Tell one return: each line with the person's grade, the camera's word, and what became of it.

    \b
    Example:
      bodega returns show RMA-7
    """
    with ledger_of(config_path) as ledger:
        found = by_id(ledger, return_id)
    if as_json:
        emit_json(found)
        return
    of = f" of order {found['order_id']}" if found["order_id"] else ", blind"
    click.echo(f"{found['return_id']}{of}: {found['state']} since {utc(found['opened_at_ms'])}")
    for due in found["announced"]:
        click.echo(f"announced  {due['quantity']} {due['sku_id']}")
    emit_table(
        ("line", "sku", "lot", "units", "grade", "camera", "disposition", "place", "refunded"),
        [
            (
                line["line"],
                line["sku_id"],
                line["lot"] or "-",
                line["quantity"],
                line["grade"] or "-",
                line["camera"] or "-",
                line["disposition"] or "-",
                line["place"] or "-",
                line["refunded"],
            )
            for line in found["lines"]
        ],
        empty="Nothing came back yet.",
    )
