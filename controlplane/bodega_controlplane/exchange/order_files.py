"""Order files: CSV (a row for each line of an order) or JSON, each order judged by itself.

PURE but for the text that it is given. A fault of one order is that order's; only a file that is no CSV, or no JSON,
is refused whole.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import attrs

from bodega.errors import ConfigInvalid, FieldFault, InvalidInput
from bodega.host import config
from bodega.host.spreadsheet import delimiter_of
from bodega.limits_hub import EXCHANGE_ORDERS_MAX
from bodega_controlplane.app.views import DraftLine, GeoPoint, OrderDraft, PickupDraft, Recipient

Find = Callable[[str, str], GeoPoint | None]

_OF_LINE = {"sku_id": str, "quantity": int, "substitutes": list}
_OF_RECIPIENT = {"name": str, "address": "lines", "postal_code": str, "country": str}
_OF_PLACE = {"latitude": float, "longitude": float}
_OF_PICKUP = {"pickup_node": str, "pickup_code": str, "pickup_hold_s": int}
_OF_ORDER = {
    "service_class": str,
    "method": str,
    "ship_complete": bool,
    "ship_by": str,
    "backorder": bool,
    "not_before": str,
    "parts_max": int,
}
COLUMNS = ("reference", *_OF_LINE, *_OF_RECIPIENT, *_OF_PLACE, *_OF_PICKUP, *_OF_ORDER)
# What the order calls otherwise than the column that says it.
_COLUMN_OF = {
    "location": "latitude",
    "pickup.node_id": "pickup_node",
    "pickup.code": "pickup_code",
    "pickup.hold": "pickup_hold_s",
    "pickup.hold_s": "pickup_hold_s",
}
_REQUIRED = ("reference", "sku_id", "quantity")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# How a cell is read; spreadsheets of some countries write 38,72.
_READ: dict[type, Callable[[str], Any]] = {
    int: int,
    float: lambda cell: float(cell.replace(",", ".")),
    bool: lambda cell: _FLAGS[cell.lower()],
}


@attrs.frozen
class _Line:
    sku_id: str
    quantity: int
    substitutes: list[str] = attrs.field(factory=list)


@attrs.frozen
class _Location:
    latitude: float
    longitude: float


@attrs.frozen
class _Recipient:
    name: str
    address: list[str]
    country: str
    postal_code: str = ""
    location: _Location | None = None


@attrs.frozen
class _Pickup:
    node_id: str
    code: str
    hold_s: int = 0


@attrs.frozen
class _Order:
    reference: str
    lines: list[_Line]
    recipient: _Recipient
    service_class: str = "standard"
    method: str = "parcel"
    ship_complete: bool = False
    ship_by: str = ""
    backorder: bool = False
    not_before: str = ""
    pickup: _Pickup | None = None
    parts_max: int = 1


@dataclass(slots=True)
class FiledOrder:
    """One order of a file: what it says, and what is wrong with it. `lines`: the row of each of its lines."""

    reference: str
    values: dict[str, Any] = field(repr=False)
    lines: list[int] = field(default_factory=list)
    faults: list[FieldFault] = field(default_factory=list)

    def draft(self, find: Find) -> OrderDraft:
        """The order; a place that it does not say is looked up by postal code. Raises InvalidInput with every fault."""
        if self.faults:
            raise InvalidInput("the order is not right", faults=tuple(self.faults))
        try:
            return _draft(config.structure(self.values, _Order), find)
        except ConfigInvalid as error:
            faults = tuple(self.at_row(fault) for fault in error.faults)
            raise InvalidInput("the order is not right", faults=faults) from error

    def at_row(self, fault: FieldFault) -> FieldFault:
        """A fault with its row and column in a CSV file."""
        where = fault.where.replace("[", ".").replace("]", "")
        parts = where.split(".")
        place = int(parts[1]) if parts[0] == "lines" and len(parts) > 1 and parts[1].isdigit() else 0
        if place >= len(self.lines):
            return FieldFault(where, fault.problem, fault.line)
        words = (where.removesuffix("_ms"), *reversed(parts))
        column = next(
            (_COLUMN_OF.get(one, one) for one in words if _COLUMN_OF.get(one, one) in COLUMNS), where
        )
        return FieldFault(column, fault.problem, fault.line or self.lines[place])


def _draft(order: _Order, find: Find) -> OrderDraft:
    to = order.recipient
    point = (
        GeoPoint(to.location.latitude, to.location.longitude)
        if to.location
        else find(to.country, to.postal_code)
    )
    faults = []
    if point is None:
        faults.append(
            FieldFault("recipient.location", "is needed: no place is known for this country and postal code")
        )
    ship_by_ms, not_before_ms = _moment_ms(order.ship_by), _moment_ms(order.not_before)
    for name, moment in (("ship_by", ship_by_ms), ("not_before", not_before_ms)):
        if moment is None:
            faults.append(FieldFault(name, "must be a time such as 2026-12-01T17:00:00Z"))
    if point is None or ship_by_ms is None or not_before_ms is None:
        raise config.invalid("order", tuple(faults))
    return OrderDraft(
        order.reference,
        tuple(DraftLine(one.sku_id, one.quantity, tuple(one.substitutes)) for one in order.lines),
        Recipient(to.name, tuple(to.address), to.postal_code, to.country, point),
        order.service_class,
        order.method,
        order.ship_complete,
        ship_by_ms,
        PickupDraft(order.pickup.node_id, order.pickup.code, order.pickup.hold_s * 1000)
        if order.pickup
        else None,
        order.backorder,
        not_before_ms,
        order.parts_max,
    )


def _moment_ms(text: str) -> int | None:
    """0 for nothing, None for what is no time with a zone."""
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int(moment.timestamp() * 1000) if moment.tzinfo else None


def read_orders(text: str, *, is_csv: bool) -> list[FiledOrder]:
    """The orders of a file, in its order. Raises InvalidInput for a file that can not be read at all."""
    found = list(_from_csv(text) if is_csv else _from_json(text))
    if not found:
        raise _unreadable("has no orders")
    if len(found) > EXCHANGE_ORDERS_MAX:
        raise _unreadable(f"has {len(found)} orders; at most {EXCHANGE_ORDERS_MAX} are taken at once")
    return found


def _unreadable(problem: str, line: int | None = None) -> InvalidInput:
    return InvalidInput("the file can not be read", faults=(FieldFault("file", problem, line),))


def _from_json(text: str) -> Iterator[FiledOrder]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(
            f"is not JSON: {getattr(error, 'msg', error)}", getattr(error, "lineno", None)
        ) from error
    orders = whole.get("orders") if isinstance(whole, dict) else whole
    if not isinstance(orders, list):
        raise _unreadable('must be {"orders": [...]} or a list of orders')
    for one in orders:
        if isinstance(one, dict):
            said = {name: value for name, value in one.items() if value is not None}
            yield FiledOrder(str(said.get("reference", ""))[:64], said)
        else:
            yield FiledOrder("", {}, faults=[FieldFault("order", "must be an object")])


def _from_csv(text: str) -> Iterator[FiledOrder]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    found: dict[str, _Gathered] = {}
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_header(names)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                row = dict(zip(names, (cell.strip() for cell in cells), strict=False))
                reference = row.get("reference", "")
                gathered = found.setdefault(reference or f"\0{line}", _Gathered(reference))
                gathered.take(row, line, whole=len(cells) == len(names))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(f"is not CSV: {error}", reader.line_num) from error
    for gathered in found.values():
        yield gathered.order()


def _check_header(names: list[str]) -> None:
    faults = [FieldFault(name, "is a required column", 1) for name in _REQUIRED if name not in names]
    faults += [
        FieldFault(name or "(empty)", "is not a known column", 1) for name in names if name not in COLUMNS
    ]
    faults += [FieldFault(name, "is there twice", 1) for name in COLUMNS if names.count(name) > 1]
    if faults:
        raise InvalidInput("the file can not be read", faults=tuple(faults))


class _Gathered:
    """The rows of one order: lines by themselves, all else said once or the same each time."""

    def __init__(self, reference: str) -> None:
        self._order = FiledOrder(reference, {"reference": reference, "lines": []})
        self._said: dict[str, Any] = {}

    def take(self, row: Mapping[str, str], line: int, *, whole: bool) -> None:
        if not whole:
            self._fault("row", "has not as many cells as the header", line)
            return
        self._order.lines.append(line)
        self._order.values["lines"].append(self._cells(_OF_LINE, row, line))
        for name, value in self._cells(
            {**_OF_RECIPIENT, **_OF_PLACE, **_OF_PICKUP, **_OF_ORDER}, row, line
        ).items():
            if self._said.setdefault(name, value) != value:
                self._fault(name, "says otherwise than an earlier row of the same order", line)

    def order(self) -> FiledOrder:
        said = self._said
        recipient: dict[str, Any] = {name: said[name] for name in _OF_RECIPIENT if name in said}
        if any(name in said for name in _OF_PLACE):
            recipient["location"] = {name: said[name] for name in _OF_PLACE if name in said}
        values = self._order.values
        values["recipient"] = recipient
        values |= {name: said[name] for name in _OF_ORDER if name in said}
        keys = {"pickup_node": "node_id", "pickup_code": "code", "pickup_hold_s": "hold_s"}
        pickup = {key: said[name] for name, key in keys.items() if name in said}
        if pickup:
            values["pickup"] = pickup
        return self._order

    def _cells(self, kinds: Mapping[str, Any], row: Mapping[str, str], line: int) -> dict[str, Any]:
        return {
            name: self._cell(name, kind, row[name], line) for name, kind in kinds.items() if row.get(name)
        }

    def _cell(self, name: str, kind: Any, value: str, line: int) -> Any:
        if kind is list:
            return value.replace(";", " ").split()
        if kind == "lines":
            return [part.strip() for part in value.split("|") if part.strip()]
        if kind is str:
            return value
        try:
            return _READ[kind](value)
        except (ValueError, KeyError):
            words = {int: "a whole number", float: "degrees", bool: "true or false"}[kind]
            self._fault(name, f"must be {words}", line)
            return kind()

    def _fault(self, where: str, problem: str, line: int) -> None:
        self._order.faults.append(FieldFault(where, problem, line))
