"""`bodega reconcile`: one bin that does not fit, from the keyboard; what could explain it first, then book it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from bodega.errors import FieldFault, InvalidInput
from bodega.host.cli import emit_json, emit_table, json_option
from bodega.limits import QUANTITY_MAX
from bodega.limits_floor import COUNT_LINES_MAX
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.store import traces
from bodega_agent.store.reads import counts as reads

Json = dict[str, Any]
Key = tuple[str, str]


@click.command()
@click.argument("bin_id", metavar="BIN")
@click.option(
    "--counted", "pairs", multiple=True, metavar="SKU[/LOT]=UNITS", help="What lies there; may be repeated."
)
@click.option("--basis", type=int, metavar="SEQ", help="The event at which the count began; else it is now.")
@click.option("--post", is_flag=True, help="Book it without asking.")
@config_option
@json_option
def reconcile(
    bin_id: str, config_path: Path, *, pairs: tuple[str, ...], basis: int | None, post: bool, as_json: bool
) -> None:
    """Count one bin blind, see what could explain the difference, and book it.

    Without --counted it asks what lies there, line by line, before it shows the book. A line that was not named is left
    as it is; say 0 for what is gone. The preview reads the ledger file and works without the agent and without a
    network; booking asks the agent, which books nothing where goods have moved since the count began. Units with serial
    numbers are counted at a scanner: CMD-RECONCILE.

    \b
    Examples:
      bodega reconcile A-01-02
      bodega reconcile A-01-02 --counted OAT-1L=8 --counted MILK/L42=12
      bodega reconcile A-01-02 --counted OAT-1L=8 --post --json

    JSON: {bin_id, basis_seq, lines: [{sku_id, lot, counted, book, difference, why: [...]}], posted: [...]}.
    """
    with ledger_of(config_path) as ledger:
        began = ledger.head().seq if basis is None else basis
    counted = _named(pairs) if pairs or as_json else _asked(bin_id)
    with ledger_of(config_path) as ledger, ledger.snapshot():
        book = reads.book_at(ledger, bin_id)
        differing = {
            key: units - book.get(key, 0) for key, units in counted.items() if units != book.get(key, 0)
        }
        why = traces.explained(ledger.connection, bin_id, differing, time.time_ns() // 1_000_000)
    lines = [
        {
            "sku_id": key[0],
            "lot": key[1],
            "counted": units,
            "book": book.get(key, 0),
            "difference": units - book.get(key, 0),
            "why": list(why.get(key, ())),
        }
        for key, units in sorted(counted.items())
    ]
    if not as_json:
        _preview(bin_id, lines, [key for key in sorted(book) if key not in counted])
    wanted = post or (bool(lines) and not (as_json or pairs) and click.confirm("Book what you counted?"))
    posted = _post(config_path, bin_id, lines, began) if wanted else []
    if as_json:
        emit_json({"bin_id": bin_id, "basis_seq": began, "lines": lines, "posted": posted})
    else:
        _tell(posted)


def _named(pairs: tuple[str, ...]) -> dict[Key, int]:
    counted: dict[Key, int] = {}
    faults = []
    for pair in pairs:
        name, _, units = pair.rpartition("=")
        sku_id, _, lot = name.partition("/")
        if not sku_id or not _is_units(units):
            faults.append(
                FieldFault(pair, f"must be SKU=UNITS or SKU/LOT=UNITS, with 0 to {QUANTITY_MAX} units")
            )
        elif (sku_id, lot) in counted:
            faults.append(FieldFault(pair, "is there twice"))
        else:
            counted[sku_id, lot] = int(units)
    if len(pairs) > COUNT_LINES_MAX:
        faults.append(FieldFault("--counted", f"is there {len(pairs)} times, {COUNT_LINES_MAX} is the most"))
    if faults:
        raise InvalidInput(
            "what was counted has faults", hint="for example --counted OAT-1L=8", faults=tuple(faults)
        )
    return counted


def _is_units(text: str) -> bool:
    return (
        text.isascii()
        and text.isdigit()
        and len(text) <= len(str(QUANTITY_MAX))
        and int(text) <= QUANTITY_MAX
    )


def _asked(bin_id: str) -> dict[Key, int]:
    """Line by line, until an empty one; the book is not shown before the end."""
    counted: dict[Key, int] = {}
    click.echo(f"What lies in {bin_id}? An empty line ends.")
    while len(counted) < COUNT_LINES_MAX:
        said = click.prompt("SKU or SKU/LOT", default="", show_default=False)
        if not said:
            break
        sku_id, _, lot = said.partition("/")
        counted[sku_id, lot] = click.prompt(f"How many {said}", type=click.IntRange(0, QUANTITY_MAX))
    return counted


def _preview(bin_id: str, lines: list[Json], left_out: list[Key]) -> None:
    emit_table(
        ("sku", "lot", "counted", "book", "differs"),
        [
            (line["sku_id"], line["lot"] or "-", line["counted"], line["book"], f"{line['difference']:+d}")
            for line in lines
        ],
        empty=f"Nothing was counted in {bin_id}.",
    )
    for line in lines:
        if line["difference"]:
            click.echo(f"\n{line['sku_id']} {line['difference']:+d}:")
            for guess in line["why"] or ["no movement explains it"]:
                click.echo(f"  {guess}")
    if left_out:
        names = ", ".join(f"{sku_id}/{lot}" if lot else sku_id for sku_id, lot in left_out)
        click.echo(f"\nNot counted, and left as it is: {names}")


def _post(config_path: Path, bin_id: str, lines: list[Json], basis_seq: int) -> list[Json]:
    """One `count` of the ledger for each line; the answers."""
    posted = []
    with ControlClient.of(config_path) as agent:
        for line in lines:
            body = {
                "command": "count",
                "cmd_id": str(uuid4()),
                "sku_id": line["sku_id"],
                "bin_id": bin_id,
                "quantity": line["counted"],
                "basis_seq": basis_seq,
                "reason": "reconcile",
                **({"lot": line["lot"]} if line["lot"] else {}),
            }
            posted.append(agent.ask("ledger.command", command=body))
    return posted


def _tell(posted: list[Json]) -> None:
    for answer in posted:
        (goods,) = answer["goods"][:1] or ({"sku_id": "?"},)
        if "recount" in answer:
            click.echo(f"{goods['sku_id']}: not booked, count it again. {answer['recount']['why']}")
        else:
            click.echo(f"{goods['sku_id']}: booked, {answer['difference']:+d}.")
