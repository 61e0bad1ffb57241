"""Helpers around devices: waiting for a fact, collecting scans, pictures in bytes."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bodega_adapters.ports import Scan, Scanner


async def eventually(condition: Callable[[], object], within_s: float = 60.0) -> None:
    """Wait until the condition holds; the test fails by TimeoutError if it never does."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  the facts waited for are in devices, which set no event
            await asyncio.sleep(0.002)


class Listener:
    """Collects what a scanner yields."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.scans: list[Scan] = []
        self.ended = False

    async def run(self) -> None:
        async for scan in self.scanner.scans():
            self.scans.append(scan)
        self.ended = True

    async def wait_for(self, count: int) -> list[Scan]:
        await eventually(lambda: len(self.scans) >= count)
        return self.scans


@asynccontextmanager
async def listening(scanner: Scanner) -> AsyncIterator[Listener]:
    """Consume the scanner in a task of its own; close it at the end and demand that its stream ends too."""
    listener = Listener(scanner)
    task = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        await scanner.close()
        async with asyncio.timeout(30):
            await task


def png(width: int = 4, height: int = 3, rgb: tuple[int, int, int] = (255, 0, 0)) -> bytes:
    """A PNG of one colour, made without any imaging library."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = (b"\x00" + bytes(rgb) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts
