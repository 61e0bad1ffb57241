"""Rate card files: JSON (the whole card) or CSV (a row for each bracket or surcharge), every fault named with its line.

The control plane's own checks name places of the card ("card.services[1].zones[0]"); `at_line` leads such a name back
to the row of a CSV file.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bodega.errors import ConfigInvalid, FieldFault, InvalidInput
from bodega.host import config
from bodega.host.spreadsheet import delimiter_of
from bodega.v1 import catalogue_pb2
from bodega_controlplane.carriers.card_document import RateCard, card_message

# Column -> what its cells are. Texts of a list are apart by spaces or semicolons.
_OF_SERVICE = {
    "service_class": str,
    "currency": str,
    "cut_off": str,
    "collection_days": list,
    "dimensional_divisor": int,
    "holidays": list,
}
_OF_ZONE = {"countries": list, "postal_prefixes": list, "transit_days": int, "origins": list}
_OF_SURCHARGE = {
    "permille": int,
    "residential": bool,
    "longest_over_mm": int,
    "girth_over_mm": int,
    "weight_over_g": int,
}
_KEYS = ("carrier", "service", "zone", "surcharge", "max_weight_g", "price_minor")
COLUMNS = (*_KEYS, *_OF_SERVICE, *_OF_ZONE, *_OF_SURCHARGE)
_WORDS = {int: "a whole number", bool: "true or false", "price_minor": "whole cents, such as 390 for 3.90"}
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


@dataclass(slots=True)
class CardFile:
    """A card, and for a CSV file the line of each place of it."""

    card: catalogue_pb2.RateCard
    lines: dict[str, int] = field(default_factory=dict)


def read_card(text: str, path: Path) -> CardFile:
    """The card of a file. Raises InvalidInput with every fault of its shape."""
    kind = path.suffix.lower()
    if kind not in {".csv", ".json"}:
        raise InvalidInput(f"{path} is neither .csv nor .json", hint="rename it to say which it is")
    lines: dict[str, int] = {}
    faults: list[FieldFault] = []
    try:
        values = _json(text, path) if kind == ".json" else _from_csv(text, path, lines, faults)
        card = config.structure(values, RateCard, source=str(path))
    except ConfigInvalid as error:
        faults += (_named(fault, lines) for fault in error.faults)
    if faults:
        wrong = config.invalid(str(path), tuple(sorted(faults, key=lambda fault: fault.line or 0)))
        raise InvalidInput(wrong.message, hint=wrong.hint, faults=wrong.faults)
    try:
        return CardFile(card_message(card), lines)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{path}: a number is too large or negative", hint="all numbers are 0 or more"
        ) from error


def at_line(fault: FieldFault, lines: Mapping[str, int]) -> FieldFault:
    """A fault that the control plane found, with its row in a CSV file."""
    return _named(FieldFault(fault.where.removeprefix("card."), fault.problem), lines)


def _named(fault: FieldFault, lines: Mapping[str, int]) -> FieldFault:
    """The line of the longest place that is known of, and the column there."""
    where = fault.where.replace("[", ".").replace("]", "").replace("cut_off_minute", "cut_off")
    parts = where.split(".")
    for length in range(len(parts), 0, -1):
        line = lines.get(".".join(parts[:length]))
        if line is not None:
            column = next((part for part in reversed(parts) if part in COLUMNS), where)
            return FieldFault(column, fault.problem, line)
    return FieldFault(where, fault.problem, fault.line)


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise config.invalid(
            str(path), (FieldFault("file", f"is not JSON: {getattr(error, 'msg', error)}", line),)
        ) from error


def _from_csv(text: str, path: Path, lines: dict[str, int], faults: list[FieldFault]) -> dict[str, Any]:
    """The values of a card that is called like its file, each origin one node.

    `lines`: where its places come from; `faults`: cells that are wrong, in whose place something harmless stands.
    """
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True, restkey="", restval=""
    )
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise config.invalid(str(path), (FieldFault("file", f"is not CSV: {error}", 1),)) from error
    wrong = [
        FieldFault(name, "is a required column", 1) for name in ("carrier", "service") if name not in header
    ]
    wrong += [
        FieldFault(name or "(empty)", "is not a known column", 1) for name in header if name not in COLUMNS
    ]
    wrong += [FieldFault(name, "is there twice", 1) for name in COLUMNS if header.count(name) > 1]
    if wrong:
        raise config.invalid(str(path), tuple(wrong))
    reader.fieldnames = header
    table = _Table(lines, faults)
    try:
        for row in reader:
            if any(value for value in row.values()):
                table.take({name: str(value).strip() for name, value in row.items()}, reader.line_num)
    except csv.Error as error:
        faults.append(FieldFault("row", f"is not CSV: {error}", reader.reader.line_num))
    name = re.sub(r"[^!-~]", "-", path.stem)
    services = list(table.services.values())
    named = {one for service in services for zone in service["zones"] for one in zone.get("origins", ())}
    return {"name": name, "origins": {one: [one] for one in sorted(named)}, "services": services}


class _Table:
    """Rows of a CSV file, gathered into services with their zones and surcharges."""

    def __init__(self, lines: dict[str, int], faults: list[FieldFault]) -> None:
        self.services: dict[str, dict[str, Any]] = {}
        self._lines = lines
        self._faults = faults
        self._line = 0

    def take(self, row: Mapping[str, str], line: int) -> None:
        """One row: a bracket of a zone, or a surcharge."""
        self._line = line
        if row.get("") or bool(row.get("zone")) == bool(row.get("surcharge")):
            self._fault("row", "must have as many cells as the header, and either a zone or a surcharge")
            return
        names = list(self.services)
        if row["service"] not in self.services:
            named = {"service": row["service"], "carrier": row["carrier"], "zones": [], "surcharges": []}
            self.services[row["service"]] = named
            names.append(row["service"])
        where = f"services.{names.index(row['service'])}"
        self._lines.setdefault(where, line)
        service = self.services[row["service"]]
        self._agree(service, {"carrier": str}, row)
        self._agree(service, _OF_SERVICE, row)
        if row.get("surcharge"):
            self._surcharge(service, row, where)
        else:
            self._bracket(service, row, where)

    def _surcharge(self, service: dict[str, Any], row: Mapping[str, str], where: str) -> None:
        kinds = {"surcharge": str, "price_minor": int, "countries": list, "postal_prefixes": list}
        self._lines[f"{where}.surcharges.{len(service['surcharges'])}"] = self._line
        service["surcharges"].append(self._cells({**kinds, **_OF_SURCHARGE}, row))

    def _bracket(self, service: dict[str, Any], row: Mapping[str, str], where: str) -> None:
        zones: list[dict[str, Any]] = service["zones"]
        known = [number for number, zone in enumerate(zones) if zone["zone"] == row["zone"]]
        number = known[0] if known else len(zones)
        if not known:
            zones.append({"zone": row["zone"], "brackets": []})
        zone, place = zones[number], f"{where}.zones.{number}"
        self._lines.setdefault(place, self._line)
        self._lines[f"{place}.brackets.{len(zone['brackets'])}"] = self._line
        self._agree(zone, _OF_ZONE, row)
        zone["brackets"].append(self._cells({"max_weight_g": int, "price_minor": int}, row))

    def _agree(self, there: dict[str, Any], kinds: Mapping[str, type], row: Mapping[str, str]) -> None:
        """Cells that say the same of all rows of a service or zone: an empty one says nothing."""
        for name, value in self._cells(kinds, row).items():
            if there.setdefault(name, value) != value:
                self._fault(name, f"says otherwise than an earlier row: {row[name]!r}")

    def _cells(self, kinds: Mapping[str, type], row: Mapping[str, str]) -> dict[str, Any]:
        """The cells that say something, each as its kind."""
        return {name: self._cell(name, kind, row[name]) for name, kind in kinds.items() if row.get(name)}

    def _cell(self, name: str, kind: type, value: str) -> Any:
        if kind is list:
            words = value.replace(";", " ").split()
            return [self._cell(name, int, one) for one in words] if name == "collection_days" else words
        if kind is bool and value.lower() in _TRUE | _FALSE:
            return value.lower() in _TRUE
        if kind is int and value.isascii() and value.isdigit() and len(value) <= 10:
            return int(value)
        if kind is str:
            return value
        self._fault(name, f"must be {_WORDS.get(name, _WORDS[kind])}, is {value[:64]!r}")
        return kind()

    def _fault(self, where: str, problem: str) -> None:
        self._faults.append(FieldFault(where, problem, self._line))
