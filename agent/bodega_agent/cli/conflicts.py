"""`bodega conflicts`: facts that met at this node, and what a named rule made of them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bodega.codec import parse_node_event
from bodega.core.conflicts.table import CASES
from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega_agent.cli.journal_text import told
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc
from bodega_agent.store.reads.conflicts import FoundConflict, by_id, event_of, newest


@click.group()
def conflicts() -> None:
    """Facts that met while the node and the hub were out of touch, and what was done about them.

    Each was resolved by a rule with a name and a version. What people must decide, they decide at the centre:
    bodegactl conflicts.
    """


@conflicts.command("ls")
@one_page_option
@config_option
@json_option
def ls(config_path: Path, *, as_json: bool, limit: int) -> None:
    """List the conflicts that rules have resolved here, newest first.

    Reads the ledger file, so it works while the agent is down.

    \b
    Examples:
      bodega conflicts ls
      bodega conflicts ls --json | jq '.[] | select(.needs != "")'
    """
    with ledger_of(config_path) as ledger:
        found = newest(ledger, limit)
    if as_json:
        emit_json([_plain(one) for one in found])
        return
    emit_table(
        ("conflict", "found", "kind", "order", "sku", "needs a person", "effect"),
        [
            (
                one.conflict.conflict_id,
                utc(one.at_ms) if one.at_ms else "-",
                one.conflict.kind,
                one.conflict.order_id or "-",
                one.conflict.sku_id or "-",
                "yes" if one.conflict.needs else "no",
                one.conflict.effect,
            )
            for one in found
        ],
        empty="No conflicts were found here.",
    )


@conflicts.command("show")
@click.argument("conflict_id", metavar="ID")
@config_option
@json_option
def show(config_path: Path, conflict_id: str, *, as_json: bool) -> None:
    """Tell one conflict: the facts that met, what was known, what was done, and how to undo it.

    \b
    Example:
      bodega conflicts show 3f2a9c01d4e5b678
    """
    with ledger_of(config_path) as ledger:
        one = by_id(ledger, conflict_id)
        inputs = [
            (event, event_of(ledger, event, ledger.meta("node_id", ""))) for event in one.conflict.inputs
        ]
    sentences = [_sentence(event, body) for event, body in inputs]
    if as_json:
        emit_json(_plain(one) | {"input_sentences": sentences})
        return
    row = one.conflict
    case = CASES.get(row.kind)
    click.echo(f"{row.conflict_id}  {row.kind}, recorded by event {one.seq}")
    click.echo(f"rule    {row.rule}" + (f": {case.sentence}" if case else ""))
    for sentence in sentences:
        click.echo(f"met     {sentence}")
    click.echo(f"knew    {row.knew}")
    click.echo(f"done    {row.effect}")
    click.echo(f"needs   {row.needs or 'nobody'}")
    click.echo(f"undo    {row.undo}")


def _sentence(event: str, body: bytes | None) -> str:
    if body is not None:
        return told(int(event.rpartition("/")[2]), parse_node_event(body))
    return f"{event}, which this node's journal does not hold"


def _plain(one: FoundConflict) -> dict[str, Any]:
    return asdict(one.conflict) | {"seq": one.seq, "found_at_ms": one.at_ms}
