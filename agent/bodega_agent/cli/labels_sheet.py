"""`bodega labels sheet`: what a scanner can say without a keyboard, as barcodes on sheets of paper for the wall.

A sheet is a label layout like any other, so what no scanner could read is refused here too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from bodega.errors import InvalidInput
from bodega.host.cli import emit_json, json_option
from bodega_adapters.labels import making
from bodega_adapters.labels.document import LabelDocument, of_layout
from bodega_adapters.labels.fonts import usual_fonts
from bodega_adapters.labels.raster import draw
from bodega_adapters.ports import PrinterAbilities
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.rules.floor.scans import CONTROL_WORDS
from bodega_agent.rules.floor.words import WORDS

# A4, portrait: two columns of codes wide enough for any scanner, with room between for a careless aim.
_WIDTH_MM, _HEIGHT_MM = 210, 297
_COLUMNS, _ROWS = 2, 9
_LEFT_MM, _TOP_MM = 10, 20
_CELL_MM = (95, 30)
_DOTS_PER_MM = 12
_KINDS = ("words", "bins", "badges")


class Cell(NamedTuple):
    """One barcode: what people read, and what it says."""

    name: str
    code: str


@click.command()
@config_option
@json_option
@click.option(
    "--of", "kind", type=click.Choice(_KINDS), default="words", show_default=True, help="What is on it."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("sheet.pdf"),
    show_default=True,
    help="A .pdf or .png; a number is put before the dot of each page.",
)
def sheet(config_path: Path, *, as_json: bool, kind: str, out: Path) -> None:
    """Draw sheets of barcodes: the words of the floor, the node's bins, or the badges of its people.

    Words are all control words (CMD-PICK) and all answers (damaged, yes); bins and badges come from the ledger file.
    Who holds a sheet of badges can sign in as anybody on it: print it, cut it, hand the badges out.

    \b
    Examples:
      bodega labels sheet --out words.pdf
      bodega labels sheet --of badges --out badges.png
    """
    if out.suffix not in {".pdf", ".png"}:
        raise InvalidInput(f"no sheet is written as {out.name}", hint="use .pdf or .png")
    cells = _words() if kind == "words" else _of_node(config_path, kind)
    if not cells:
        raise InvalidInput(f"this node has no {kind}", hint="the hub sends them with the node's profile")
    written = [_write(page, out, number) for number, page in enumerate(_pages(kind, cells), start=1)]
    if as_json:
        emit_json({"codes": len(cells), "pages": [str(path) for path in written]})
    else:
        click.echo(f"{len(cells)} codes on {len(written)} pages: {', '.join(map(str, written))}")


def _words() -> list[Cell]:
    work = [Cell(word.removeprefix("CMD-"), word) for word in CONTROL_WORDS]
    return [*work, *(Cell(word, word) for word in WORDS)]


def _of_node(config_path: Path, kind: str) -> list[Cell]:
    sql = {
        "bins": "SELECT bin_id AS name, bin_id AS code FROM bin ORDER BY walk_order, bin_id",
        "badges": "SELECT name, badge AS code FROM associate WHERE badge <> '' ORDER BY name, associate_id",
    }
    with ledger_of(config_path) as ledger:
        return [Cell(row["name"], row["code"]) for row in ledger.rows(sql[kind])]


def _pages(kind: str, cells: Sequence[Cell]) -> Iterator[LabelDocument]:
    many = _COLUMNS * _ROWS
    for first in range(0, len(cells), many):
        page = cells[first : first + many]
        values = {"title": (f"{kind.capitalize()} {first // many + 1} of {-(-len(cells) // many)}",)}
        for number, cell in enumerate(page):
            values |= {f"name{number}": (cell.name,), f"code{number}": (cell.code,)}
        yield of_layout(_layout(len(page), list(values)), values)


def _layout(cells: int, fields: Sequence[str]) -> str:
    """A page of so many cells, as the text of a layout's file."""
    lines = [
        'name = "sheet"',
        'title = "A sheet of barcodes, A4"',
        f"width_mm = {_WIDTH_MM}",
        f"height_mm = {_HEIGHT_MM}",
        "[sample]",
        *(f"{name} = [{json.dumps(name)}]" for name in fields),
        "[[text]]",
        f"at_mm = [{_LEFT_MM}, 8]",
        f"size_mm = [{_WIDTH_MM - 2 * _LEFT_MM}, 8]",
        'text = "{title}"',
        "letter_mm = 6",
    ]
    across, down = _CELL_MM
    for number in range(cells):
        left = _LEFT_MM + number % _COLUMNS * across
        top = _TOP_MM + number // _COLUMNS * down
        lines += [
            "[[text]]",
            f"at_mm = [{left}, {top}]",
            f"size_mm = [{across}, 6]",
            f'text = "{{name{number}}}"',
            "letter_mm = 5",
            "shrink_to_mm = 2.5",
            'align = "center"',
            "[[code]]",
            f"at_mm = [{left}, {top + 6}]",
            f"size_mm = [{across}, {down - 10}]",
            'symbology = "code-128"',
            f'data = "{{code{number}}}"',
            "module_mm = 0.5",
            'line = "none"',
        ]
    return "\n".join(lines) + "\n"


def _write(page: LabelDocument, out: Path, number: int) -> Path:
    abilities = PrinterAbilities("pdf", _DOTS_PER_MM, _WIDTH_MM, says_status=False, confirms=False)
    made = making.make(page, abilities)
    if made.faults:
        raise InvalidInput("some of it makes no barcode that can be read", faults=made.faults)
    path = out.with_name(f"{out.stem}-{number}{out.suffix}")
    if out.suffix == ".png":
        drawn = draw(making.sheet_of(page, abilities), usual_fonts())
        drawn.point(lambda value: 255 - value).save(path, "PNG")
    else:
        path.write_bytes(made.data)
    return path
