"""The simulated printer behaves as a printer where exactly-once printing can tell the difference."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bodega_adapters.framing.printer_status import parse_host_status
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter
from support.devices import eventually
from support.printer_rigs import sscc, zpl_label

LABEL = b"^XA^FO9,9^FDx^FS^XZ"


@pytest.fixture
async def device() -> AsyncIterator[SimulatedZplPrinter]:
    device = SimulatedZplPrinter()
    await device.start()
    yield device
    await device.close()


async def send(device: SimulatedZplPrinter, *pieces: bytes) -> None:
    _, writer = await asyncio.open_connection(device.host, device.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def ask(device: SimulatedZplPrinter) -> bytes:
    reader, writer = await asyncio.open_connection(device.host, device.port)
    writer.write(b"~HS")
    reply = b"".join([await reader.readuntil(b"\x03\r\n") for _ in range(3)])
    writer.close()
    await writer.wait_closed()
    return reply


async def test_labels_in_any_pieces_and_over_several_connections_print_once_each(device):
    await send(device, LABEL[:5])
    await eventually(lambda: device.queued_labels == 1)
    await send(device, LABEL[5:] + LABEL, LABEL)
    await eventually(lambda: len(device.labels) == 3)
    assert {label.zpl for label in device.labels} == {LABEL}
    assert {label.sscc for label in device.labels} == {None}


async def test_the_sscc_is_read_from_the_barcode_field(device):
    await send(device, zpl_label(9))
    await eventually(lambda: device.labels)
    assert device.labels[0].sscc == sscc(9)
    assert device.labels[0].at_ms > 0


async def test_a_new_start_before_the_end_starts_over(device):
    await send(device, b"^XA^FDhalf" + LABEL)
    await eventually(lambda: device.labels)
    assert [label.zpl for label in device.labels] == [LABEL]


async def test_its_status_is_what_our_parser_reads(device):
    assert parse_host_status(await ask(device)).detail == "ready"
    device.paper_out = True
    await send(device, LABEL, LABEL + b"^XA")
    await eventually(lambda: device.queued_labels == 3)
    status = parse_host_status(await ask(device))
    assert (status.paper_out, status.queued_labels) == (True, 3)


async def test_a_printer_that_lies_says_ready_while_nothing_comes_out(device):
    device.paper_out = True
    device.claims_ready = True
    await send(device, LABEL)
    await eventually(lambda: device.queued_labels == 1)
    status = parse_host_status(await ask(device))
    assert (status.ready, status.queued_labels, device.labels) == (True, 0, [])


async def test_power_loss_forgets_what_was_not_printed_and_keeps_the_port(device):
    device.paused = True
    await send(device, LABEL + LABEL[:9])
    await eventually(lambda: device.queued_labels == 2)
    port = device.port
    await device.power_off()
    with pytest.raises(ConnectionRefusedError):
        await send(device, LABEL)
    await device.power_on()
    device.paused = False
    assert (device.port, device.queued_labels, device.labels) == (port, 0, [])


async def test_a_roll_of_two_prints_two_and_the_third_waits_for_paper(device):
    device.labels_on_roll = 2
    await send(device, LABEL * 3)
    await eventually(lambda: device.paper_out)
    assert len(device.labels) == 2
    device.paper_out = False
    assert len(device.labels) == 3
