"""Drivers that do what their port forbids, each in its own way, as a foreign package might bring them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from bodega_adapters.ports import (
    PrinterAbilities,
    PrinterStatus,
    PrintReceipt,
    Recognition,
    ScaleAbilities,
    Scan,
    ScannerAbilities,
    Starting,
    Weight,
)
from bodega_adapters.scanning import make_scan


class OddScanner:
    """A scanner whose every life is one of `lives`: what it yields, raises, or waits for."""

    recognises = Recognition()
    abilities = ScannerAbilities(aim=False, keeps_gs=False)

    def __init__(self, name: str, lives: list[list[object]]) -> None:
        self.name = name
        self.connected = True
        self.closed = 0
        self._lives = lives
        self._count = 0

    async def scans(self) -> AsyncIterator[Any]:
        life = self._lives.pop(0) if self._lives else ["forever"]
        for what in life:
            if isinstance(what, BaseException):
                raise what
            if what == "forever":
                await asyncio.Event().wait()
            self._count += 1
            yield self._made(what)

    def _made(self, what: object) -> object:
        if not isinstance(what, bytes):
            return what
        return make_scan(what, device="somebody else", counter=self._count, at_ms=1)

    async def close(self) -> None:
        self.closed += 1


class HangingScanner(OddScanner):
    """Never lets go."""

    async def close(self) -> None:
        await asyncio.Event().wait()


class OddScale:
    """A scale whose every answer is the next of `answers`."""

    recognises = Recognition()
    abilities = ScaleAbilities(says_unstable=True, tares=True)

    def __init__(self, name: str, answers: list[object]) -> None:
        self.name = name
        self._answers = answers

    async def weigh(self, *, stable: bool = True) -> Any:
        answer = self._answers.pop(0) if self._answers else 5
        if isinstance(answer, BaseException):
            raise answer
        if answer == "forever":
            await asyncio.Event().wait()
        if isinstance(answer, int):
            return Weight(answer, stable, "", self.name, 1)
        return answer

    async def zero(self) -> None:
        return

    async def tare(self) -> None:
        return

    async def close(self) -> None:
        return


class Floor:
    """Who the scans go to."""

    def __init__(self) -> None:
        self.scans: list[Scan] = []

    async def greet(self, _device: str) -> None:
        return

    async def handle(self, scan: Scan) -> None:
        self.scans.append(scan)

    def texts(self, device: str) -> list[str]:
        return [scan.text for scan in self.scans if scan.device == device]


class OddPrinter:
    """A printer whose every job ends as the next of `ends` says; `printed` is what came out of it."""

    recognises = Recognition()

    def __init__(self, name: str, ends: list[object]) -> None:
        self.name = name
        self.printed: list[bytes] = []
        self.abilities: Any = PrinterAbilities("zpl", 8, 101, says_status=True, confirms=True)
        self._ends = ends

    async def status(self) -> PrinterStatus:
        return PrinterStatus(
            ready=True, paper_out=False, head_open=False, paused=False, queued_labels=0, detail="ready"
        )

    async def print_label(self, label: bytes, starting: Starting | None = None) -> Any:
        if starting is not None and not await starting():
            return PrintReceipt("failed", "taken back")
        self.printed.append(label)
        end = self._ends.pop(0) if self._ends else PrintReceipt("confirmed", "printed")
        if isinstance(end, BaseException):
            raise end
        if end == "forever":
            await asyncio.Event().wait()
        return end

    async def close(self) -> None:
        return
