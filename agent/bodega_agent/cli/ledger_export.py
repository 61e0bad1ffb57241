"""`bodega ledger export`: the journal or the balances as JSON lines or CSV, through sqlite-utils.

This file alone uses sqlite-utils, and with it another SQLite library than the store's. One file must never be
open through two of them in one process (POSIX locks break), so nothing here opens it through `bodega_agent.store`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click
from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # the library that sqlite-utils has chosen

from bodega.errors import NotFound
from bodega_agent.cli.journal_text import event_json
from bodega_agent.cli.location import config_option
from bodega_agent.config import load_config
from bodega_agent.store.schema import check_version

Row = dict[str, Any]


@click.command()
@config_option
@click.option("--format", "shape", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--table", type=click.Choice(["journal", "balance"]), default="journal", show_default=True)
@click.option("--after", type=click.IntRange(0), default=0, metavar="SEQ", help="Only events after SEQ.")
@click.option(
    "-o", "--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", metavar="FILE"
)
def export(config_path: Path, *, shape: str, table: str, after: int, output: TextIO) -> None:
    """Write the journal, or the balances of all accounts, one row a line.

    In CSV an event's fact is one column of JSON. Recipients' names and addresses are in neither table.

    \b
    Examples:
      bodega ledger export --format jsonl -o journal.jsonl
      bodega ledger export --table balance --format csv | column -t -s,
    """
    rows = _journal(config_path, after) if table == "journal" else _balance(config_path)
    _WRITERS[shape](rows, output)


def _open(config_path: Path) -> Database:
    path = load_config(config_path).ledger_path
    if not path.exists():
        raise NotFound(f"there is no ledger at {path}", hint="start the agent once: bodega run")
    database = Database(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))
    check_version(next(database.query("PRAGMA user_version"))["user_version"], path)
    return database


def _journal(config_path: Path, after: int) -> Iterator[Row]:
    query = "SELECT seq, at_ms, cmd_id, body, hash FROM journal WHERE seq > ? ORDER BY seq"
    for row in _open(config_path).query(query, [after]):
        event = event_json(row["seq"], row["body"], row["hash"])
        yield {
            "seq": row["seq"],
            "at_ms": row["at_ms"],
            "cmd_id": row["cmd_id"],
            "fact": event["fact"],
            "hash": event["hash"],
            "event": event["event"],
        }


def _balance(config_path: Path) -> Iterator[Row]:
    yield from _open(config_path).query(
        "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance"
        " ORDER BY external, bin, sku_id, lot"
    )


def _write_jsonl(rows: Iterable[Row], output: TextIO) -> None:
    output.writelines(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)


def _write_csv(rows: Iterable[Row], output: TextIO) -> None:
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        flat = {
            key: json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else value
            for key, value in row.items()
        }
        if writer is None:
            writer = csv.DictWriter(output, list(flat), lineterminator="\n")
            writer.writeheader()
        writer.writerow(flat)


_WRITERS = {"jsonl": _write_jsonl, "csv": _write_csv}
