"""The print service: who prints what, what can never be printed, and what a person decides about a doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from bodega.core.lifecycles import PrintState
from bodega.errors import NotFound, Refused
from bodega_adapters.labels.document import LabelDocument
from bodega_adapters.ports import PrinterAbilities, PrintReceipt, Starting
from bodega_adapters.printers.zpl_tcp import ZplTcpPrinter
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter
from bodega_agent.services.printing import PrintService
from bodega_agent.services.stations import LABELS, RECEIPTS, Station
from bodega_agent.store import labels, work
from bodega_agent.store.floor import effects
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction
from support import asks as ask
from support.devices import eventually
from support.node_under_test import opened_store
from support.worked_order import CONTEXT, FO, bring_to, node_with_work


class RashPrinter(ZplTcpPrinter):
    """A driver of somebody else that forgets to ask before it prints."""

    async def print_label(self, label: bytes, starting: Starting | None = None) -> PrintReceipt:
        """Print at once."""
        return await super().print_label(label)


class TillPrinter(ZplTcpPrinter):
    """It says that it prints receipts only."""

    abilities = PrinterAbilities("escpos", 8, 72, says_status=True, confirms=False)

    def __init__(self, name: str, host: str, port: int) -> None:
        super().__init__(name, host, port)
        self.abilities = TillPrinter.abilities


@dataclass
class Shop:
    """A node with one packed parcel, and printers."""

    store: Store
    devices: list[SimulatedZplPrinter]
    service: PrintService
    told: list[PrintState] = field(default_factory=list)
    may_hear: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def out(self) -> list[int]:
        """How many labels came out of each printer."""
        return [len(device.labels) for device in self.devices]

    async def pack(self) -> str:
        """The parcel's label is queued."""
        if (await self.store.write(lambda tx: work.find(tx, FO))).state == "assigned":
            await self.store.write(lambda tx: bring_to(tx, "packed"))
        self.service.wake()
        return (await self.store.write(lambda tx: work.find(tx, FO))).sscc

    async def pack_with(self, document: LabelDocument) -> str:
        """As `pack`, with another document than the parcel's own; no printer has it before it is so."""

        def pack(tx: Transaction) -> None:
            bring_to(tx, "packed")
            write_into_queued(tx, document)

        await self.store.write(pack)
        return await self.pack()

    async def job(self) -> labels.PrintJob:
        """The newest job of the parcel."""
        order = await self.store.write(lambda tx: work.find(tx, FO))
        job = await self.store.write(lambda tx: labels.latest_for(tx, order.sscc))
        assert job is not None
        return job

    async def until(self, state: PrintState) -> labels.PrintJob:
        """Wait for news of the label."""
        await eventually(lambda: state in self.told)
        return await self.job()


def write_into_queued(tx: Transaction, document: LabelDocument) -> None:
    tx.execute("UPDATE print_job SET document = ? WHERE state = 'queued'", (document.to_bytes(),))


Make = Callable[[str, str, int], ZplTcpPrinter]


def usual(name: str, host: str, port: int) -> ZplTcpPrinter:
    return ZplTcpPrinter(name, host, port, connect_s=2.0, status_s=0.5, done_s=2.0)


@asynccontextmanager
async def shop(folder: Path, *printers: tuple[Make, str]) -> AsyncIterator[Shop]:
    devices = [SimulatedZplPrinter() for _ in printers]
    for device in devices:
        await device.start()
    with opened_store(folder) as store:
        await node_with_work(store)
        told: list[PrintState] = []
        may_hear = asyncio.Event()
        may_hear.set()

        async def changed(_order: str, _sscc: str, state: PrintState) -> None:
            told.append(state)
            await may_hear.wait()

        stations = [
            Station(make(f"printer-{number}", device.host, device.port), prints)
            for number, ((make, prints), device) in enumerate(zip(printers, devices, strict=True))
        ]
        service = PrintService(store, stations, changed)
        task = asyncio.create_task(service.run())
        try:
            yield Shop(store, devices, service, told, may_hear)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await service.close()
            for device in devices:
                await device.close()


TWO = ((usual, LABELS), (usual, LABELS))
FINISHED = LabelDocument("zpl", content=b"^XA^FO9,9^FDfinished^FS^XZ")


async def test_the_first_printer_of_its_kind_prints_and_the_ledger_says_which(tmp_path: Path) -> None:
    async with shop(tmp_path, (usual, RECEIPTS), *TWO) as node:
        await node.pack()
        await node.until(PrintState.CONFIRMED)
        assert node.out == [0, 1, 0]
        texts = await node.store.read(lambda reader: reader.journal(limit=100))
        assert any(b"sent to printer-1" in row["body"] for row in texts)


async def test_another_printer_stands_in_for_one_without_paper_and_only_as_long(tmp_path: Path) -> None:
    async with shop(tmp_path, *TWO) as node:
        node.devices[0].paper_out = True
        sscc = await node.pack()
        await node.until(PrintState.CONFIRMED)
        assert node.out == [0, 1]
        node.devices[0].paper_out = False
        await eventually(lambda: not node.service.stations[0].is_out)
        node.told.clear()
        await node.store.write(lambda tx: labels.reprint(tx, CONTEXT, sscc, "torn"))
        node.service.wake()
        await node.until(PrintState.CONFIRMED)
        assert node.out == [1, 1]


async def test_a_printer_that_does_not_answer_is_missed_three_times_before_another_stands_in(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path, *TWO) as node:
        first = node.service.stations[0]
        first.missed("no answer")
        first.missed("no answer")
        assert not first.is_out
        await node.devices[0].power_off()
        await node.pack()
        await node.until(PrintState.CONFIRMED)
        assert node.out == [0, 1]
        assert first.misses >= 3


async def test_a_doubt_at_one_printer_is_never_printed_by_another(tmp_path: Path) -> None:
    async with shop(tmp_path, *TWO) as node:
        node.devices[0].labels_on_roll = 0
        await node.pack()
        job = await node.until(PrintState.UNKNOWN)
        assert "paper out" in job.detail
        node.service.wake()
        await eventually(lambda: not node.service.stations[1].work.is_set())
        assert node.out == [0, 0]


async def test_what_does_not_fit_is_failed_before_any_byte_and_tried_again_when_it_is_mended(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path, (usual, LABELS)) as node:
        sscc = await node.pack_with(LabelDocument("no-such-layout"))
        job = await node.until(PrintState.FAILED)
        assert "no-such-layout" in job.detail
        assert node.out == [0]
        again = await node.store.write(lambda tx: labels.retry(tx, CONTEXT, sscc))
        assert (again.copy, again.state) == (2, PrintState.QUEUED)
        assert "no-such-layout" in again.detail
        node.service.wake()
        await node.until(PrintState.CONFIRMED)
        assert node.out == [1]
        with pytest.raises(Refused, match="has not failed"):
            await node.store.write(lambda tx: labels.retry(tx, CONTEXT, sscc))


async def test_a_job_that_fits_another_printer_goes_there(tmp_path: Path) -> None:
    async with shop(tmp_path, (TillPrinter, LABELS), (usual, LABELS)) as node:
        await node.pack_with(FINISHED)
        await node.until(PrintState.CONFIRMED)
        assert node.out == [0, 1]


async def test_it_goes_there_however_late_that_printer_looks(tmp_path: Path) -> None:
    async with shop(tmp_path, (TillPrinter, LABELS), (usual, LABELS)) as node:
        till, other = node.service.stations
        node.may_hear.clear()
        sscc = await node.pack_with(FINISHED)
        await node.until(PrintState.CONFIRMED)
        # The other printer is held up in telling the floor, while the till finds out that it can not print this one.
        await node.store.write(lambda tx: labels.reprint(tx, CONTEXT, sscc, "torn"))
        await node.store.write(lambda tx: write_into_queued(tx, FINISHED))
        till.work.set()
        await eventually(lambda: other.work.is_set() and not till.work.is_set())
        await node.store.write(lambda _tx: None)
        node.told.clear()
        node.may_hear.set()
        await node.until(PrintState.CONFIRMED)
        assert node.out == [0, 2]
        await eventually(lambda: not till.work.is_set())
        till.work.set()
        await eventually(lambda: not till.unfit)


async def test_a_driver_that_prints_without_asking_leaves_no_second_label(tmp_path: Path) -> None:
    async with shop(tmp_path, (RashPrinter, LABELS)) as node:
        await node.pack()
        job = await node.until(PrintState.CONFIRMED)
        assert (job.copy, node.out) == (1, [1])
        node.service.wake()
        await eventually(lambda: not node.service.stations[0].work.is_set())
        assert node.out == [1]


async def test_the_same_parcel_and_copy_are_never_queued_twice(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, "packed"))
        sscc = (await store.write(lambda tx: work.find(tx, FO))).sscc
        with pytest.raises(apsw.ConstraintError):
            await store.write(lambda tx: labels._queue(tx, CONTEXT, FO, sscc, b"again"))
        with pytest.raises(Refused):
            await store.write(lambda tx: labels.reprint(tx, CONTEXT, sscc, "impatient"))
        assert [job["print_job_id"] for job in await store.read(Reader.labels)] == [f"{sscc}-1"]


async def test_who_has_seen_a_label_in_doubt_says_so_and_it_is_not_printed_again(tmp_path: Path) -> None:
    async with shop(tmp_path, (usual, LABELS)) as node:
        node.devices[0].answer_status = False
        sscc = await node.pack()
        await node.until(PrintState.UNKNOWN)
        job = await node.store.write(lambda tx: labels.seen(tx, CONTEXT, sscc))
        assert (job.state, job.detail) == (PrintState.CONFIRMED, "seen by ana")
        with pytest.raises(Refused, match="not in doubt"):
            await node.store.write(lambda tx: labels.seen(tx, CONTEXT, sscc))
        with pytest.raises(NotFound):
            await node.store.write(lambda tx: labels.seen(tx, CONTEXT, "395212340000000998"))
        assert node.out == [1]


async def test_a_printer_that_lies_is_believed_and_the_parcel_still_needs_its_label_scanned(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path, (usual, LABELS)) as node:
        node.devices[0].blank_labels = 1
        await node.pack()
        job = await node.until(PrintState.CONFIRMED)
        assert node.out == [0]
        order = await node.store.write(lambda tx: work.find(tx, FO))
        # Nothing can be handed over before somebody has scanned the label from the parcel.
        assert order.state == "packed"
        with pytest.raises(Refused):
            await node.store.write(lambda tx: effects.execute(tx, CONTEXT, ask.HandOver(FO, order.sscc)))
        again = await node.store.write(
            lambda tx: labels.reprint(tx, CONTEXT, job.sscc, "the printer fed a blank label")
        )
        assert again.copy == 2
        node.told.clear()
        node.service.wake()
        await node.until(PrintState.CONFIRMED)
        assert node.out == [1]
