"""A HID POS scanner: the report descriptor and the reports that the kernel's hidraw file would give.

`DESCRIPTOR` is laid out as the scanners of large makers lay theirs out (byte count, AIM identifier, 56 bytes of data,
continuation flag), `PLAIN_DESCRIPTOR` declares 63 bytes of decoded data and nothing else.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

from bodega_adapters.framing.aim import split_aim
from bodega_adapters.simulated.plugged import PluggedDevice

REPORT_ID = 2
DATA_BYTES = 56
PLAIN_DATA_BYTES = 62
# fmt: off
DESCRIPTOR = bytes([
    0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01,                          # bar code scanner, application collection
    0x09, 0x12, 0xA1, 0x02,                                      # scanned data report, logical collection
    0x85, REPORT_ID, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08,   # report number; bytes from 0 to 255
    0x95, 0x01, 0x05, 0x01, 0x09, 0x3B, 0x81, 0x02,              # 1 of generic desktop: byte count
    0x95, 0x03, 0x05, 0x8C, 0x09, 0xFB, 0x09, 0xFC, 0x09, 0xFD, 0x81, 0x02,  # 3: symbology identifier
    0x95, DATA_BYTES, 0x09, 0xFE, 0x82, 0x02, 0x01,              # decoded data, buffered bytes
    0x95, 0x02, 0x06, 0x66, 0xFF, 0x09, 0x04, 0x09, 0x00, 0x81, 0x02,        # 2 of the maker's own
    0x95, 0x01, 0x75, 0x01, 0x25, 0x01, 0x05, 0x8C, 0x09, 0xFF, 0x81, 0x02,  # 1 bit: decode data continued
    0x75, 0x07, 0x81, 0x03, 0xC0, 0xC0,                          # 7 bits of padding
])
PLAIN_DESCRIPTOR = bytes([
    0x06, 0x8C, 0x00, 0x09, 0x02, 0xA1, 0x01,                    # bar code scanner, application collection
    0x85, REPORT_ID, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08,   # report number; bytes from 0 to 255
    0x95, 0x3F, 0x09, 0xFE, 0x81, 0x02, 0xC0,                    # 63: decoded data
])
# fmt: on


class SimulatedHidPos(PluggedDevice):
    """The device side. `plain`: with the layout of PLAIN_DESCRIPTOR."""

    def __init__(self, *, plain: bool = False) -> None:
        super().__init__(socket.SOCK_SEQPACKET, PLAIN_DESCRIPTOR if plain else DESCRIPTOR)
        self._plain = plain

    def scan(self, text: str, symbology: str | None = "]C1") -> None:
        """Send one barcode; `symbology` as in `SimulatedScanner.scan`."""
        self._report(f"{symbology or ''}{text}".encode(), unfinished=False)

    def send(self, data: bytes) -> None:
        """Send what a serial scanner sends as `data`: each line is a code, and a rest without a line end goes on."""
        *lines, rest = re.split(rb"[\r\n]", data)
        for line in lines:
            self._report(line, unfinished=False)
        if rest:
            self._report(rest, unfinished=True)

    def _report(self, code: bytes, *, unfinished: bool) -> None:
        for report in plain_reports(code) if self._plain else reports(code, unfinished=unfinished):
            self.put(report)


def reports(code: bytes, *, unfinished: bool = False) -> Iterator[bytes]:
    """A code, AIM identifier in front, as reports of DESCRIPTOR; `unfinished`: the last one says "continued" too."""
    symbology, _ = split_aim(code.decode("latin-1"))
    identifier = (symbology or "").encode()
    data = code[len(identifier) :]
    pieces = [data[at : at + DATA_BYTES] for at in range(0, len(data), DATA_BYTES)] or [b""]
    for number, piece in enumerate(pieces, start=1):
        continued = unfinished or number < len(pieces)
        yield b"".join(
            (
                bytes([REPORT_ID, len(piece)]),
                identifier.ljust(3, b"\0"),
                piece.ljust(DATA_BYTES, b"\0"),
                bytes([0, 0, continued]),
            )
        )


def plain_reports(code: bytes) -> Iterator[bytes]:
    """A code of at most 255 bytes as reports of PLAIN_DESCRIPTOR: each says how many bytes are still to come."""
    for at in range(0, len(code), PLAIN_DATA_BYTES):
        piece = code[at : at + PLAIN_DATA_BYTES]
        yield bytes([REPORT_ID, len(code) - at]) + piece.ljust(PLAIN_DATA_BYTES, b"\0")
