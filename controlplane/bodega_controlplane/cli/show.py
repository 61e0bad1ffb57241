"""How messages look on a terminal and as JSON: one way for every command.

JSON keys are the protobuf field names; every field is there, also when it is empty; numbers are numbers
(protobuf's own JSON makes 64-bit ones strings), enums are lower-case words without their prefix, bytes
are base64. These keys only grow; scripts may rely on them.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message

from bodega.host.cli import emit_json


def plain(message: Message) -> dict[str, Any]:
    """A message as plain values for JSON."""
    return {field.name: _field(message, field) for field in message.DESCRIPTOR.fields}


def say(answer: Message, *lines: str, as_json: bool) -> None:
    """What came of a command: the whole answer as JSON, or lines for people."""
    if as_json:
        emit_json(plain(answer))
        return
    for line in lines:
        click.echo(line)


def plain_all(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Many messages as plain values for JSON."""
    return [plain(message) for message in messages]


def _field(message: Message, field: Any) -> Any:  # a FieldDescriptor, of one of protobuf's two kinds
    value = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        kind = field.message_type.fields_by_name["value"]
        return {key: _value(value[key], kind) for key in sorted(value)}
    if field.is_repeated:
        return [_value(item, field) for item in value]
    if field.message_type is not None and not message.HasField(field.name):
        return None
    return _value(value, field)


def _value(value: Any, field: Any) -> Any:
    if field.message_type is not None:
        return plain(value)
    if field.enum_type is not None:
        return enum_word(field.enum_type, value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no word for it
    return value


def enum_word(enum: EnumDescriptor, number: int) -> str:
    """ORDER_STATE_SHIPPED -> "shipped"; a number that a newer hub has added stays a number."""
    known = enum.values_by_number.get(number)
    if known is None:
        return str(number)
    prefix = "".join(f"_{letter}" if letter.isupper() else letter for letter in enum.name)
    return known.name.removeprefix(f"{prefix.lstrip('_').upper()}_").lower()


def when(ms: int) -> str:
    """A time for people: UTC, to the second; "never" for 0."""
    if not ms:
        return "never"
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def span(ms: int) -> str:
    """A duration for people, in its largest unit."""
    seconds = ms / 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
