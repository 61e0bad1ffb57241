"""A JPEG picture as RTP packets (RFC 3550, RFC 2435), for cameras that are simulated. PURE."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PAYLOAD_JPEG = 26
CLOCK_HZ = 90_000
# RFC 2435, 3.1.5: width and height are sent in units of eight pixels, in one byte each.
SIDE_PX_MAX = 2040
_PACKET_BYTES = 1200
_TYPE_420 = 1
_TABLES_IN_BAND = 255
_DQT, _SOS = 0xDB, 0xDA
_SOURCE = 0xB0DE6A


@dataclass(frozen=True, slots=True)
class Jpeg:
    """What RTP sends of a picture: quantization tables (64 bytes each) and entropy-coded data."""

    tables: bytes
    scan: bytes


def parse_jpeg(content: bytes) -> Jpeg:
    """The parts of a baseline JPEG with 8-bit tables; ValueError for anything else."""
    if content[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG")
    tables, at = {}, 2
    while at + 4 <= len(content):
        marker, size = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at + 4 : at + 2 + size]
        if marker == _DQT:
            for start in range(0, len(segment), 65):
                tables[segment[start]] = segment[start + 1 : start + 65]
        if marker == _SOS:
            return Jpeg(b"".join(tables[key] for key in sorted(tables)), content[at + 2 + size : -2])
        at += 2 + size
    raise ValueError("a JPEG without picture data")


def packets(jpeg: Jpeg, width: int, height: int, *, sequence: int, timestamp: int) -> Iterator[bytes]:
    """RTP packets of one 4:2:0 picture, the last with the marker bit; `sequence` is that of the first.

    Width and height are multiples of 8, at most `SIDE_PX_MAX`; `timestamp` counts `CLOCK_HZ`.
    """
    for number, offset in enumerate(range(0, len(jpeg.scan), _PACKET_BYTES)):
        chunk = jpeg.scan[offset : offset + _PACKET_BYTES]
        is_last = offset + len(chunk) == len(jpeg.scan)
        header = struct.pack(
            ">BBHII",
            0x80,
            PAYLOAD_JPEG | (0x80 if is_last else 0),
            (sequence + number) & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            _SOURCE,
        )
        place = struct.pack(">I", offset) + bytes((_TYPE_420, _TABLES_IN_BAND, width // 8, height // 8))
        tables = b"" if offset else struct.pack(">HH", 0, len(jpeg.tables)) + jpeg.tables
        yield header + place + tables + chunk
