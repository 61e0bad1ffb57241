"""One order through the floor of a real node: scans in, ledger events, prompts and one label out.

The store, the rules, the printing service and the printer (a simulated one on a real TCP port) are the ones
that ship; only the camera's verdicts are scripted here.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bodega.core.lifecycles import PrintEvent
from bodega_adapters.ports import Scan
from bodega_adapters.printers.zpl_tcp import ZplTcpPrinter
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.pack.effects import Pack
from bodega_agent.services.floor import FloorService
from bodega_agent.services.inspecting import InspectingService
from bodega_agent.services.printing import PrintService
from bodega_agent.services.prompts import PromptBoard
from bodega_agent.services.stations import Station
from bodega_agent.store import labels
from bodega_agent.store.floor import effects
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from bodega_agent.vision.messages import InspectRequest, Verdict
from support.devices import eventually
from support.node_under_test import HubPen, opened_store, scan_text

DEVICE = "scanner-1"


@dataclass
class ScriptedEyes:
    """Answers with the next verdict of the script, then `pass` for ever."""

    script: list[str] = field(default_factory=list)
    asked: list[InspectRequest] = field(default_factory=list)

    async def inspect(self, request: InspectRequest) -> Verdict:
        self.asked.append(request)
        if self.script[:1] == ["never"]:
            await asyncio.Event().wait()
        outcome = self.script.pop(0) if self.script else "pass"
        reasons = () if outcome == "pass" else ("other_item: The camera sees another product.",)
        return Verdict(request.request_id, outcome, reasons, model="m@1", provider="cpu")


@dataclass
class Floor:
    """The floor of one node with a printer, and an associate's hand on its scanner."""

    store: Store
    hub: HubPen
    service: FloorService
    board: PromptBoard
    printer: SimulatedZplPrinter
    eyes: ScriptedEyes
    counter: Any = field(default_factory=lambda: itertools.count(1))

    async def scan(self, text: str, symbology: str = "]C0") -> dict[str, Any]:
        return await self.service.handle(
            Scan(text.encode(), text, symbology, DEVICE, next(self.counter), at_ms=0)
        )

    async def item(self, number: int) -> dict[str, Any]:
        return await self.scan(scan_text(number), "]E0")

    async def until(self, step: str) -> dict[str, Any]:
        """Watch the hand-held until it shows this step (news from camera and printer arrive by themselves)."""
        return await self._watch(lambda shown: shown["step"] == step)

    async def until_text(self, words: str) -> dict[str, Any]:
        """Watch the hand-held until it says this."""
        return await self._watch(lambda shown: words in " ".join([shown["text"], *shown["detail"]]))

    async def _watch(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(10):
            async for shown in self.board.watch(DEVICE):
                if wanted(shown):
                    return shown
        raise AssertionError("watch() ends only by time-out")

    async def facts(self) -> list[str]:
        return [row["fact"] for row in await self.store.read(lambda reader: reader.journal(limit=500))]


@asynccontextmanager
async def floor_of(
    folder: Path, *, verdicts: list[str] | None = None, vision: VisionMode = VisionMode.ADVISORY
) -> AsyncIterator[Floor]:
    printer = SimulatedZplPrinter()
    await printer.start()
    with opened_store(folder) as store:
        board = PromptBoard("boot-1")
        service = FloorService(store, board, present=lambda: {DEVICE}, vision=lambda: vision)
        driver = ZplTcpPrinter("zebra", printer.host, printer.port)
        printing = PrintService(store, [Station(driver)], service.label_changed)
        eyes = ScriptedEyes(verdicts or [])
        inspecting = InspectingService(store, service, eyes, "bench")
        service.on_print, service.on_inspect = printing.wake, inspecting.ask
        tasks = [asyncio.create_task(printing.run()), asyncio.create_task(inspecting.run())]
        try:
            yield Floor(store, HubPen(store), service, board, printer, eyes)
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await driver.close()
            await printer.close()


async def _stocked(floor: Floor, units: int) -> str:
    await floor.hub.profile()
    sku_id = await floor.hub.sku(1)
    await floor.scan("CMD-RECEIVE")
    await floor.scan(f"02{'0' + scan_text(1)}37{units}", "]C1")
    await floor.scan("CMD-DONE")
    await floor.scan("CMD-PUTAWAY")
    await floor.scan(f"02{'0' + scan_text(1)}37{units}", "]C1")
    await floor.scan("A-01-01")
    await floor.scan("CMD-DONE")
    return sku_id


async def test_an_order_is_picked_checked_packed_labelled_and_handed_over(tmp_path: Path) -> None:
    async with floor_of(tmp_path) as floor:
        sku_id = await _stocked(floor, 5)
        await floor.hub.fulfillment_order(1, (sku_id, 2))

        shown = await floor.scan("CMD-PICK")
        assert shown["expect"]["kind"] == "bin"
        assert shown["expect"]["values"] == ["A-01-01"]
        await floor.scan("A-01-01")
        await floor.item(1)
        await floor.item(1)
        await floor.until("pack")
        shown = await floor.scan("CMD-PACK")
        sscc = shown["expect"]["values"][0]
        await eventually(lambda: floor.printer.labels)
        await floor.scan(f"00{sscc}", "]C1")
        await floor.scan("CMD-HANDOVER")
        await floor.scan(f"00{sscc}", "]C1")
        await floor.scan("CMD-DONE")

        orders = await floor.store.read(Reader.orders)
        assert [(order["state"], order["sscc"]) for order in orders] == [("shipped", sscc)]
        assert [label.sscc for label in floor.printer.labels] == [sscc]
        stock = await floor.store.read(Reader.stock)
        assert [(row["bin"], row["quantity"]) for row in stock] == [("A-01-01", 3)]
        assert (await floor.store.read(Reader.verify))["ok"]
        assert floor.eyes.asked
        assert "vision_decision" in await floor.facts()


async def test_every_scan_is_answered_and_counted_also_the_wrong_ones(tmp_path: Path) -> None:
    async with floor_of(tmp_path) as floor:
        sku_id = await _stocked(floor, 5)
        await floor.hub.fulfillment_order(1, (sku_id, 1))
        started = await floor.scan("CMD-PICK")
        wrong_bin = await floor.scan("B-02-01")
        nonsense = await floor.scan("what is this")
        damaged = await floor.scan("4006381333932", "]E0")

        numbers = [shown["scan_no"] for shown in (started, wrong_bin, nonsense, damaged)]
        assert numbers == list(range(numbers[0], numbers[0] + 4))
        assert {shown["tone"] for shown in (wrong_bin, nonsense, damaged)} == {"error"}
        assert "pick" not in [row["cmd_id"] for row in await floor.store.read(lambda r: r.journal())]
        assert (await floor.store.read(Reader.stock))[0]["quantity"] == 5


async def test_a_blocking_camera_doubts_and_a_second_look_or_a_person_settles_it(tmp_path: Path) -> None:
    async with floor_of(tmp_path, verdicts=["fail", "pass"], vision=VisionMode.BLOCKING) as floor:
        sku_id = await _stocked(floor, 5)
        await floor.hub.fulfillment_order(1, (sku_id, 1))
        await floor.scan("CMD-PICK")
        await floor.scan("A-01-01")
        await floor.item(1)
        await floor.until_text("doubts")
        await floor.item(1)
        await floor.until("pack")

        stock = {row["bin"]: row["quantity"] for row in await floor.store.read(Reader.stock)}
        assert stock == {"A-01-01": 4, "STAGE-FO-1": 1}, "showing it again moves nothing"


async def test_a_check_that_a_crash_left_unanswered_holds_nobody_up_for_ever(tmp_path: Path) -> None:
    async with floor_of(tmp_path, verdicts=["never"], vision=VisionMode.BLOCKING) as floor:
        sku_id = await _stocked(floor, 5)
        await floor.hub.fulfillment_order(1, (sku_id, 1))
        await floor.scan("CMD-PICK")
        await floor.scan("A-01-01")
        await floor.item(1)
        await eventually(lambda: floor.eyes.asked)
    async with floor_of(tmp_path, vision=VisionMode.BLOCKING) as floor:
        await floor.until_text("doubts")
        shown = await floor.scan("CMD-ACCEPT")
        assert shown["expect"]["values"] == ["CMD-PACK"]


async def test_the_session_survives_a_restart_in_the_middle_of_a_pick(tmp_path: Path) -> None:
    async with floor_of(tmp_path) as floor:
        sku_id = await _stocked(floor, 5)
        await floor.hub.fulfillment_order(1, (sku_id, 3))
        await floor.scan("CMD-PICK")
        await floor.scan("A-01-01")
        await floor.item(1)
    async with floor_of(tmp_path) as floor:
        shown = await floor.service.greet(DEVICE)
        assert shown["step"] == "pick_item"
        assert shown["expect"]["quantity"] == 2


async def test_an_empty_shelf_is_counted_down_and_the_order_goes_back_to_the_hub(tmp_path: Path) -> None:
    async with floor_of(tmp_path) as floor:
        sku_id = await _stocked(floor, 2)
        await floor.hub.fulfillment_order(1, (sku_id, 2))
        await floor.scan("CMD-PICK")
        await floor.scan("A-01-01")
        await floor.scan("CMD-SHORT")
        await floor.scan("missing")

        orders = await floor.store.read(Reader.orders)
        assert orders[0]["state"] == "handed_back"
        assert orders[0]["lines"][0]["short"] == 2
        assert await floor.store.read(Reader.stock) == []
        assert "discrepancy_opened" in await floor.facts()
        assert (await floor.store.read(Reader.verify))["ok"]


async def test_a_label_in_doubt_after_a_restart_is_said_on_the_hand_held(tmp_path: Path) -> None:
    async with floor_of(tmp_path) as floor:
        sku_id = await _stocked(floor, 5)
        floor.printer.answer_status = False  # the job is sent, and nobody says what became of it
        await floor.hub.fulfillment_order(1, (sku_id, 1))
        for text in ("CMD-PICK", "A-01-01"):
            await floor.scan(text)
        await floor.item(1)
        await floor.until("pack")
        await floor.store.write(_pack_and_send)
    async with floor_of(tmp_path) as floor:
        await floor.until_text("CMD-REPRINT")
        assert [job["state"] for job in await floor.store.read(Reader.labels)] == ["unknown"]


def _pack_and_send(tx: Transaction) -> None:
    """What the agent has done when the power fails in mid-print: packed, queued, `sent` on the disk."""
    context = Context("cmd-1", device=DEVICE)
    effects.execute(tx, context, Pack("FO-1", labels.peek_sscc(tx)))
    job = labels.next_queued(tx)
    assert job is not None
    labels.advance(tx, context, job, PrintEvent.SEND)
