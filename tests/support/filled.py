"""Protobuf messages with something in every field, for tests that walk a whole schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_NUMBER = 3


def filled(message: Message) -> Message:
    """The message with every field set: a text is "the-<field's name>"; of a oneof, the first field."""
    taken: set[str] = set()
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is not None:
            if oneof.name in taken:
                continue
            taken.add(oneof.name)
        _fill(message, field)
    return message


def _fill(message: Message, field: Any) -> None:
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            return
        inner = getattr(message, field.name)
        filled(inner.add() if field.is_repeated else inner)
        return
    value = {
        FieldDescriptor.CPPTYPE_STRING: f"the-{field.name}".encode()
        if field.type == FieldDescriptor.TYPE_BYTES
        else f"the-{field.name}",
        FieldDescriptor.CPPTYPE_BOOL: True,
        FieldDescriptor.CPPTYPE_ENUM: 1,
    }.get(field.cpp_type, _NUMBER)
    if field.is_repeated:
        getattr(message, field.name).append(value)
    else:
        setattr(message, field.name, value)


def text_fields(message: Message) -> Iterator[str]:
    """Names of all text fields that are set in it and in the messages inside it."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            if field.message_type.GetOptions().map_entry:
                continue
            for inner in value if field.is_repeated else [value]:
                yield from text_fields(inner)
        elif field.type == FieldDescriptor.TYPE_STRING:
            yield field.name
