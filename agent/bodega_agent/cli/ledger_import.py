"""`bodega ledger import`: opening stock, counts or any commands out of a file, all rows or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from bodega.errors import Unavailable
from bodega.host.cli import emit_json, json_option
from bodega.limits import CONTROL_REQUEST_BYTES_MAX, LEDGER_IMPORT_ANSWER_S
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.import_commands import COLUMNS, commands_of, field_names, file_id
from bodega_agent.cli.import_file import AUTO, CSV, JSON_LINES, Faults, Json, read_bytes, rows_of
from bodega_agent.cli.location import config_option

_PART_BYTES_MAX = CONTROL_REQUEST_BYTES_MAX // 2


@click.command("import")
@config_option
@json_option
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), metavar="FILE")
@click.option(
    "--format", "shape", type=click.Choice([AUTO, CSV, JSON_LINES]), default=AUTO, show_default=True
)
@click.option(
    "--command", "default", default="count", show_default=True, metavar="COMMAND",
    help="What a row without a command is: count (the shelf holds this), receive, ...",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Do everything but keep nothing: only say what is wrong.")
def import_rows(
    config_path: Path, *, as_json: bool, path: Path, shape: str, default: str, dry_run: bool
) -> None:
    """Import rows of CSV or JSON lines into the ledger, as commands: all of them, or none.

    The columns of a CSV are the fields of the commands; opening stock needs sku_id (or gtin), quantity and bin,
    and may have unit, lot, expiry (YYYY-MM-DD), serial (several: with spaces) and disposition. A comma, a
    semicolon or a tab divides them. What `bodega ledger export --table balance` writes can be read back.
    Every bad row is named with its line and column. The same file imported again changes nothing.

    \b
    Examples:
      bodega ledger import opening.csv --dry-run
      bodega ledger import opening.csv
      bodega ledger import deliveries.csv --command receive
      bodega ledger import commands.jsonl --json
    """
    content = read_bytes(path)
    faults = Faults()
    rows = rows_of(content, shape, COLUMNS, faults)
    made, outside = commands_of(rows, default, file_id(content, default), faults)
    faults.refuse()
    answer = _send(config_path, file_id(content, default), made, dry_run=dry_run) if made else _NOTHING
    _refuse(answer, field_names(rows))
    answer = {**answer, "left_out": outside}
    if as_json:
        emit_json(answer)
    else:
        click.echo(_said(answer, len(rows) - outside, dry_run=dry_run))


_NOTHING: Json = {"rows": 0, "imported": 0, "repeated": 0, "first_seq": 0, "last_seq": 0, "faults": []}


def _send(config_path: Path, import_id: str, made: list[Json], *, dry_run: bool) -> Json:
    """Hand everything over in parts that fit a request; the answer to the last one."""
    answer: Json = {}
    at = 0
    with ControlClient.of(config_path, answer_s=LEDGER_IMPORT_ANSWER_S) as agent:
        for part in _parts(made):
            request = {"import_id": import_id, "at": at, "rows": part, "dry_run": dry_run}
            at += len(part)
            try:
                answer = agent.ask("ledger.import", **request, last=at == len(made))
            except Unavailable as error:
                again = "import the same file again: what was imported is not done twice"
                raise Unavailable(error.message, hint=again) from error
    return answer


def _parts(made: list[Json]) -> Iterator[list[Json]]:
    part: list[Json] = []
    size = 0
    for item in made:
        length = len(json.dumps(item, ensure_ascii=False).encode())
        if part and size + length > _PART_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    yield part


def _refuse(answer: Json, names: dict[str, str]) -> None:
    """Raise what the agent found, by the names that the file has for the fields."""
    faults = Faults()
    for fault in answer["faults"]:
        faults.add(fault["line"], names.get(fault["field"], fault["field"]), fault["problem"])
    faults.refuse()


def _said(answer: Json, rows: int, *, dry_run: bool) -> str:
    new, repeated = answer["imported"], answer["repeated"]
    made = f"{new} commands from {rows} rows"
    if dry_run:
        said = f"{made} are right and would be imported"
    elif new:
        said = f"{made} imported, events {answer['first_seq']} to {answer['last_seq']}"
    else:
        said = "nothing changed"
    if repeated:
        said += f"; {repeated} commands were imported before"
    if answer["left_out"]:
        said += f"; {answer['left_out']} rows of the world outside were left out"
    return f"{said}."
