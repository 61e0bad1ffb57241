"""`bodega ledger`: the node's journal, read from its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bodega.codec import parse_node_event
from bodega.errors import NotFound
from bodega.host.cli import LazyGroup, emit_json, emit_table, json_option
from bodega_agent.cli.journal_text import event_json, one_line
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc

_HERE = "bodega_agent.cli"


@click.group(
    cls=LazyGroup,
    lazy={
        "export": f"{_HERE}.ledger_export:export",
        "verify": f"{_HERE}.ledger_verify:verify",
        "backup": f"{_HERE}.ledger_backup:backup",
        "restore": f"{_HERE}.ledger_backup:restore",
        "archive": f"{_HERE}.ledger_archive:archive",
    },
)
def ledger() -> None:
    """The journal: every fact that this node has recorded, in order, as a hash chain.

    Nothing in it is ever changed; a correction is a new event. Reads and `backup` take the ledger file and work
    while the agent is down; `archive` asks the agent; `restore` needs it stopped.
    """


@ledger.command()
@config_option
@json_option
@click.option("--after", type=click.IntRange(0), help="Oldest first from the event after SEQ.", metavar="SEQ")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
def log(config_path: Path, *, as_json: bool, after: int | None, limit: int) -> None:
    """Show events, one line each: the newest first, or from --after SEQ on.

    \b
    Examples:
      bodega ledger log
      bodega ledger log --after 0 --limit 100
      bodega ledger log --json | jq '.[] | select(.fact == "discrepancy_opened")'
    """
    with ledger_of(config_path) as journal:
        rows = journal.journal(after or 0, limit, newest_first=after is None)
    if as_json:
        emit_json([event_json(row["seq"], row["body"], row["hash"]) for row in rows])
        return
    emit_table(
        ("seq", "time", "fact", "who", "what"), [_log_row(row) for row in rows], empty="No events yet."
    )


def _log_row(row: dict[str, Any]) -> tuple[Any, ...]:
    event = parse_node_event(row["body"])
    who = f"{event.actor} at {event.device}" if event.device else event.actor
    return row["seq"], utc(row["at_ms"]), row["fact"], who, one_line(event)


@ledger.command()
@config_option
@json_option
@click.argument("seq", type=click.IntRange(1))
def show(config_path: Path, *, as_json: bool, seq: int) -> None:
    """Show one event in full, with its place in the chain.

    \b
    Example:
      bodega ledger show 42
    """
    with ledger_of(config_path) as journal:
        events = journal.events(seq - 1, 1)
        if not events or events[0].seq != seq:
            raise NotFound(f"there is no event {seq}", hint=f"the newest is {journal.head().seq}")
        shown = event_json(seq, events[0].body, events[0].hash)
    if as_json:
        emit_json(shown)
        return
    click.echo(f"event {seq}, {shown['fact']}: {one_line(parse_node_event(events[0].body))}")
    click.echo(f"hash {shown['hash']}")
    emit_json(shown["event"])
