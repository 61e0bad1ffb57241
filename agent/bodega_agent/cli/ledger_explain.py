"""`bodega ledger explain`: why the node may promise what it may, down to the events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bodega.host.cli import emit_json, json_option
from bodega.limits import HISTORY_EVENTS_TOLD_MAX
from bodega_agent.cli.journal_text import one_line, told, who
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import today
from bodega_agent.store.reads import atp
from bodega_agent.store.reads.atp import Entry, Explanation, Line


@click.command()
@config_option
@json_option
@click.argument("sku_id", metavar="SKU")
@click.option(
    "-n", "--limit", type=click.IntRange(1, HISTORY_EVENTS_TOLD_MAX), default=5, show_default=True,
    help="Events under each line, the newest first.",
)  # fmt: skip
def explain(config_path: Path, *, as_json: bool, sku_id: str, limit: int) -> None:
    """Explain what the node may promise of a SKU: each line of the breakdown with the events that made it.

    The lines sum to the answer. Under a line, the events shown and the units of older ones sum to what they made.

    \b
    Examples:
      bodega ledger explain OAT-1L
      bodega ledger explain OAT-1L --limit 50 --json
    """
    with ledger_of(config_path) as ledger:
        found = atp.explain(ledger, sku_id, today(), limit=limit)
    if as_json:
        emit_json(_as_json(found))
        return
    click.echo(f"{found.sku_id} {found.name}".strip())
    for line in found.lines:
        click.echo(f"\n{line.part.units:+6d}  {line.part.word}: {line.part.text}")
        _show(line)
    click.echo(f"\n{found.standing.available:6d}  may be promised by this node (ATP)")
    if found.doubts.entries:
        click.echo("\nShelf and book differ, and nobody has counted since:")
        _show(found.doubts)


def _show(line: Line) -> None:
    for note in line.notes:
        click.echo(f"        {note}")
    for entry in line.entries:
        click.echo(f"        {entry.units:+6d}  {_words(entry)}")
    if line.older:
        click.echo(f"        {line.older:+6d}  older than these: --limit shows more")


def _words(entry: Entry) -> str:
    return told(entry.told.seq, entry.told.event) if entry.told else entry.text


def _as_json(found: Explanation) -> dict[str, Any]:
    return {
        "sku_id": found.sku_id,
        "name": found.name,
        "available": found.standing.available,
        "lines": [_line_json(line) for line in found.lines],
        "doubts": _line_json(found.doubts),
        "searched_from": found.searched_from,
    }


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "word": line.part.word,
        "text": line.part.text,
        "units": line.part.units,
        "made": line.of,
        "entries": [_entry_json(entry) for entry in line.entries],
        "older_units": line.older,
        "notes": list(line.notes),
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    if entry.told is None:
        return {"units": entry.units, "text": entry.text}
    event = entry.told.event
    return {
        "units": entry.units,
        "seq": entry.told.seq,
        "at_ms": event.at_ms,
        "who": who(event),
        "text": one_line(event),
    }
