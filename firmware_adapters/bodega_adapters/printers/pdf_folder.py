"""A printer that is a folder: every label becomes a PDF file there, for CUPS to watch, or for people to print.

A file appears whole, under a name that no other file has, or not at all. That it is there says nothing about paper, so
a label is `unknown` until its scan-back.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from bodega.errors import InvalidInput, Unavailable
from bodega.host.log import get_logger
from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.ports import PrinterAbilities, PrinterStatus, PrintReceipt, Recognition, Starting

log = get_logger(__name__)

_WIDTH_MM = 101
_DOTS_PER_MM = 12


class PdfFolderPrinter:
    """A `LabelPrinter` into a folder. Option: `path`, the folder, which must be there."""

    recognises: ClassVar = Recognition()
    abilities: ClassVar = PrinterAbilities("pdf", _DOTS_PER_MM, _WIDTH_MM, says_status=True, confirms=False)

    def __init__(self, name: str, path: str, *, clock: Callable[[], int] = wall_clock_ms) -> None:
        self.name = name
        self._folder = Path(path)
        self._clock = clock
        self._turn = asyncio.Lock()

    async def status(self) -> PrinterStatus:
        """Whether the folder is there and can be written; raises `Unavailable` if not."""
        if not (self._folder.is_dir() and os.access(self._folder, os.W_OK)):
            raise Unavailable(
                f"printer {self.name}: {self._folder} is no folder that can be written",
                hint="make it, or mount it",
            )
        return PrinterStatus(
            ready=True, paper_out=False, head_open=False, paused=False, queued_labels=0, detail="ready"
        )

    async def print_label(self, label: bytes, starting: Starting | None = None) -> PrintReceipt:
        """See LabelPrinter; the first byte is the file's name in the folder."""
        if not 0 < len(label) <= LABEL_BYTES_MAX:
            raise InvalidInput(f"a label of {len(label)} bytes is not between 1 and {LABEL_BYTES_MAX}")
        async with self._turn:
            receipt = await self._put(label, starting)
        log.info(
            "label_sent", device=self.name, outcome=receipt.outcome, detail=receipt.detail, bytes=len(label)
        )
        return receipt

    async def close(self) -> None:
        """Wait for the job in hand."""
        async with self._turn:
            return

    async def _put(self, label: bytes, starting: Starting | None) -> PrintReceipt:
        # The time makes files sort as they were printed; several programs may print here.
        name = f"{self.name}-{self._clock()}-{uuid4().hex[:12]}"
        hidden = self._folder / f".{name}.part"
        try:
            await asyncio.to_thread(_write, hidden, label)
        except OSError as error:
            return PrintReceipt("failed", f"{self._folder} can not be written: {error.strerror or error}")
        try:
            if starting is not None and not await starting():
                return PrintReceipt("failed", "taken back before its first byte")
            await asyncio.to_thread(_show, hidden, self._folder / f"{name}.pdf")
        except OSError as error:
            return PrintReceipt("unknown", f"{self._folder} can not be written: {error.strerror or error}")
        finally:
            hidden.unlink(missing_ok=True)
        return PrintReceipt("unknown", f"the file is in {self._folder}; nobody can say that it was printed")


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _show(hidden: Path, path: Path) -> None:
    os.link(hidden, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
