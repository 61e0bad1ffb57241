"""Rule duplicate_scan@1 on a real store: the device's own counter tells a scan from its repeat, also after a crash."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bodega.core.conflicts.duplicate_scan import ScanNumber, is_repeat
from bodega_adapters.ports import Scan
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.services.floor import FloorService
from bodega_agent.services.prompts import PromptBoard
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from support.node_under_test import HubPen, gtin, opened_store, scan_text

TEA, CAMERA = 1, 2
OWN = "hand-held-7"


class HandHeld:
    """A device that counts its own scans, at the floor of a real store; a new one of these is a restart."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.floor = FloorService(
            store, PromptBoard("boot"), present=lambda: {"s1"}, vision=lambda: VisionMode.OFF
        )

    async def send(self, number: int, text: str, *, counter: str = OWN, device: str = "s1") -> dict[str, Any]:
        scan = Scan(text.encode(), text, None, device, number, at_ms=number, counter_name=counter)
        return await self.floor.handle(scan)

    async def on_dock(self) -> int:
        rows = await self.store.read(Reader.stock)
        return sum(row["quantity"] for row in rows if row["bin"] == "DOCK")

    async def events(self) -> int:
        return (await self.store.head()).seq


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    with opened_store(folder) as store:
        yield store


async def stocked(store: Store) -> HandHeld:
    pen = HubPen(store)
    await pen.profile()
    await pen.sku_of("TEA", TEA)
    await pen.sku_of("CAMERA", CAMERA, serial_tracked=True)
    return HandHeld(store)


@pytest.mark.parametrize(
    ("scan", "repeats"),
    [(("a", 4), False), (("a", 3), True), (("a", 1), True), (("b", 3), False), (("b", 1), False)],
)
def test_only_an_old_number_of_the_same_counter_is_a_repeat(scan: tuple[str, int], repeats: bool) -> None:
    assert is_repeat(ScanNumber(*scan), ScanNumber("a", 3)) is repeats


async def test_a_scan_sent_again_is_one_scan_and_gets_the_same_answer(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        held = await stocked(store)
        await held.send(1, "CMD-RECEIVE")
        first = await held.send(2, scan_text(TEA))
        events = await held.events()
        again = await held.send(2, scan_text(TEA))
        assert (again["tone"], again["text"]) == (first["tone"], first["text"])
        assert (await held.on_dock(), await held.events()) == (1, events)


async def test_two_boxes_of_one_product_are_two_scans(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        held = await stocked(store)
        await held.send(1, "CMD-RECEIVE")
        for number in (2, 3):
            await held.send(number, scan_text(TEA))
        assert await held.on_dock() == 2


async def test_a_repeat_is_known_after_a_restart_with_its_answer(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        held = await stocked(store)
        await held.send(1, "CMD-RECEIVE")
        first = await held.send(2, scan_text(TEA))
    with opened(tmp_path) as store:
        held = HandHeld(store)
        again = await held.send(2, scan_text(TEA))
        assert (again["text"], again["step"]) == (first["text"], first["step"])
        assert await held.on_dock() == 1
        older = await held.send(1, "CMD-RECEIVE")
        assert older["text"].startswith("That scan was taken already.")
        await held.send(3, scan_text(TEA))
        assert await held.on_dock() == 2
        repeats = await store.write(lambda tx: tx.one("SELECT repeats FROM device_counter"))
        assert repeats == (2,)


async def test_a_driver_that_counts_from_one_with_every_start_loses_no_scan(tmp_path: Path) -> None:
    for _start in range(2):
        with opened(tmp_path) as store:
            held = await stocked(store)
            numbers = itertools.count(1)
            await held.send(next(numbers), "CMD-CANCEL", counter="")
            await held.send(next(numbers), "CMD-RECEIVE", counter="")
            await held.send(next(numbers), scan_text(TEA), counter="")
    with opened(tmp_path) as store:
        assert await HandHeld(store).on_dock() == 2


async def test_devices_count_apart(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        held = await stocked(store)
        for device in ("s1", "s2"):
            await held.send(1, "CMD-RECEIVE", device=device)
            await held.send(2, scan_text(TEA), device=device)
        assert await held.on_dock() == 2


async def test_a_serial_that_lies_on_the_dock_already_is_nothing_new_and_no_error(tmp_path: Path) -> None:
    unit = f"\x1d01{gtin(CAMERA)}21S1"
    with opened(tmp_path) as store:
        held = await stocked(store)
        await held.send(1, "CMD-RECEIVE")
        await held.send(2, unit)
        events = await held.events()
        shown = await held.send(3, unit)
        assert (shown["tone"], "S1 is on the dock already" in shown["text"]) == ("ok", True)
        assert (await held.on_dock(), await held.events()) == (1, events)
        await held.send(4, "CMD-DONE")
        await held.send(5, "CMD-PUTAWAY")
        await held.send(6, unit)
        await held.send(7, "A-01-01")
        await held.send(8, "CMD-DONE")
        await held.send(9, "CMD-RECEIVE")
        shown = await held.send(10, unit)
        assert shown["tone"] == "error"
        assert "S1 is in A-01-01 by the book: nothing was received" in shown["text"]
