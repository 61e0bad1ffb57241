"""Lines of what should come: `--line SKU=12/LOT/EXPIRY` or a CSV file, each fault with where it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from bodega.errors import FieldFault, InvalidInput
from bodega.host.spreadsheet import delimiter_of
from bodega.limits import QUANTITY_MAX
from bodega.v1 import floor_pb2
from bodega_controlplane.cli.files import read_text

COLUMNS = ("sku_id", "quantity", "lot", "expiry", "sscc")
_REQUIRED = frozenset({"sku_id", "quantity"})


def lines_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--line, many times, and --lines FILE."""
    one = click.option(
        "--line",
        "lines",
        multiple=True,
        metavar="SKU=UNITS[/LOT[/EXPIRY]]",
        help="Goods, in base units; repeat it.",
    )
    file = click.option(
        "--lines",
        "lines_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"CSV with the columns {', '.join(COLUMNS)}.",
    )
    return one(file(command))


def read_lines(lines: Iterable[str], file: Path | None) -> list[floor_pb2.NoticeLine]:
    """The messages. Raises InvalidInput with every fault."""
    faults: list[FieldFault] = []
    found = [_line(f"--line {text}", None, _values_of(text), faults) for text in lines]
    for number, values in _csv_rows(read_text(file)) if file else ():
        found.append(_line("row", number, values, faults))
    if faults:
        raise InvalidInput(
            "the lines have faults", hint="such as --line TEA=12/L-7/2027-01-31", faults=tuple(faults)
        )
    return found


def _values_of(text: str) -> dict[str, str]:
    sku_id, _, rest = text.partition("=")
    return dict(zip(COLUMNS, (sku_id, *rest.split("/")), strict=False))


def _csv_rows(text: str) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    try:
        header = reader.fieldnames or []
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise InvalidInput(f"the file is not CSV: {error}", hint="save it as CSV with a header") from error
    odd = [name for name in header if name not in COLUMNS]
    if odd or _REQUIRED - set(header):
        known = ", ".join(COLUMNS)
        raise InvalidInput(
            "the file's header does not fit", hint=f"its columns are of {known}; the first two are needed"
        )
    if any(None in row or None in row.values() for _, row in rows):
        raise InvalidInput("a row has another number of cells than the header", hint="mend the file")
    return rows


def _line(
    where: str, number: int | None, values: dict[str, str], faults: list[FieldFault]
) -> floor_pb2.NoticeLine:
    texts = {name: values.get(name, "").strip() for name in COLUMNS}
    units = texts.pop("quantity")
    if not (units.isascii() and units.isdigit() and 0 < int(units) <= QUANTITY_MAX):
        faults.append(FieldFault(where, f"needs 1 to {QUANTITY_MAX} units, has {units!r}", number))
        return floor_pb2.NoticeLine()
    return floor_pb2.NoticeLine(quantity=int(units), **texts)
