"""`bodega count`: where to count, what was counted, and a lead's word on what differs much."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc
from bodega_agent.store.reads import counts as reads

Json = dict[str, Any]
_STATES = ("open", "waits_for_approval", "posted", "rejected")


@click.group()
def count() -> None:
    """Counts of bins. People count on the floor: CMD-COUNT at a scanner, or in bodega floor.

    `next`, `ls` and `show` read the ledger file and work while the agent is down. Nothing here says what the book has
    of a line that is still being counted.
    """


@count.command("next")
@config_option
@json_option
def next_places(config_path: Path, *, as_json: bool) -> None:
    """List where to count next, the most urgent first.

    A recount comes first, then what the hub's digest doubts, then open discrepancies, then the plan by velocity class
    (settings count.plan_days_a, _b and _c).

    \b
    Examples:
      bodega count next
      bodega count next --json | jq '.[] | select(.cause == "digest")'
    """
    with ledger_of(config_path) as ledger:
        found = reads.places(ledger, time.time_ns() // 1_000_000)
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("place", "because of"),
        [(row["place"], row["cause"]) for row in found],
        empty="No place is due to be counted.",
    )


@count.command("ls")
@click.option("--state", type=click.Choice(_STATES), help="Only these.")
@one_page_option
@config_option
@json_option
def ls(config_path: Path, *, as_json: bool, limit: int, state: str | None) -> None:
    """List counts, newest first.

    \b
    Examples:
      bodega count ls
      bodega count ls --state waits_for_approval
    """
    with ledger_of(config_path) as ledger:
        found = reads.newest(ledger, limit, state or "")
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("count", "begun", "place", "cause", "state", "round", "lines", "differ", "by"),
        [
            (
                row["count_id"],
                utc(row["begun_at_ms"]),
                row["place"],
                row["cause"],
                row["state"],
                row["round"],
                row["lines"],
                row["differing"],
                row["actor"],
            )
            for row in found
        ],
        empty="Nothing was counted on the floor yet.",
    )


@count.command("show")
@click.argument("count_id", metavar="COUNT")
@config_option
@json_option
def show(count_id: str, config_path: Path, *, as_json: bool) -> None:
    """Show every round of a count: what was found, what the book had then, and what became of it.

    \b
    Example:
      bodega count show COUNT-1-17
    """
    with ledger_of(config_path) as ledger:
        found = reads.one(ledger, count_id)
    if as_json:
        emit_json(found)
        return
    click.echo(f"{found['count_id']} of {found['place']} ({found['cause']}) is {found['state']}.\n")
    emit_table(
        ("round", "sku", "lot", "counted", "book", "differs", "verdict"),
        [
            (
                line["round"],
                line["sku_id"],
                line["lot"] or "-",
                line["counted"],
                "-" if line["book"] is None else line["book"],
                "-" if line["difference"] is None else f"{line['difference']:+d}",
                line["verdict"] or "(is counted)",
            )
            for line in found["rounds"]
        ],
        empty="No line was counted yet.",
    )


@count.command("approve")
@click.argument("count_id", metavar="COUNT")
@click.argument("sku_id", metavar="SKU")
@click.option("--lot", default="", help="The lot of the line.")
@config_option
@json_option
def approve(count_id: str, sku_id: str, lot: str, config_path: Path, *, as_json: bool) -> None:
    """Book what was counted twice and differs much. Leads do the same at a scanner: CMD-APPROVE.

    What was picked there since is taken into account. If the book has learned of something there by itself, nothing is
    booked and the line is to be counted again.

    \b
    Example:
      bodega count approve COUNT-1-17 OAT-1L
    """
    _decide(config_path, count_id, sku_id, lot, approved=True, as_json=as_json)


@count.command("reject")
@click.argument("count_id", metavar="COUNT")
@click.argument("sku_id", metavar="SKU")
@click.option("--lot", default="", help="The lot of the line.")
@config_option
@json_option
def reject(count_id: str, sku_id: str, lot: str, config_path: Path, *, as_json: bool) -> None:
    """Have a line counted once more instead of booking it.

    \b
    Example:
      bodega count reject COUNT-1-17 OAT-1L
    """
    _decide(config_path, count_id, sku_id, lot, approved=False, as_json=as_json)


def _decide(
    config_path: Path, count_id: str, sku_id: str, lot: str, *, approved: bool, as_json: bool
) -> None:
    about: Json = {"count_id": count_id, "sku_id": sku_id, "lot": lot, "approved": approved}
    with ControlClient.of(config_path) as agent:
        result = agent.ask("count.decide", cmd_id=str(uuid4()), **about)
    if as_json:
        emit_json(result)
        return
    click.echo("It is booked." if result["booked"] else "Nothing is booked: it is to be counted again.")
