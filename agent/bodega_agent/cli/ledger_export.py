"""`bodega ledger export`: the journal or the balances as JSON lines, CSV or EPCIS, through sqlite-utils.

This file alone uses sqlite-utils, and with it another SQLite library than the store's. One file must never be
open through two of them in one process (POSIX locks break), so nothing here opens it through `bodega_agent.store`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from time import time
from typing import Any, TextIO

import click
from click.core import ParameterSource
from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # the library that sqlite-utils has chosen

from bodega.codec import parse_node_event
from bodega.errors import FieldFault, InvalidInput, NotFound
from bodega_agent.cli.journal_text import event_json
from bodega_agent.cli.ledger_epcis import write_document
from bodega_agent.cli.location import config_option
from bodega_agent.config import load_config
from bodega_agent.rules.epcis_uris import is_valid_gln
from bodega_agent.store.archive import FOLDER, events_in
from bodega_agent.store.schema import check_version

Row = dict[str, Any]


@click.command()
@config_option
@click.option("--format", "shape", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--table", type=click.Choice(["journal", "balance"]), default="journal", show_default=True)
@click.option("--after", type=click.IntRange(0), default=0, metavar="SEQ", help="Only events after SEQ.")
@click.option("--epcis", is_flag=True, help="One GS1 EPCIS 2.0 document (JSON-LD) of all movements.")
@click.option("--gln", default="", metavar="GLN", help="The node's GLN, for places in the EPCIS document.")
@click.option(
    "-o", "--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", metavar="FILE"
)
def export(
    config_path: Path, *, shape: str, table: str, after: int, epcis: bool, gln: str, output: TextIO
) -> None:
    """Write the journal, or the balances of all accounts, one row a line.

    Events that have gone into archives are read from there. In CSV an event's fact is one column of JSON.
    Recipients' names and addresses are in neither table.

    With --epcis: movements as EPCIS events, for other companies' systems. Every event has the same id in every
    export. What EPCIS has no word for is left out and counted on standard error.

    \b
    Examples:
      bodega ledger export --format jsonl -o journal.jsonl
      bodega ledger export --table balance --format csv | column -t -s,
      bodega ledger export --epcis --gln 9521234000013 -o movements.jsonld
    """
    if epcis:
        _refuse_other_shapes()
        _write_epcis(config_path, after, gln, output)
        return
    rows = _journal(config_path, after) if table == "journal" else _balance(config_path)
    _WRITERS[shape](rows, output)


def _archived(config_path: Path, database: Database, after: int) -> Iterator[Row]:
    """Events that the journal has given to archives, oldest first; files dropped for want of room are left out."""
    folder = load_config(config_path).ledger_path.parent / FOLDER
    query = "SELECT file FROM archive WHERE last_seq > ? AND dropped = 0 ORDER BY first_seq"
    for segment in database.query(query, [after]):
        for seq, body, chain_hash in events_in(folder / segment["file"]):
            if seq > after:
                yield {"seq": seq, "body": body, "hash": chain_hash}


def _open(config_path: Path) -> Database:
    path = load_config(config_path).ledger_path
    if not path.exists():
        raise NotFound(f"there is no ledger at {path}", hint="start the agent once: bodega run")
    database = Database(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))
    check_version(next(database.query("PRAGMA user_version"))["user_version"], path)
    return database


def _refuse_other_shapes() -> None:
    context = click.get_current_context()
    for name, option in (("shape", "--format"), ("table", "--table")):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--epcis is a format of its own; leave {option} out")


def _write_epcis(config_path: Path, after: int, gln: str, output: TextIO) -> None:
    if gln and not is_valid_gln(gln):
        raise InvalidInput(
            f"'{gln}' is no GLN",
            hint="give all 13 digits; the last one is a check digit",
            faults=(FieldFault("gln", "must be 13 digits with a right check digit"),),
        )
    database = _open(config_path)
    left_out = write_document(
        database.query,
        after=after,
        gln=gln,
        created_at_ms=int(time() * 1000),
        output=output,
        archived=_archived(config_path, database, after),
    )
    if left_out:
        told = ", ".join(f"{count} x {what}" for what, count in sorted(left_out.items()))
        click.echo(f"left out of the document: {told}", err=True)


def _journal(config_path: Path, after: int) -> Iterator[Row]:
    database = _open(config_path)
    last = after
    live = database.query("SELECT seq, body, hash FROM journal WHERE seq > ? ORDER BY seq", [after])
    for row in chain(_archived(config_path, database, after), live):
        # While an archive is being made, an event is in both places.
        if row["seq"] <= last:
            continue
        last = row["seq"]
        message = parse_node_event(row["body"])
        event = event_json(row["seq"], row["body"], row["hash"])
        yield {
            "seq": row["seq"],
            "at_ms": message.at_ms,
            "cmd_id": message.cmd_id,
            "fact": event["fact"],
            "hash": event["hash"],
            "event": event["event"],
        }


def _balance(config_path: Path) -> Iterator[Row]:
    yield from _open(config_path).query(
        "SELECT b.sku_id, b.bin, b.disposition, b.lot, b.owner, b.external, b.quantity,"
        " coalesce(l.expiry, '') AS expiry, coalesce((SELECT group_concat(serial, ' ') FROM serial s"
        "   WHERE s.sku_id = b.sku_id AND s.bin = b.bin AND s.disposition = b.disposition AND s.lot = b.lot"
        "   AND s.owner = b.owner AND s.external = '' AND b.external = ''), '') AS serials"
        " FROM balance b LEFT JOIN lot l ON l.sku_id = b.sku_id AND l.lot = b.lot"
        " ORDER BY b.external, b.bin, b.sku_id, b.lot"
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
