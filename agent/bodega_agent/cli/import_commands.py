"""Rows of a file as ledger commands: opening stock in a spreadsheet, or any command with its fields as columns.

A row's `cmd_id` comes from the file's bytes and the row's number, so that the same file imported twice changes
nothing. Whatever `core.commands.decode` finds wrong is led back to the line and the column that it stands in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from bodega.core.commands import decode
from bodega.errors import InvalidInput
from bodega_agent.cli.import_file import Faults, Json, Row

COUNT = "count"

# What a spreadsheet calls a field, and what a command calls it.
_ALIASES = {"bin": "bin_id", "serial": "serials"}
_TEXTS = frozenset(
    {
        "command", "cmd_id", "sku_id", "gtin", "unit", "lot", "expiry", "bin_id", "from_bin_id", "to_bin_id",
        "disposition", "to_disposition", "reason", "fulfillment_order_id", "sscc", "transfer_id", "event",
        "reservation_id", "reference", "override_id", "rule",
    }
)  # fmt: skip
_NUMBERS = frozenset({"quantity", "difference", "expires_after_s", "basis_seq"})
_FLAGS = {"true": True, "false": False}
# Columns of `bodega ledger export --table balance` that no command has: they are judged apart.
_JUDGED = frozenset({"owner", "external"})
COLUMNS = frozenset({*_TEXTS, *_NUMBERS, *_ALIASES, *_JUDGED, "serials", "final", "close"})

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_PLACE_FIELDS = ("bin_id", "sku_id", "gtin", "lot", "disposition", "unit")


def file_id(content: bytes, command: str) -> str:
    """What the ids of a file's commands begin with: the same for the same bytes and the same default command."""
    digest = hashlib.sha256(command.encode() + b"\0" + content).hexdigest()
    return f"import-{digest[:32]}"


def commands_of(rows: list[Row], default: str, prefix: str, faults: Faults) -> tuple[list[Json], int]:
    """{row, line, owner?, command} for every row, and how many rows were left out as the world outside.

    A row without a command is a `default`. Bad rows go to `faults`.
    """
    made: list[Json] = []
    outside = 0
    for row in rows:
        if row.values.get("external"):
            outside += 1
            continue
        body = _body(row.values)
        body.setdefault("command", default)
        body.setdefault("cmd_id", f"{prefix}-{row.number}")
        made.append({"row": row.number, "line": row.line, "command": body})
        if row.values.get("owner"):
            made[-1]["owner"] = row.values["owner"]
    made = _one_count_a_place(made, faults)
    names = field_names(rows)
    for item in made:
        _judge(item, names, faults)
    return made, outside


def field_names(rows: list[Row]) -> dict[str, str]:
    """Field of a command -> the name that the file has for it, where that is another."""
    used = rows[0].values if rows else {}
    return {field: alias for alias, field in _ALIASES.items() if alias in used}


def _body(values: Json) -> Json:
    """The command's own fields; an empty cell is a field that was not said."""
    body: Json = {}
    for name, value in values.items():
        if name not in _JUDGED and value != "":
            field = _ALIASES.get(name, name)
            body[field] = _typed(field, value) if isinstance(value, str) else value
    if isinstance(body.get("serials"), list) and "quantity" not in body:
        body["quantity"] = len(body["serials"])
    return body


def _typed(field: str, text: str) -> Any:
    """A cell as JSON would have it; what is not of the field's type stays text, and `decode` refuses it."""
    if field in _NUMBERS and _WHOLE.fullmatch(text):
        return int(text)
    if field == "serials":
        return text.split()
    if field in {"final", "close"}:
        return _FLAGS.get(text.lower(), text)
    return text


def _one_count_a_place(made: list[Json], faults: Faults) -> list[Json]:
    """Rows that count serials of the same goods in one place are one count; without serials the file doubts itself."""
    kept: list[Json] = []
    places: dict[tuple[Any, ...], Json] = {}
    for item in made:
        body = item["command"]
        key = tuple(str(body.get(field, "")) for field in _PLACE_FIELDS)
        first = places.get(key)
        if body["command"] != COUNT or first is None:
            kept.append(item)
            if body["command"] == COUNT:
                places[key] = item
        elif _can_join(first["command"], body):
            first["command"]["serials"] = [*first["command"]["serials"], *body["serials"]]
            first["command"]["quantity"] += body["quantity"]
        else:
            faults.add(
                item["line"], "row", f"counts the same goods in the same place as line {first['line']}"
            )
    return kept


def _can_join(*bodies: Json) -> bool:
    return all(isinstance(b.get("serials"), list) and type(b.get("quantity")) is int for b in bodies)


def _judge(item: Json, names: Mapping[str, str], faults: Faults) -> None:
    try:
        decode(item["command"])
    except InvalidInput as error:
        for fault in error.faults:
            faults.add(item["line"], names.get(fault.where, fault.where), fault.problem)
        if not error.faults:
            faults.add(item["line"], "row", error.message)
