"""A USB printer behind the kernel's usblp, the zpl-usb driver, and cables pulled at the worst moments."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.errors import Unavailable
from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.ports import LabelPrinter
from bodega_adapters.printers.zpl_usb import ZEBRA, usb_device_id
from bodega_adapters.registry import open_printer
from hardware.inside.gadget import PRINTER, Gadget
from hardware.inside.gadget_printer import FAR_END, GadgetPrinter
from support.devices import eventually

PORT = Path("/dev/usb/lp0")
LABEL = b"^XA^FO10,10^FDhello^FS^XZ"
# More than the kernel holds for a printer that does not read: a hundred KiB.
LONG_LABEL = b"^XA^FX" + b"x" * (LABEL_BYTES_MAX - 20) + b"^FS^XZ"


@pytest.fixture
def gadget() -> Iterator[Gadget]:
    gadget = Gadget("printer", PRINTER, socket=1, serial="ZBR0001", product="ZTC Sim", vendor=ZEBRA)
    yield gadget
    gadget.remove()


def driver() -> LabelPrinter:
    return open_printer("zpl-usb", "labels", {"path": str(PORT)})


async def plugged_in(gadget: Gadget) -> None:
    await gadget.plugged(PORT)
    await eventually(FAR_END.exists)


async def test_a_label_arrives_once_and_whole_and_is_confirmed(gadget: Gadget):
    await plugged_in(gadget)
    device, printer = GadgetPrinter(), driver()
    receipt = await printer.print_label(LABEL)
    assert (receipt.outcome, device.received) == ("confirmed", LABEL), receipt.detail
    await printer.close()
    device.close()


async def test_a_long_label_arrives_whole_through_the_kernels_small_buffers(gadget: Gadget):
    await plugged_in(gadget)
    device, printer = GadgetPrinter(), driver()
    receipt = await printer.print_label(LONG_LABEL)
    assert receipt.outcome == "confirmed", receipt.detail
    assert device.received == LONG_LABEL
    await printer.close()
    device.close()


async def test_paper_out_is_read_back_and_no_byte_of_the_job_is_sent(gadget: Gadget):
    await plugged_in(gadget)
    device, printer = GadgetPrinter(), driver()
    device.paper_out = True
    assert (await printer.status()).paper_out
    receipt = await printer.print_label(LABEL)
    assert (receipt.outcome, device.received) == ("failed", b""), receipt.detail
    await printer.close()
    device.close()


async def test_a_cable_pulled_in_mid_job_is_unknown_and_nothing_is_sent_again(gadget: Gadget):
    await plugged_in(gadget)
    device, printer = GadgetPrinter(stall_after_bytes=1000), driver()
    job = asyncio.create_task(printer.print_label(LONG_LABEL))
    await eventually(lambda: device.stalled)
    assert not job.done()
    gadget.unplug()
    receipt = await asyncio.wait_for(job, 30)
    assert receipt.outcome == "unknown"
    assert receipt.detail.startswith("trouble after the first byte")
    device.close()

    await plugged_in(gadget)
    again = GadgetPrinter()
    assert (await printer.status()).ready
    assert again.received == b""
    await printer.close()
    again.close()


async def test_a_cable_pulled_before_the_label_is_confirmed_is_unknown(gadget: Gadget):
    await plugged_in(gadget)
    device, printer = GadgetPrinter(queued=1), driver()
    job = asyncio.create_task(printer.print_label(LABEL))
    await eventually(lambda: device.received == LABEL)
    gadget.unplug()
    receipt = await asyncio.wait_for(job, 30)
    assert receipt.outcome == "unknown"
    assert receipt.detail.startswith("trouble after the first byte")
    await printer.close()
    device.close()


async def test_a_printer_that_is_not_plugged_in_fails_and_says_what_to_check(gadget: Gadget):
    await plugged_in(gadget)
    gadget.unplug()
    await eventually(lambda: not PORT.exists())
    printer = driver()
    assert (await printer.print_label(LABEL)).outcome == "failed"
    with pytest.raises(Unavailable) as missing:
        await printer.status()
    assert "cable" in missing.value.hint
    await printer.close()


async def test_the_printer_says_what_it_is(gadget: Gadget):
    await plugged_in(gadget)
    identity = await asyncio.to_thread(usb_device_id, str(PORT))
    assert (identity.maker, identity.languages) == ("Zebra", ("ZPL",))
