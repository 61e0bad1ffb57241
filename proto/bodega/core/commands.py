"""Every ledger command as it comes from outside: one JSON object, read strictly, all faults at once.

`SHAPES` is the table of fields; what a command then books is in `core.recipes`. Goods are named by `sku_id` or
by `gtin` (a GTIN of a larger unit means that unit), once at the top or several times in `lines`. Nothing
here knows the catalogue: units, lots and serials are judged in `core.sku` by whoever holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from bodega.core import fields
from bodega.core.fields import Reader, Value, Wrong, shown
from bodega.core.ledger import DOCK, Disposition
from bodega.core.promise import OverrideRule
from bodega.core.sku import Line
from bodega.errors import FieldFault, InvalidInput
from bodega.limits import (
    COMMAND_FAULTS_MAX,
    COMMAND_LINES_MAX,
    COMMAND_SERIALS_MAX,
    PROMISE_LASTS_MS_MAX,
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is right in itself. Empty means not said; `body` is what was sent, for `once`.

    `lines` are its goods, in units as entered; for `adjust` their quantity has a sign. `expires_after_s` is on
    the node's monotonic clock. `basis_seq` is what `count_begin` answered, -1 if not said.
    """

    command: str
    cmd_id: str
    body: dict[str, Any]
    lines: tuple[Line, ...] = ()
    parts: tuple[Line, ...] = ()
    becomes: Line | None = None
    bin_id: str = ""
    from_bin_id: str = ""
    to_bin_id: str = ""
    disposition: str = Disposition.SELLABLE
    to_disposition: str = ""
    fulfillment_order_id: str = ""
    sscc: str = ""
    transfer_id: str = ""
    event: str = ""
    reason: str = ""
    reservation_id: str = ""
    reference: str = ""
    final: bool = True
    override_id: str = ""
    rule: str = ""
    close: bool = False
    expires_after_s: int = 0
    basis_seq: int = -1


class Field(NamedTuple):
    """One field: its name, how it is read, whether it must be there, and what it is if it is not."""

    name: str
    reader: Reader
    required: bool = False
    default: Value | None = None


class Goods(StrEnum):
    """How a command names its goods."""

    NONE = "none"
    # At the top of the object, once.
    ONE = "one"
    # At the top once, or in `lines`.
    LINES = "lines"
    # Like LINES; left out, it is all that lies there.
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Shape:
    """One row of the table. Of each group in `one_of`, exactly one field must be there."""

    fields: tuple[Field, ...] = ()
    goods: Goods = Goods.NONE
    line: tuple[Field, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    parts: bool = False
    becomes: bool = False


def _needed(name: str, reader: Reader = fields.identifier) -> Field:
    return Field(name, reader, required=True)


_WHICH = (Field("sku_id", fields.identifier), Field("gtin", fields.gtin))
_WHICH_ONE = (("sku_id", "gtin"),)
_UNIT = Field("unit", fields.unit_name)
_LOT = Field("lot", fields.identifier)
_SERIALS = Field("serials", fields.serials)
_EXPIRY = Field("expiry", fields.day)
_MOVED = (*_WHICH, _needed("quantity", fields.POSITIVE), _UNIT, _LOT, _EXPIRY, _SERIALS)
_COUNTED = (*_WHICH, _needed("quantity", fields.COUNT), _UNIT, _LOT, _EXPIRY, _SERIALS)
_ADJUSTED = (*_WHICH, _needed("difference", fields.DIFFERENCE), _UNIT, _LOT, _EXPIRY, _SERIALS)
_WANTED = (_needed("reservation_id"), *_WHICH, _needed("quantity", fields.POSITIVE), _UNIT)
_BECOMES = (*_WHICH, _LOT, _EXPIRY, _SERIALS)
_POSTED = (_needed("quantity", fields.POSITIVE), _LOT, _SERIALS)

_AT = _needed("bin_id")
_AT_DOCK = Field("bin_id", fields.identifier, default=DOCK)
_TO = _needed("to_bin_id")
_MAYBE_TO = Field("to_bin_id", fields.identifier)
_DISPOSITION = Field("disposition", fields.one_of(Disposition))
_REASON = Field("reason", fields.words)
_WHY = _needed("reason", fields.words)
_TRANSFER = _needed("transfer_id")
_ORDER = Field("fulfillment_order_id", fields.identifier)
_RESERVATION = _needed("reservation_id")
_MORE_MAY_FOLLOW = Field("final", fields.flag, default=False)
_BASIS = Field("basis_seq", fields.SEQUENCE)
_LASTS = fields.whole(1, PROMISE_LASTS_MS_MAX // 1000)


def _goods(*own: Field, goods: Goods = Goods.LINES, **rest: Any) -> Shape:
    return Shape((*own, _REASON), goods, _MOVED, **rest)


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "receive": _goods(_AT_DOCK),
        "put_away": _goods(Field("from_bin_id", fields.identifier, default=DOCK), _TO),
        "move": _goods(_needed("from_bin_id"), _TO, _DISPOSITION),
        "pick": _goods(_AT, _ORDER, _MAYBE_TO, one_of=(("fulfillment_order_id", "to_bin_id"),)),
        "pack": _goods(
            _ORDER,
            Field("bin_id", fields.identifier),
            Field("sscc", fields.sscc),
            goods=Goods.ALL,
            one_of=(("fulfillment_order_id", "bin_id"),),
        ),
        "unpack": _goods(_needed("sscc", fields.sscc), _TO, goods=Goods.ALL),
        "ship": _goods(_needed("sscc", fields.sscc), goods=Goods.ALL),
        "return": _goods(_AT_DOCK),
        "inspect": _goods(_AT_DOCK, _MAYBE_TO, _needed("to_disposition", fields.one_of(Disposition))),
        "count_begin": Shape((_AT,)),
        "count": Shape((_AT, _DISPOSITION, _BASIS, _REASON), Goods.ONE, _COUNTED),
        "adjust": Shape((_AT, _DISPOSITION, _WHY), Goods.ONE, _ADJUSTED),
        "scrap": Shape((_AT, _DISPOSITION, _WHY), Goods.LINES, _MOVED),
        "kit": _goods(_AT, _MAYBE_TO, goods=Goods.ONE, parts=True),
        "unkit": _goods(_AT, _MAYBE_TO, goods=Goods.ONE, parts=True),
        "change_disposition": _goods(
            _AT, _DISPOSITION, _needed("to_disposition", fields.one_of(Disposition))
        ),
        "transfer_out": _goods(_AT, _DISPOSITION, _TRANSFER, _MORE_MAY_FOLLOW),
        "transfer_in": _goods(_AT_DOCK, _TRANSFER, _MORE_MAY_FOLLOW),
        "re_identify": _goods(_AT, _DISPOSITION, goods=Goods.ONE, becomes=True),
        "correct": Shape((_needed("event", fields.event_name), _WHY)),
        "reserve": Shape(
            (Field("reference", fields.words), Field("expires_after_s", _LASTS)), Goods.LINES, _WANTED
        ),
        "release": Shape((_RESERVATION,)),
        "post": Shape((_RESERVATION, _AT, Field("final", fields.flag, default=True)), Goods.ONE, _POSTED),
        "expire": Shape((_RESERVATION,)),
        "override": Shape(
            (
                _needed("override_id"),
                _needed("rule", fields.one_of(OverrideRule)),
                _needed("expires_after_s", _LASTS),
                _WHY,
            ),
            Goods.ONE,
            (*_WHICH, Field("quantity", fields.POSITIVE), _UNIT, _LOT),
        ),
    }
)
_CLOSE_OVERRIDE = Shape((_needed("override_id"), _needed("close", fields.yes)))
_COMMON = (_needed("command"), _needed("cmd_id"))


def decode(thing: object) -> Command:
    """The command that this JSON value is, or InvalidInput with every fault in it, each with its field."""
    if not isinstance(thing, dict):
        raise InvalidInput(
            f"a ledger command is a JSON object, this is {shown(thing)}",
            hint='for example {"command": "receive", "cmd_id": "...", "sku_id": "...", "quantity": 1}',
        )
    name = thing.get("command")
    shape = _shape_of(name, thing)
    reading = _Reading()
    values = reading.read(thing, (*_COMMON, *shape.fields), "")
    known = {field.name for field in (*_COMMON, *shape.fields)}
    lines = _lines(reading, thing, shape, known)
    parts = reading.list_of(thing, "parts", _MOVED) if shape.parts and "parts" in thing else ()
    becomes = reading.line(thing.get("becomes"), _BECOMES, "becomes") if shape.becomes else None
    known |= {"parts"} if shape.parts else set()
    known |= {"becomes"} if shape.becomes else set()
    reading.refuse_others(thing, known, "")
    reading.exactly_one(thing, shape.one_of, "")
    reading.few_serials((*lines, *parts))
    reading.together(thing)
    reading.finish(str(name), known)
    return Command(body=thing, lines=lines, parts=parts, becomes=becomes, **values)


def _shape_of(name: object, thing: Mapping[object, object]) -> Shape:
    shape = SHAPES.get(name) if isinstance(name, str) else None
    if shape is None:
        near = get_close_matches(name[:64], SHAPES, n=1) if isinstance(name, str) else []
        raise InvalidInput(
            f"there is no ledger command {shown(name)}",
            hint=f"did you mean {near[0]}?" if near else f"use one of: {', '.join(SHAPES)}",
            faults=(FieldFault("command", f"must be one of {', '.join(SHAPES)}, is {shown(name)}"),),
        )
    return _CLOSE_OVERRIDE if name == "override" and "close" in thing else shape


def _lines(
    reading: _Reading, thing: Mapping[object, object], shape: Shape, known: set[str]
) -> tuple[Line, ...]:
    """The goods of a command; puts the names of the fields that may hold them into `known`."""
    if shape.goods is Goods.NONE:
        return ()
    names = {field.name for field in shape.line}
    listed = shape.goods in {Goods.LINES, Goods.ALL}
    if listed and "lines" in thing:
        known.add("lines")
        for name in sorted(names & set(thing)):
            reading.fault(name, "belongs into `lines`, or `lines` must go")
        known |= names
        return reading.list_of(thing, "lines", shape.line)
    known |= names | ({"lines"} if listed else set())
    if shape.goods is Goods.ALL and not names & set(thing):
        return ()
    which = _WHICH_ONE if {"sku_id", "gtin"} <= names else ()
    reading.exactly_one(thing, which, "")
    return (_line_of(reading.read(thing, shape.line, "")),)


def _line_of(values: dict[str, Any]) -> Line:
    if "difference" in values:
        values["quantity"] = values.pop("difference")
    return Line(**{"quantity": 0, **values})


class _Reading:
    """Faults gathered while one object is read."""

    def __init__(self) -> None:
        self.faults: list[FieldFault] = []

    def fault(self, where: str, problem: str) -> None:
        """One more thing that is wrong."""
        self.faults.append(FieldFault(where, problem))

    def read(self, thing: Mapping[object, object], wanted: tuple[Field, ...], prefix: str) -> dict[str, Any]:
        """Values of the wanted fields that are there and right, or have a default."""
        values: dict[str, Any] = {}
        for name, reader, required, default in wanted:
            if name in thing:
                try:
                    values[name] = reader(thing[name])
                except Wrong as wrong:
                    self.fault(prefix + name, str(wrong))
            elif required:
                self.fault(prefix + name, "is missing")
            elif default is not None:
                values[name] = default
        return values

    def line(self, item: object, wanted: tuple[Field, ...], where: str) -> Line:
        """Goods from an object of their own."""
        if not isinstance(item, dict):
            self.fault(where, "is missing" if item is None else f"must be an object, is {shown(item)}")
            return Line(0)
        values = self.read(item, wanted, f"{where}.")
        self.refuse_others(item, {field.name for field in wanted}, f"{where}.")
        self.exactly_one(item, _WHICH_ONE, f"{where}.")
        return _line_of(values)

    def list_of(
        self, thing: Mapping[object, object], name: str, wanted: tuple[Field, ...]
    ) -> tuple[Line, ...]:
        """Goods from a list of objects."""
        items = thing[name]
        if not isinstance(items, list) or not 0 < len(items) <= COMMAND_LINES_MAX:
            size = f"{len(items)} items" if isinstance(items, list) else shown(items)
            self.fault(name, f"must be a list of 1 to {COMMAND_LINES_MAX} objects, is {size}")
            return ()
        return tuple(self.line(item, wanted, f"{name}[{place}]") for place, item in enumerate(items))

    def refuse_others(self, thing: Mapping[object, object], known: set[str], prefix: str) -> None:
        """A field that nobody reads is a mistake, most often of spelling."""
        for name in thing:
            if name not in known:
                near = get_close_matches(name[:64], known, n=1) if isinstance(name, str) else []
                hint = f"did you mean `{near[0]}`?" if near else "leave it out"
                self.fault(f"{prefix}{shown(name)}", f"is no field of this command: {hint}")

    def exactly_one(
        self, thing: Mapping[object, object], groups: tuple[tuple[str, ...], ...], prefix: str
    ) -> None:
        """Of each group exactly one field must be there."""
        for group in groups:
            there = [name for name in group if name in thing]
            if len(there) != 1:
                said = " and ".join(there) + " exclude each other" if there else "is missing"
                self.fault(prefix + group[0], f"{said}: give {' or '.join(group)}")

    def few_serials(self, lines: tuple[Line, ...]) -> None:
        """All lines together name no more serials than one event can hold."""
        named = sum(len(line.serials) for line in lines)
        if named > COMMAND_SERIALS_MAX:
            self.fault(
                "lines", f"name {named} serials, {COMMAND_SERIALS_MAX} is the most: make more commands"
            )

    def together(self, thing: Mapping[object, object]) -> None:
        """What one field asks of another: only a hold has a quantity, a bin's parcel needs its number."""
        rule, quantity = thing.get("rule"), "quantity" in thing
        if rule in (OverrideRule.EXPIRED, OverrideRule.FEFO) and quantity:
            self.fault("quantity", f"means nothing to the rule '{rule}': leave it out")
        name, at = thing.get("command"), thing.get("bin_id", DOCK)
        if name == "pack" and "bin_id" in thing and "sscc" not in thing:
            self.fault("sscc", "is missing: the parcel that is packed out of a bin")
        if name == "move" and "to_bin_id" in thing and thing.get("from_bin_id") == thing["to_bin_id"]:
            self.fault("to_bin_id", "is where the goods are already: name another bin")
        was = thing.get("disposition", Disposition.SELLABLE) if name == "change_disposition" else None
        if name == "inspect" and thing.get("to_bin_id", at) == at:
            was = Disposition.RETURNED
        if was is not None and thing.get("to_disposition") == was:
            self.fault("to_disposition", f"is what the goods are already: {shown(was)}")

    def finish(self, name: str, known: set[str]) -> None:
        """Raise what was found."""
        if not self.faults:
            return
        many = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        raise InvalidInput(
            f"the command {name} has {many}",
            hint=f"mend each one named and send it again; fields of {name}: {', '.join(sorted(known))}",
            faults=tuple(self.faults[:COMMAND_FAULTS_MAX]),
        )
