"""What every label printer driver must do: above all, no second label, whatever happens.

"failed" may be tried again, "refused" is mended first, "unknown" is never tried, "confirmed" is done. A new driver adds
a rig to support/printer_rigs.py and passes this file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bodega.errors import InvalidInput, Unavailable
from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.ports import LabelPrinter
from bodega_adapters.registry import PRINTERS
from support.devices import eventually
from support.printer_rigs import RIGS, PrinterRig

Rig = tuple[PrinterRig, LabelPrinter]


@pytest.fixture(params=sorted(RIGS))
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    device = RIGS[request.param](request.param, tmp_path)
    await device.start()
    printer = device.open()
    yield device, printer
    await printer.close()
    await device.close()


def success(printer: LabelPrinter) -> str:
    """Who can not confirm must not: what was sent is in doubt."""
    return "confirmed" if printer.abilities.confirms else "unknown"


def test_every_shipped_driver_is_under_contract() -> None:
    assert set(RIGS) == set(PRINTERS)


async def test_it_prints_exactly_these_bytes_once_and_says_what_it_can_know(rig: Rig) -> None:
    device, printer = rig
    receipt = await printer.print_label(device.job(1))
    assert receipt.outcome == success(printer)
    assert receipt.detail
    await eventually(device.printed)
    assert device.printed() == [device.job(1)]


async def test_job_after_job_comes_out_once_each(rig: Rig) -> None:
    device, printer = rig
    jobs = [device.job(serial) for serial in range(1, 6)]
    assert [(await printer.print_label(job)).outcome for job in jobs] == [success(printer)] * 5
    assert sorted(device.printed()) == sorted(jobs)


async def test_it_says_what_it_recognises_and_what_it_can_do(rig: Rig) -> None:
    _, printer = rig
    known = printer.recognises
    assert known.subsystem in ("", "tty", "usbmisc")
    assert printer.abilities.language in ("zpl", "escpos", "pdf")
    assert printer.abilities.dots_per_mm in (8, 12)
    assert printer.abilities.width_mm > 0


async def test_a_printer_that_is_off_fails_and_prints_once_when_it_is_back(rig: Rig) -> None:
    device, printer = rig
    await device.off()
    assert (await printer.print_label(device.job(1))).outcome == "failed"
    with pytest.raises(Unavailable) as off:
        await printer.status()
    assert off.value.hint
    await device.on()
    assert (await printer.print_label(device.job(1))).outcome == success(printer)
    assert device.printed() == [device.job(1)]


async def test_a_printer_that_is_not_ready_gets_no_byte_and_nobody_is_told_that_it_starts(rig: Rig) -> None:
    device, printer = rig
    asked = []

    async def starting() -> bool:
        asked.append(1)
        return True

    device.set_ready(False)
    assert (await printer.print_label(device.job(1), starting)).outcome == "failed"
    device.set_ready(True)
    assert (device.printed(), asked) == ([], [])
    assert (await printer.status()).ready
    assert (await printer.print_label(device.job(1), starting)).outcome == success(printer)
    assert (device.printed(), asked) == ([device.job(1)], [1])


async def test_nothing_has_come_out_when_starting_is_asked(rig: Rig) -> None:
    device, printer = rig
    before: list[list[bytes]] = []

    async def starting() -> bool:
        before.append(list(device.printed()))
        return True

    await printer.print_label(device.job(1), starting)
    assert before == [[]]


async def test_a_job_that_is_taken_back_before_its_first_byte_prints_nothing(rig: Rig) -> None:
    device, printer = rig

    async def no() -> bool:
        return False

    async def disk_full() -> bool:
        raise Unavailable("no room to say that it is sent")

    assert (await printer.print_label(device.job(1), no)).outcome == "failed"
    with pytest.raises(Unavailable, match="no room"):
        await printer.print_label(device.job(1), disk_full)
    assert device.printed() == []
    # The printer is free again.
    assert (await printer.print_label(device.job(2))).outcome == success(printer)
    assert device.printed() == [device.job(2)]


async def test_a_cancelled_job_prints_at_most_once_and_leaves_the_printer_free(rig: Rig) -> None:
    device, printer = rig
    for wait_s in (0.0, 0.001, 0.004):
        task = asyncio.create_task(printer.print_label(device.job(1)))
        await asyncio.wait({task}, timeout=wait_s)
        task.cancel()
        await asyncio.wait({task})
    await printer.print_label(device.job(2))
    printed = device.printed()
    assert printed.count(device.job(2)) == 1
    assert printed.count(device.job(1)) <= 3


async def test_two_users_of_one_printer_get_one_label_each(rig: Rig) -> None:
    device, first = rig
    second = device.open()
    jobs = [device.job(serial) for serial in (1, 2, 3, 4)]
    users = (first, first, second, second)

    async def insist(user: LabelPrinter, job: bytes) -> None:
        # A serial or USB printer is one program's at a time.
        for _ in range(500):
            if (await user.print_label(job)).outcome != "failed":
                return
            await asyncio.sleep(0.01)

    async with asyncio.timeout(20):
        await asyncio.gather(*(insist(user, job) for user, job in zip(users, jobs, strict=True)))
    assert sorted(device.printed()) == sorted(jobs)
    await second.close()


async def test_an_empty_or_oversize_job_is_refused(rig: Rig) -> None:
    device, printer = rig
    for job in (b"", b"x" * (LABEL_BYTES_MAX + 1)):
        with pytest.raises(InvalidInput):
            await printer.print_label(job)
    assert device.printed() == []


async def test_close_may_come_twice_and_prints_nothing(rig: Rig) -> None:
    device, printer = rig
    await printer.close()
    await printer.close()
    assert not device.printed()
