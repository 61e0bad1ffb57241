"""`bodega ledger forks`: what this node wrote beside the hub's line, and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from bodega.errors import NotFound
from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.journal_text import event_json
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc
from bodega_agent.config import load_config
from bodega_agent.store import forks as kept
from bodega_agent.store.archive import FOLDER, events_in
from bodega_agent.store.integrity import Event, live_events
from bodega_agent.store.reader import Reader


@click.command()
@config_option
@json_option
@click.argument("file", required=False, metavar="[FILE]")
def forks(config_path: Path, *, as_json: bool, file: str | None) -> None:
    """List what this node has kept of lines that ended, or write the events of one FILE as JSON lines.

    A node that was restored, copied or wiped begins a new epoch from what the hub has. What it had written by
    itself is judged event by event (`bodega ledger log` shows the outcome); the old line stays here, under the
    disk budget of archives. Hand a file in if somebody must look into it.

    \b
    Examples:
      bodega ledger forks
      bodega ledger forks fork-1-2-20270115T080000Z.db | jq -c '[.seq, .fact]'

    JSON: [{"file", "kind": "events" | "ledger", "size_bytes", "written_at_ms"}].
    """
    folder = load_config(config_path).ledger_path.parent / FOLDER
    found = kept.listed(folder)
    if file is not None:
        path = folder / Path(file).name
        if str(path) not in {row["file"] for row in found}:
            raise NotFound(f"there is no {path}", hint="list them: bodega ledger forks")
        for event in _events(path):
            click.echo(json.dumps(event_json(*event), ensure_ascii=False, sort_keys=True))
        return
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("file", "holds", "bytes", "written"),
        [
            (Path(row["file"]).name, row["kind"], row["size_bytes"], utc(row["written_at_ms"]))
            for row in found
        ],
        empty="None: this node has never left the hub's line.",
    )


def _events(path: Path) -> Iterator[Event]:
    if path.suffix == ".gz":
        yield from events_in(path)
        return
    with closing(Reader(path)) as reader:
        yield from live_events(reader.connection, 0)
