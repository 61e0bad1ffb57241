"""Messages of the Internet Printing Protocol, written and read (RFC 8010): the little of it that printing a job needs.

A message is version, operation or status, request id, then groups of attributes, an end tag, and the document.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from bodega.errors import PeerFault

Value: TypeAlias = str | int | bool
Attributes: TypeAlias = Mapping[str, Sequence[Value]]


class Operation(IntEnum):
    """RFC 8011, section 5.4.15."""

    PRINT_JOB = 0x0002
    GET_JOB_ATTRIBUTES = 0x0009
    GET_PRINTER_ATTRIBUTES = 0x000B


class Tag(IntEnum):
    """Of a value (RFC 8010, section 3.5.2)."""

    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME = 0x49


OPERATION_GROUP, JOB_GROUP, END, PRINTER_GROUP = 0x01, 0x02, 0x03, 0x04
_VERSION = b"\x01\x01"
_HEADER = struct.Struct(">2sHI")
_FIRST_VALUE_TAG = 0x10
_TEXTS = range(0x40, 0x50)
_INTEGER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Message:
    """`code`: the operation asked for, or the status answered. `attributes` of all groups; `document` follows them."""

    code: int
    attributes: Attributes = field(default_factory=dict)
    document: bytes = b""

    def text(self, name: str) -> str:
        """The first value in words; empty if there is none."""
        return str(next(iter(self.attributes.get(name, ())), ""))

    def number(self, name: str, default: int = 0) -> int:
        """The first value if it is a number."""
        value = next(iter(self.attributes.get(name, ())), default)
        return value if isinstance(value, int) else default


Sent: TypeAlias = tuple[Tag, str, Sequence[Value]]


def write(code: int, groups: Sequence[tuple[int, Sequence[Sent]]], document: bytes = b"") -> bytes:
    """A message whose groups hold (tag, name, values)."""
    parts = [_HEADER.pack(_VERSION, code, 1)]
    for group, attributes in groups:
        parts.append(bytes((group,)))
        for tag, name, values in attributes:
            for number, value in enumerate(values):
                label = b"" if number else name.encode("ascii")
                body = _body(tag, value)
                parts.append(
                    struct.pack(">BH", tag, len(label)) + label + struct.pack(">H", len(body)) + body
                )
    return b"".join([*parts, bytes((END,)), document])


def request(operation: Operation, printer_uri: str, *more: Sent, document: bytes = b"") -> bytes:
    """A request with the attributes that every request begins with (RFC 8011, section 4.1.4)."""
    first: tuple[Sent, ...] = (
        (Tag.CHARSET, "attributes-charset", ["utf-8"]),
        (Tag.LANGUAGE, "attributes-natural-language", ["en"]),
        (Tag.URI, "printer-uri", [printer_uri]),
        (Tag.NAME, "requesting-user-name", ["bodega"]),
    )
    return write(operation, [(OPERATION_GROUP, (*first, *more))], document)


def read(data: bytes) -> Message:
    """Read a message; raises `PeerFault` if it is none. Values of tags that nobody asks for are left out."""
    try:
        _, code, _ = _HEADER.unpack_from(data)
        attributes, end = _attributes(data, _HEADER.size)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise PeerFault(f"not an IPP message: {data[:40]!r}", hint="check the printer's path") from error
    return Message(code, attributes, data[end:])


def _attributes(data: bytes, at: int) -> tuple[dict[str, list[Value]], int]:
    found: dict[str, list[Value]] = {}
    name = ""
    while (tag := data[at]) != END:
        at += 1
        if tag < _FIRST_VALUE_TAG:
            continue
        label, at = _counted(data, at)
        body, at = _counted(data, at)
        name = label.decode("ascii") or name
        value = _value(tag, body)
        if value is not None:
            found.setdefault(name, []).append(value)
    return found, at + 1


def _counted(data: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">H", data, at)
    if at + 2 + size > len(data):
        raise IndexError("a length beyond the end")
    return data[at + 2 : at + 2 + size], at + 2 + size


def _value(tag: int, body: bytes) -> Value | None:
    if tag in (Tag.INTEGER, Tag.ENUM) and len(body) == _INTEGER_BYTES:
        return int.from_bytes(body, "big", signed=True)
    if tag == Tag.BOOLEAN and body:
        return bool(body[0])
    return body.decode("utf-8", "replace") if tag in _TEXTS else None


def _body(tag: Tag, value: Value) -> bytes:
    if tag is Tag.BOOLEAN:
        return bytes((bool(value),))
    if tag in (Tag.INTEGER, Tag.ENUM):
        return int(value).to_bytes(_INTEGER_BYTES, "big", signed=True)
    return str(value).encode()
