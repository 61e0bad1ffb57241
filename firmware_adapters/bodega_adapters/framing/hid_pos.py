"""HID reports to scans: scanners of the HID Point of Sale class ("HID POS", usage page 0x8C).

The first thing that is fed after `reset` is the device's report descriptor, so that a recording of a device explains
itself; every later piece is one report, as a read of /dev/hidraw* gives it. Sources: USB HID Point of Sale Usage Tables
1.02, section 4 (bar code scanner page); HID Usage Tables, Generic Desktop page (Byte Count). Rules:
- The descriptor says where the decoded data lies, its byte count, the three characters of the AIM identifier, and the
  flag that says that the code goes on in the next report.
- Plain layout, for a device that declares decoded data and no byte count: the first byte is the count of the bytes that
  follow, here and in the next reports. Zeros behind it are padding; a count that is less than what stands before the
  padding does not cut the code.
- Other reports of the device (status, trigger) are not scans. A report too short for its own byte count is dropped,
  and what it belonged to.
- A code above the bound is dropped whole and counted. One whose rest does not come is dropped after SCAN_PAUSE_MS_MAX.
- An identifier that is no AIM identifier is left out; one that stands in the data too is not doubled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bodega.errors import PeerFault
from bodega.limits import SCAN_BYTES_MAX, SCAN_PAUSE_MS_MAX
from bodega_adapters.framing.aim import split_aim
from bodega_adapters.framing.hid_descriptor import Field, input_fields

_BAR_CODE_PAGE = 0x8C << 16
IDENTIFIERS = tuple(_BAR_CODE_PAGE | usage for usage in (0xFB, 0xFC, 0xFD))
DECODED_DATA = _BAR_CODE_PAGE | 0xFE
DATA_CONTINUED = _BAR_CODE_PAGE | 0xFF
BYTE_COUNT = 0x01 << 16 | 0x3B
_BYTE_BITS = 8
_IDENTIFIER_BYTES = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a scanner's report has what; `numbered`: each report begins with its number."""

    numbered: bool
    data: Field
    count: Field | None
    identifier: tuple[Field, ...]
    continued: Field | None


@dataclass(frozen=True, slots=True)
class Part:
    """What one report says."""

    data: bytes
    identifier: bytes
    continued: bool


def layout_of(descriptor: bytes) -> Layout:
    """The layout of the report that carries decoded data. Raises `PeerFault` for a device that has none."""
    fields = input_fields(descriptor)
    data = next((each for each in fields if each.usage == DECODED_DATA and each.size == _BYTE_BITS), None)
    if data is None or data.at % _BYTE_BITS:
        raise PeerFault(
            "the device declares no decoded bar code data",
            hint="switch the scanner to USB HID POS, or take another hidraw file of it",
        )
    beside = {each.usage: each for each in fields if each.report_id == data.report_id}
    return Layout(
        numbered=any(each.report_id for each in fields),
        data=data,
        count=beside.get(BYTE_COUNT),
        identifier=tuple(beside[usage] for usage in IDENTIFIERS if usage in beside),
        continued=beside.get(DATA_CONTINUED),
    )


def part_of(layout: Layout, report: bytes) -> Part | None:
    """What a report says; None for another report of the device. Raises `PeerFault` for one that is cut off."""
    if layout.numbered:
        if not report or report[0] != layout.data.report_id:
            return None
        report = report[1:]
    begin = layout.data.at // _BYTE_BITS
    room = report[begin : begin + layout.data.count]
    if layout.count is None:
        return _plain(room, layout.data.count - 1)
    count = _value(report, layout.count)
    if count > len(room):
        raise PeerFault(
            f"a report says that it has {count} bytes of a bar code, and has room for {len(room)}"
        )
    return Part(
        room[:count],
        b"".join(_bytes(report, each) for each in layout.identifier)[:_IDENTIFIER_BYTES],
        bool(layout.continued and _value(report, layout.continued)),
    )


def _plain(room: bytes, capacity: int) -> Part:
    if not room:
        raise PeerFault("a report of a bar code is empty")
    count, rest = room[0], room[1:]
    end = max(min(count, len(rest)), len(rest.rstrip(b"\0")))
    return Part(rest[:end], b"", count > capacity)


def _value(report: bytes, where: Field) -> int:
    """The first value of a field, unsigned and of a byte at most; 0 where the report ends before it."""
    bits = int.from_bytes(report, "little") >> where.at
    return bits & ((1 << min(where.size, _BYTE_BITS)) - 1)


def _bytes(report: bytes, where: Field) -> bytes:
    """The first values of a field of bytes."""
    shown = range(min(where.count, _IDENTIFIER_BYTES))
    return bytes(_value(report, replace(where, at=where.at + number * where.size)) for number in shown)


class HidPosFramer:
    """A `Framer` of one HID POS scanner."""

    def __init__(self, *, frame_bytes_max: int = SCAN_BYTES_MAX) -> None:
        self._frame_bytes_max = frame_bytes_max
        self._layout: Layout | None = None
        self._buffer = bytearray()
        self._identifier = b""
        self._going_on = False
        self._spoilt = False
        self.dropped_frames = 0

    @property
    def patience_ms(self) -> int | None:
        """See Framer."""
        return SCAN_PAUSE_MS_MAX if self._going_on else None

    def feed(self, data: bytes) -> list[bytes]:
        """See Framer: `data` is the descriptor or one report."""
        if self._layout is None:
            self._layout = layout_of(data)
            return []
        try:
            part = part_of(self._layout, data)
        except PeerFault:
            self._drop()
            return []
        return [] if part is None else self._join(part)

    def gap(self) -> list[bytes]:
        """See Framer: the rest of the code does not come."""
        if not self._spoilt:
            self.dropped_frames += 1
        self._begin_anew()
        return []

    def reset(self) -> None:
        """See Framer."""
        self._layout = None
        if self._going_on:
            self.gap()

    def _join(self, part: Part) -> list[bytes]:
        if not self._going_on:
            self._identifier = part.identifier
        self._going_on = part.continued
        if not self._spoilt:
            self._buffer += part.data
            if len(self._buffer) > self._frame_bytes_max:
                self._drop()
        if part.continued:
            return []
        frame, spoilt = self._whole(), self._spoilt
        self._begin_anew()
        return [] if spoilt or not frame else [frame]

    def _whole(self) -> bytes:
        data = bytes(self._buffer).rstrip(b"\r\n")
        symbology, _ = split_aim(self._identifier.decode("latin-1"))
        if symbology is None or not data or data.startswith(self._identifier):
            return data
        return symbology.encode() + data

    def _drop(self) -> None:
        """The code that is being joined is no good; it lasts until the report that ends it."""
        self.dropped_frames += not self._spoilt
        self._buffer.clear()
        self._spoilt = self._going_on

    def _begin_anew(self) -> None:
        self._buffer.clear()
        self._going_on = self._spoilt = False
