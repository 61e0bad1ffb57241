"""A printer's driver that breaks in mid-job leaves a doubt, and never a second label."""

from __future__ import annotations

import asyncio

import pytest

from bodega.errors import InvalidInput, Unavailable
from bodega_adapters.ports import PrinterAbilities, PrintReceipt
from bodega_agent.services.cell import DeviceSpec
from bodega_agent.services.device_control import DeviceControl
from bodega_agent.services.devices import DeviceService
from support.cells import NoHotplug, running, unharmed
from support.devices import eventually
from support.odd_drivers import OddPrinter

LABEL = b"^XA^XZ"


async def yes() -> bool:
    return True


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (ValueError("a bug"), "a bug"),
        ("forever", "took more than"),
        (asyncio.CancelledError(), "cancelled by the driver itself"),
        ("done", "answered 'done'"),
        (None, "answered None"),
    ],
)
async def test_a_driver_that_breaks_after_the_first_byte_is_unknown_and_works_on(monkeypatch, end, words):
    monkeypatch.setattr("bodega_agent.services.guards.DEVICE_CALL_S", 0.05)
    odd = OddPrinter("odd-0", [end])
    async with running(("printer", lambda: odd)) as (devices, floor):
        await eventually(lambda: devices.row("odd-0")["state"] == "ok")
        printer = devices.printer("odd-0")
        receipt = await printer.print_label(LABEL, yes)
        assert receipt.outcome == "unknown"
        assert words in receipt.detail
        await eventually(lambda: devices.cells["odd-0"].device is not None)
        assert (await printer.print_label(LABEL, yes)).outcome == "confirmed"
        assert odd.printed == [LABEL, LABEL]
        await unharmed(floor)


@pytest.mark.parametrize("error", [InvalidInput("an empty job"), Unavailable("the store is busy")])
async def test_what_the_port_allows_to_be_raised_is_the_callers(error):
    async with running(("printer", lambda: OddPrinter("odd-0", [error]))) as (devices, _floor):
        await eventually(lambda: devices.row("odd-0")["state"] == "ok")
        with pytest.raises(type(error), match=error.message):
            await devices.printer("odd-0").print_label(LABEL, yes)
        assert devices.row("odd-0")["state"] == "ok"


async def test_before_its_driver_is_open_nothing_is_sent_and_nothing_is_known():
    devices = DeviceService([DeviceSpec("printer", "odd-0", "odd")], hotplug=NoHotplug)
    printer = devices.printer("odd-0")
    assert await printer.print_label(LABEL, yes) == PrintReceipt("failed", "printer odd-0 is not open")
    with pytest.raises(Unavailable, match="not open yet"):
        _ = printer.abilities


async def test_abilities_are_remembered_while_the_driver_is_opened_anew(monkeypatch):
    odd = OddPrinter("odd-0", [ValueError("a bug")])
    async with running(("printer", lambda: odd)) as (devices, _floor):
        await eventually(lambda: devices.row("odd-0")["state"] == "ok")
        printer = devices.printer("odd-0")
        known = printer.abilities
        await printer.print_label(LABEL, yes)
        assert printer.abilities == known == PrinterAbilities("zpl", 8, 101, says_status=True, confirms=True)


async def test_why_a_printer_that_answers_does_not_print_stands_in_its_row():
    async with running(("printer", lambda: OddPrinter("odd-0", []))) as (devices, _floor):
        await eventually(lambda: devices.row("odd-0")["state"] == "ok")
        devices.trouble = lambda: {"odd-0": "paper out"}
        row = devices.row("odd-0")
        assert (row["state"], row["detail"]) == ("not_ready", "paper out")
        assert row["hint"]


async def test_a_test_label_is_the_layout_of_that_name_and_names_its_printer():
    odd = OddPrinter("odd-0", [])
    async with running(("printer", lambda: odd)) as (devices, _floor):
        await eventually(lambda: devices.row("odd-0")["state"] == "ok")
        receipt = await DeviceControl(devices).answers["device.print"]({"name": "odd-0"})
    assert receipt["outcome"] == "confirmed"
    (label,) = odd.printed
    assert label.startswith(b"^XA")
    assert b"odd-0" in label
    assert b"CMD-HELP" in label
