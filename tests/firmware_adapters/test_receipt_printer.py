"""Receipt printers: every flag of DLE EOT is read, and what they can not know they do not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import PeerFault
from bodega_adapters.framing.escpos_status import parse_receipt_status
from bodega_adapters.framing.ieee1284 import parse_device_id
from bodega_adapters.ports import LabelPrinter
from bodega_adapters.registry import open_printer
from bodega_adapters.simulated.receipt_printer import SimulatedReceiptPrinter

QUIET = 0b0001_0010
RECEIPT = b"\x1b@Thank you\n\x1dV\x00"


@pytest.mark.parametrize(
    ("number", "bits", "detail"),
    [
        (0, 1 << 3, "offline"),
        (1, 1 << 2, "cover open"),
        (1, 1 << 5, "paper out"),
        (1, 1 << 6, "error"),
        (2, 1 << 3, "cutter fault"),
        (2, 1 << 5, "error that needs a technician"),
        (2, 1 << 6, "too hot"),
        (3, 0b0110_0000, "paper out"),
    ],
)
def test_each_flag_stops_the_printer_and_has_a_name(number: int, bits: int, detail: str) -> None:
    answers = bytearray([QUIET] * 4)
    answers[number] |= bits
    status = parse_receipt_status(bytes(answers))
    assert (status.ready, status.detail) == (False, detail)


def test_paper_near_its_end_is_a_warning() -> None:
    status = parse_receipt_status(bytes((QUIET, QUIET, QUIET, QUIET | 0b1100)))
    assert (status.ready, status.warnings) == (True, ("paper near its end",))


@given(st.binary(max_size=6))
def test_bytes_without_the_fixed_bits_are_no_status(answers: bytes) -> None:
    if len(answers) == 4 and all(one & 0b1001_0011 == QUIET for one in answers):
        return
    with pytest.raises(PeerFault, match="not a status"):
        parse_receipt_status(answers)


async def test_a_receipt_is_in_doubt_however_well_it_went() -> None:
    device = SimulatedReceiptPrinter()
    await device.start()
    printer: LabelPrinter = open_printer("escpos-tcp", "till", {"host": device.host, "port": device.port})
    assert not printer.abilities.confirms
    good = await printer.print_label(RECEIPT)
    device.cover_open = True
    none = await printer.print_label(RECEIPT)
    assert (good.outcome, none.outcome, device.receipts) == ("unknown", "failed", [RECEIPT])
    assert "can not say" in good.detail
    assert "cover open" in none.detail
    await printer.close()
    await device.close()


def test_a_usb_printer_says_what_it_is_and_what_it_speaks() -> None:
    said = b"MFG:Zebra Technologies ;CMD:ZPL,EPL2;MDL:ZTC ZD420-203dpi ZPL;CLS:PRINTER;SN:50J17;"
    found = parse_device_id((len(said) + 2).to_bytes(2, "big") + said + b"\x00" * 40)
    assert (found.maker, found.model) == ("Zebra Technologies", "ZTC ZD420-203dpi ZPL")
    assert (found.languages, found.serial) == (("ZPL", "EPL2"), "50J17")
    long = parse_device_id(b"\x00\x30MANUFACTURER:EPSON;MODEL:TM-T88V;COMMAND SET:ESC/POS;")
    assert (long.maker, long.model, long.languages) == ("EPSON", "TM-T88V", ("ESC/POS",))
    with pytest.raises(PeerFault, match="identity"):
        parse_device_id(b"\x00\x05abc")
