"""HID report descriptors: where in which report a device puts what.

Source: USB Device Class Definition for HID 1.11, sections 5 and 6.2.2. Only input reports are kept; of an item, what
says size and place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bodega.errors import PeerFault
from bodega.limits import HID_FIELDS_MAX

_MAIN, _GLOBAL, _LOCAL = 0, 1, 2
_INPUT = 8
_USAGE_PAGE, _REPORT_SIZE, _REPORT_ID, _REPORT_COUNT, _PUSH, _POP = 0, 7, 8, 9, 10, 11
_USAGE, _USAGE_MIN, _USAGE_MAX = 0, 1, 2
_LONG_ITEM = 0xFE
_PAGE_BITS = 16


@dataclass(frozen=True, slots=True)
class Field:
    """`count` values of `size` bits from bit `at` of a report (its number is not counted); usage with page << 16."""

    report_id: int
    usage: int
    at: int
    size: int
    count: int


@dataclass(frozen=True, slots=True)
class _Globals:
    page: int = 0
    size: int = 0
    count: int = 0
    report_id: int = 0


@dataclass(slots=True)
class _Reading:
    now: _Globals = field(default_factory=_Globals)
    pushed: list[_Globals] = field(default_factory=list)
    usages: list[int] = field(default_factory=list)
    first: int = 0
    ends: dict[int, int] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)


def input_fields(descriptor: bytes) -> list[Field]:
    """The fields of all input reports in order. Raises `PeerFault` for what is no descriptor.

    A report id of 0 says that the device does not number its reports.
    """
    reading = _Reading()
    for kind, tag, value, size in _items(descriptor):
        if kind == _MAIN:
            _main(reading, tag)
        elif kind == _GLOBAL:
            _global(reading, tag, value)
        elif kind == _LOCAL:
            _local(reading, tag, value, size)
        if max(len(reading.usages), len(reading.fields)) > HID_FIELDS_MAX:
            raise PeerFault(f"the HID report descriptor has more than {HID_FIELDS_MAX} fields")
    return reading.fields


def _items(descriptor: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Type, tag, unsigned value and its size in bytes."""
    at = 0
    while at < len(descriptor):
        prefix = descriptor[at]
        if prefix == _LONG_ITEM:
            at += 3 + (descriptor[at + 1] if at + 1 < len(descriptor) else 0)
            continue
        size = (0, 1, 2, 4)[prefix & 3]
        value = descriptor[at + 1 : at + 1 + size]
        if len(value) < size:
            raise PeerFault(f"the HID report descriptor is cut off at byte {at}")
        yield (prefix >> 2) & 3, prefix >> 4, int.from_bytes(value, "little"), size
        at += 1 + size


def _global(reading: _Reading, tag: int, value: int) -> None:
    now = reading.now
    if tag == _USAGE_PAGE:
        reading.now = replace(now, page=value)
    elif tag == _REPORT_SIZE:
        reading.now = replace(now, size=value)
    elif tag == _REPORT_COUNT:
        reading.now = replace(now, count=value)
    elif tag == _REPORT_ID:
        reading.now = replace(now, report_id=value)
    elif tag == _PUSH:
        reading.pushed.append(now)
    elif tag == _POP and reading.pushed:
        reading.now = reading.pushed.pop()


def _local(reading: _Reading, tag: int, value: int, size: int) -> None:
    usage = value if size > 2 else reading.now.page << _PAGE_BITS | value  # HID 6.2.2.8
    if tag == _USAGE:
        reading.usages.append(usage)
    elif tag == _USAGE_MIN:
        reading.first = usage
    elif tag == _USAGE_MAX and 0 <= usage - reading.first < HID_FIELDS_MAX:
        reading.usages += range(reading.first, usage + 1)


def _main(reading: _Reading, tag: int) -> None:
    if tag == _INPUT:
        _place(reading)
    # Every main item, also a collection, uses up the usages before it (HID 6.2.2.8).
    reading.usages = []
    reading.first = 0


def _place(reading: _Reading) -> None:
    """One field for each usage; the last one takes the values that are left over."""
    now, left = reading.now, reading.now.count
    at = reading.ends.get(now.report_id, 0)
    reading.ends[now.report_id] = at + now.size * now.count
    usages = reading.usages[:left] or [0]
    for number, usage in enumerate(usages):
        count = left if number == len(usages) - 1 else 1
        reading.fields.append(Field(now.report_id, usage, at, now.size, count))
        at, left = at + now.size * count, left - count
