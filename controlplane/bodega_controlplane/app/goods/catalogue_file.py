"""Catalogue files: CSV or JSON in, SKUs out, every bad row named with its line, column and reason.

PURE but for the text that it is given. The control plane's own checks name rows by their place in the
request ("skus[3].gtins[0]"); `at_lines` leads such a name back to the line of the file.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bodega.core.gtin import fault_in
from bodega.errors import FieldFault, InvalidInput
from bodega.host.spreadsheet import delimiter_of
from bodega.limits import FAULT_ROWS_MAX
from bodega.limits_hub import IMPORT_ROWS_MAX
from bodega.v1 import catalogue_pb2

COLUMNS = (
    "sku_id",
    "name",
    "gtins",
    "owner",
    "lot_tracked",
    "serial_tracked",
    "expiry_tracked",
    "weight_g",
    "volume_ml",
    "base_unit",
    "units",
    "components",
    "length_mm",
    "width_mm",
    "height_mm",
    "temperature_class",
    "velocity_class",
    "fragile",
)
_REQUIRED = ("sku_id", "name")
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0", ""})
_UINT32_MAX = 2**32 - 1
_PLACE = re.compile(r"skus\[(\d+)\]\.?(.*)")


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it was read: `line` counts from 1; `problem` says why it is no row at all."""

    line: int
    values: dict[str, Any]
    problem: str = ""


def read_skus(
    text: str, *, is_csv: bool, rows_max: int = IMPORT_ROWS_MAX
) -> tuple[list[catalogue_pb2.Sku], list[int]]:
    """SKUs of a file and the line of each. Raises InvalidInput with every fault of every row."""
    rows = list(_csv_rows(text) if is_csv else _json_rows(text))
    faults: list[FieldFault] = []
    if not rows:
        faults.append(FieldFault("file", "has no rows"))
    if len(rows) > rows_max:
        faults.append(FieldFault("file", f"has {len(rows)} rows; at most {rows_max} are taken at once"))
    skus = [_sku(row, faults) for row in rows[:rows_max]]
    if faults:
        raise invalid_file(faults)
    return skus, [row.line for row in rows]


def invalid_file(faults: list[FieldFault]) -> InvalidInput:
    """The refusal of the whole file."""
    many = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
    left_out = len(faults) - FAULT_ROWS_MAX
    if left_out > 0:
        faults = [*faults[:FAULT_ROWS_MAX], FieldFault("file", f"has {left_out} faults more")]
    return InvalidInput(
        f"the file has {many}; nothing was imported",
        hint="mend each line named above and import the whole file again",
        faults=tuple(faults),
    )


def at_lines(fault: FieldFault, lines: Sequence[int]) -> FieldFault:
    """A fault that the control plane found, by its line in the file instead of its place in the request."""
    place = _PLACE.match(fault.where)
    if place is None or int(place[1]) >= len(lines):
        return fault
    return FieldFault(place[2] or "row", fault.problem, lines[int(place[1])])


def _csv_rows(text: str) -> Iterator[RawRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _csv_row(line, header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise invalid_file([FieldFault("row", f"is not CSV: {error}", reader.line_num)]) from error


def _check_header(header: list[str]) -> None:
    faults = [FieldFault(name, "is a required column", 1) for name in _REQUIRED if name not in header]
    faults += [
        FieldFault(name or "(empty)", "is not a known column", 1) for name in header if name not in COLUMNS
    ]
    faults += [FieldFault(name, "is there twice", 1) for name in COLUMNS if header.count(name) > 1]
    if faults:
        raise invalid_file(faults)


def _csv_row(line: int, header: list[str], cells: list[str]) -> RawRow:
    if len(cells) != len(header):
        return RawRow(line, {}, f"has {len(cells)} cells, the header has {len(header)}")
    values: dict[str, Any] = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    values["gtins"] = values.get("gtins", "").replace(";", " ").split()
    values["units"] = [_csv_unit(cell) for cell in values.get("units", "").split(";") if cell.strip()]
    values["components"] = [
        _csv_part(cell) for cell in values.get("components", "").split(";") if cell.strip()
    ]
    return RawRow(line, values)


def _csv_unit(cell: str) -> dict[str, Any]:
    """`case=12` or `case=12/15601234567897`: a unit, its base units, and GTINs after slashes."""
    unit, _, rest = cell.partition("=")
    base_units, *gtins = rest.split("/")
    return {"unit": unit.strip(), "base_units": base_units.strip(), "gtins": [one.strip() for one in gtins]}


def _csv_part(cell: str) -> dict[str, Any]:
    """`TEA=2`: two base units of TEA in one kit."""
    sku_id, _, quantity = cell.partition("=")
    return {"sku_id": sku_id.strip(), "quantity": quantity.strip()}


def _json_rows(text: str) -> Iterator[RawRow]:
    """Elements of {"skus": [...]} or of a bare list, each with the line on which it begins."""
    decoder = json.JSONDecoder()
    start = re.compile(r'\s*(?:\{\s*"skus"\s*:\s*)?\[\s*').match(text)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise invalid_file(
            [FieldFault("file", f"is not JSON: {getattr(error, 'msg', error)}", line)]
        ) from error
    if start is None or (isinstance(whole, dict) and set(whole) != {"skus"}):
        raise invalid_file([FieldFault("file", 'must be {"skus": [...]} or a list of SKUs', 1)])
    place, line, counted = start.end(), 1, 0
    for _ in range(len(whole["skus"] if isinstance(whole, dict) else whole)):
        value, end = decoder.raw_decode(text, place)
        line, counted = line + text.count("\n", counted, place), place
        yield RawRow(line, value) if isinstance(value, dict) else RawRow(line, {}, "must be an object")
        comma = re.compile(r"\s*,?\s*").match(text, end)
        place = comma.end() if comma else end


def _sku(row: RawRow, faults: list[FieldFault]) -> catalogue_pb2.Sku:
    """The message of a row; whatever is wrong with it goes to `faults`."""

    def fault(column: str, problem: str) -> None:
        faults.append(FieldFault(column, problem, row.line))

    values = row.values
    if row.problem:
        fault("row", row.problem)
        return catalogue_pb2.Sku()
    for column in sorted(values.keys() - set(COLUMNS)):
        fault(column, "is not a known column")
    return catalogue_pb2.Sku(
        sku_id=_text(values, "sku_id", fault),
        name=_text(values, "name", fault),
        gtins=_gtins(values.get("gtins", []), "gtins", fault),
        owner=_text(values, "owner", fault),
        lot_tracked=_flag(values, "lot_tracked", fault),
        serial_tracked=_flag(values, "serial_tracked", fault),
        expiry_tracked=_flag(values, "expiry_tracked", fault),
        weight_g=_number(values, "weight_g", fault),
        volume_ml=_number(values, "volume_ml", fault),
        base_unit=_text(values, "base_unit", fault),
        units=[_unit(one, fault) for one in _objects(values, "units", _UNIT_KEYS, fault)],
        components=[_part(one, fault) for one in _objects(values, "components", _PART_KEYS, fault)],
        length_mm=_number(values, "length_mm", fault),
        width_mm=_number(values, "width_mm", fault),
        height_mm=_number(values, "height_mm", fault),
        temperature_class=_text(values, "temperature_class", fault),
        velocity_class=_text(values, "velocity_class", fault),
        fragile=_flag(values, "fragile", fault),
    )


Fault = Callable[[str, str], None]


def _text(values: dict[str, Any], column: str, fault: Fault) -> str:
    value = values.get(column, "")
    if not isinstance(value, str) or not value.isprintable():
        fault(column, f"must be a text without control characters, is {value!r}")
        return ""
    if not value and column in _REQUIRED:
        fault(column, "is required")
    return str(value)


_UNIT_KEYS = frozenset({"unit", "base_units", "gtins"})
_PART_KEYS = frozenset({"sku_id", "quantity"})


def _objects(
    values: dict[str, Any], column: str, keys: frozenset[str], fault: Fault
) -> Iterator[dict[str, Any]]:
    """The objects of a list, each with known keys only."""
    found = values.get(column, [])
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict) and one.keys() <= keys:
            yield one
        else:
            fault(column, f"must be a list of objects with {', '.join(sorted(keys))}, is {one!r}")


def _unit(one: dict[str, Any], fault: Fault) -> catalogue_pb2.Unit:
    inside = _inside("units", fault)
    return catalogue_pb2.Unit(
        unit=_text(one, "unit", inside),
        base_units=_number(one, "base_units", inside),
        gtins=_gtins(one.get("gtins", []), "gtins", inside),
    )


def _part(one: dict[str, Any], fault: Fault) -> catalogue_pb2.KitComponent:
    inside = _inside("components", fault)
    return catalogue_pb2.KitComponent(
        sku_id=_text(one, "sku_id", inside), quantity=_number(one, "quantity", inside)
    )


def _inside(column: str, fault: Fault) -> Fault:
    """Faults within a column, with its name in front."""
    return lambda name, problem: fault(f"{column}.{name}", problem)


def _gtins(value: Any, column: str, fault: Fault) -> list[str]:
    if not isinstance(value, list):
        fault(column, f"must be a list of texts, is {value!r}")
        return []
    for gtin in value:
        problem = fault_in(gtin) if isinstance(gtin, str) else f"must be a text in quotes, is {gtin!r}"
        if problem:
            fault(column, problem)
    return [str(gtin) for gtin in value]


def _flag(values: dict[str, Any], column: str, fault: Fault) -> bool:
    value = values.get(column, False)
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else None
    if word not in _TRUE | _FALSE:
        fault(column, f"must be true or false, is {value!r}")
    return word in _TRUE


def _number(values: dict[str, Any], column: str, fault: Fault) -> int:
    value = values.get(column, 0)
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) <= 10 else value or 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _UINT32_MAX:
        fault(column, f"must be a whole number of 0 or more, is {value!r}")
        return 0
    return value
