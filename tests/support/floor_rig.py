"""The floor of one real node for a story: its store, its rules, its service; a hub's pen, and a person's hand.

`lived_through_crashes` plays a story once as it is, and then again and again with a crash at every scan: nothing that
was answered may be lost, and the end must be the same.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bodega.codec import parse_node_event
from bodega.core.commands import decode
from bodega.core.deadline import BootTime
from bodega.core.ledger import Account
from bodega.core.lifecycles import PrintEvent
from bodega_adapters.ports import Scan
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.services.floor import FloorService
from bodega_agent.services.prompts import PromptBoard
from bodega_agent.store import commands, labels
from bodega_agent.store.clock import boot_time
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support.node_under_test import HubPen, opened_store, scan_text

DEVICE = "scanner-1"
CODE_128 = "]C0"
GS1_128 = "]C1"
EAN = "]E0"

Prompt = dict[str, Any]
Story = Callable[["FloorRig"], Awaitable[None]]


@dataclass
class FloorRig:
    """`crash_at`: the scan, counted from 1, that a crash follows (or precedes, if `lost`)."""

    folder: Path
    crash_at: int = 0
    lost: bool = False
    present: Collection[str] = (DEVICE, "scanner-2")
    vision: VisionMode = VisionMode.OFF
    scans: int = 0
    clock: Callable[[], BootTime] = boot_time
    _open: ExitStack = field(default_factory=ExitStack)
    _counter: Any = field(default_factory=lambda: itertools.count(1))
    _boots: Any = field(default_factory=lambda: itertools.count(1))

    def start(self) -> None:
        """The agent starts on what the ledger file holds."""
        boot = next(self._boots)
        self.store: Store = self._open.enter_context(
            opened_store(self.folder, now_ms=lambda: 1_800_000_000_000 + self.scans, clock=self.clock)
        )
        self.board = PromptBoard(f"boot-{boot}")
        self.service = FloorService(
            self.store, self.board, present=lambda: self.present, vision=lambda: self.vision
        )
        if boot == 1:
            self.hub = HubPen(self.store)
        self.hub._store = self.store  # the pen goes on where it was, at the same node

    async def crash(self) -> None:
        """All that is in memory is gone."""
        self._open.close()
        self._open = ExitStack()
        self.start()

    def stop(self) -> None:
        """Close the ledger."""
        self._open.close()

    async def scan(self, text: str, symbology: str = CODE_128, *, device: str = DEVICE) -> Prompt:
        """A scan and its answer; what a crash took is asked for again, as a person would."""
        self.scans += 1
        now = self.scans == self.crash_at
        if now and self.lost:
            await self.crash()
        scan = Scan(text.encode(), text, symbology, device, next(self._counter), at_ms=0)
        answer = await self.service.handle(scan)
        if now and not self.lost:
            await self.crash()
            await self.service.greet(device)
        return answer

    async def item(self, number: int, *, device: str = DEVICE) -> Prompt:
        """Scan the EAN-13 of product `number`."""
        return await self.scan(scan_text(number), EAN, device=device)

    async def parcel(self, sscc: str, *, device: str = DEVICE) -> Prompt:
        """Scan the label of a parcel."""
        return await self.scan(f"00{sscc}", GS1_128, device=device)

    async def prompt(self, device: str = DEVICE) -> Prompt:
        """What the device shows, as a restart would show it."""
        return await self.service.greet(device)

    async def play(self, *texts: str, device: str = DEVICE) -> Prompt:
        """Scan one after another; the last answer."""
        for text in texts:
            shown = await self.scan(text, device=device)
        return shown

    async def printed(self, sscc: str) -> None:
        """The printer has printed this parcel's newest label."""

        def job(tx: Transaction) -> None:
            for event in (PrintEvent.SEND, PrintEvent.CONFIRM):
                newest = labels.latest_for(tx, sscc)
                assert newest is not None, f"no label of {sscc} was asked for"
                labels.advance(tx, Context("printer", actor="system"), newest, event)

        await self.store.write(job)

    async def stock(self, sku_id: str, bin_id: str, quantity: int, lot: str = "") -> None:
        """Units that were on a shelf when the story begins."""
        goods = {"sku_id": sku_id, "quantity": quantity} | ({"lot": lot} if lot else {})
        await self.command({"command": "receive", **goods})
        await self.command({"command": "put_away", "to_bin_id": bin_id, **goods})

    async def command(self, body: dict[str, Any]) -> None:
        """A ledger command of the office."""
        command = decode({"cmd_id": f"rig-{next(self._counter)}", **body})
        await self.store.write(lambda tx: commands.run(tx, Context(command.cmd_id, "office"), command))

    async def balances(self) -> dict[Account, int]:
        """Every account that is not zero."""

        def read(reader: Any) -> dict[Account, int]:
            rows = reader.rows("SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance")
            return {
                Account(r["sku_id"], r["bin"], r["disposition"], r["lot"], r["owner"], r["external"]): r[
                    "quantity"
                ]
                for r in rows
                if r["quantity"]
            }

        return await self.store.read(read)

    async def held(self, bin_id: str, sku_id: str) -> int:
        """Units of a SKU at one place, in whatever disposition."""
        return sum(n for a, n in (await self.balances()).items() if (a.bin, a.sku_id) == (bin_id, sku_id))

    async def facts(self, name: str) -> list[Any]:
        """Every fact of this name in the journal, oldest first, as messages."""

        def job(tx: Transaction) -> list[Any]:
            rows = tx.execute("SELECT body FROM journal WHERE fact = ? ORDER BY seq", (name,))
            return [getattr(parse_node_event(row[0]), name) for row in list(rows)]

        return await self.store.write(job)

    async def actors(self) -> list[tuple[str, str]]:
        """(actor, device) of every event in the journal, oldest first."""

        def job(tx: Transaction) -> list[tuple[str, str]]:
            rows = tx.execute("SELECT body FROM journal ORDER BY seq")
            return [(event.actor, event.device) for row in list(rows) for event in [parse_node_event(row[0])]]

        return await self.store.write(job)

    async def end(self) -> tuple[dict[Account, int], list[str]]:
        """How the story has ended: the stock, and which facts were recorded, in order."""

        def job(tx: Transaction) -> list[str]:
            return [row[0] for row in tx.execute("SELECT fact FROM journal ORDER BY seq")]

        return await self.balances(), await self.store.write(job)


@asynccontextmanager
async def floor_rig(
    folder: Path, *, crash_at: int = 0, lost: bool = False, vision: VisionMode = VisionMode.OFF
) -> AsyncIterator[FloorRig]:
    """A node that has just started; empty but for what the story brings."""
    rig = FloorRig(folder, crash_at, lost, vision=vision)
    rig.start()
    try:
        yield rig
    finally:
        rig.stop()


async def lived_through_crashes(story: Story) -> int:
    """Play a story with a crash at each of its scans, after it and before it; how many scans it has."""
    expected, scans = await _played(story, 0, lost=False)
    assert scans, "a story without a scan shows nothing"
    for number in range(1, scans + 1):
        for lost in (False, True):
            ended, _ = await _played(story, number, lost=lost)
            assert ended == expected, f"a crash {'before' if lost else 'after'} scan {number} changed the end"
    return scans


async def _played(
    story: Story, crash_at: int, *, lost: bool
) -> tuple[tuple[dict[Account, int], list[str]], int]:
    with TemporaryDirectory() as folder:
        async with floor_rig(Path(folder), crash_at=crash_at, lost=lost) as rig:
            await story(rig)
            return await rig.end(), rig.scans
