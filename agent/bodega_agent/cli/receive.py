"""`bodega receive`: what suppliers have announced, and what came in."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc
from bodega_agent.store.reads import receipts


@click.group()
def receive() -> None:
    """Deliveries: what is announced, what came in, and where the two differ.

    Goods are received on the floor: CMD-RECEIVE at a scanner or in bodega floor, then the notice's barcode, or goods
    alone. All quantities are base units.
    """


@receive.command("ls")
@one_page_option
@config_option
@json_option
def ls(config_path: Path, *, as_json: bool, limit: int) -> None:
    """List notices of deliveries and receipts, the latest first.

    Reads the ledger file, so it works while the agent is down.

    \b
    Examples:
      bodega receive ls
      bodega receive ls --json | jq '.notices[] | select(.state == "expected")'
    """
    with ledger_of(config_path) as ledger, ledger.snapshot():
        announced, came = receipts.notices(ledger, limit), receipts.receipts(ledger, limit)
    if as_json:
        emit_json({"notices": announced, "receipts": came})
        return
    emit_table(
        ("notice", "supplier", "expected at", "state", "announced", "received", "open", "over"),
        [
            (
                row["notice_id"],
                row["supplier"] or "-",
                utc(row["expected_at_ms"]) if row["expected_at_ms"] else "-",
                row["state"],
                row["expected"],
                row["received"],
                row["open"],
                row["over"],
            )
            for row in announced
        ],
        empty="Nothing is announced.",
    )
    emit_table(
        ("receipt", "notice", "state", "opened", "device", "received", "damaged", "on hold"),
        [
            (
                row["receipt_id"],
                row["notice_id"] or "blind",
                row["state"],
                utc(row["opened_at_ms"]),
                row["device"] or "-",
                row["received"],
                row["damaged"],
                row["held"],
            )
            for row in came
        ],
        empty="Nothing has come in yet.",
    )


@receive.command("show")
@click.argument("name", metavar="NOTICE|RECEIPT")
@config_option
@json_option
def show(config_path: Path, name: str, *, as_json: bool) -> None:
    """Show the lines of a notice or a receipt: announced, come, damaged, on hold, still open, too many.

    \b
    Examples:
      bodega receive show N-2041
      bodega receive show RCV-1-412
    """
    with ledger_of(config_path) as ledger, ledger.snapshot():
        found = receipts.delivery(ledger, name)
    if as_json:
        emit_json(found)
        return
    of = f" of notice {found['notice_id']}" if found.get("receipt_id") and found["notice_id"] else ""
    click.echo(f"{name}{of} is {found['state']}: {found['received']} units came in")
    emit_table(
        ("sku", "name", "lot", "announced", "received", "damaged", "on hold", "open", "over"),
        [
            (
                row["sku_id"],
                row["name"],
                row["lot"] or "-",
                row["expected"],
                row["received"],
                row["damaged"],
                row["held"],
                row["open"],
                row["over"],
            )
            for row in found["lines"]
        ],
        empty="It has no lines.",
    )
