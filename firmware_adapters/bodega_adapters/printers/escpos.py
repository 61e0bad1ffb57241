"""Receipt printers that speak ESC/POS, over TCP, a serial line or USB.

Status is read with DLE EOT, once before a job and once after it. None of it says that paper came out: the printer
counts no jobs and has no queue to look into. So nothing that is sent here is ever `confirmed`; it is `unknown` until
its scan-back, if it carries a code that can be scanned, or until a person says that it is there. For parcels use a
printer that confirms.

Where a picture happens to carry the bytes of DLE EOT, a printer answers them too; such an answer may pass for one of
ours, and as nothing rests on it but a line of text, that does no harm.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from bodega.errors import InvalidInput
from bodega.limits import LABEL_WIDTH_MM_MAX, PRINT_CONNECT_S, PRINT_DONE_S, PRINT_STATUS_S
from bodega_adapters.framing.escpos_status import STATUS_BYTES, STATUS_REQUEST, parse_receipt_status
from bodega_adapters.ports import PrinterAbilities, PrinterStatus, PrintReceipt, Recognition, UsbId
from bodega_adapters.printers.line import Line
from bodega_adapters.printers.wire_printer import Place, Waits, WirePrinter
from bodega_adapters.printers.zpl_serial import BITS_PER_BYTE, serial_place
from bodega_adapters.printers.zpl_tcp import tcp_place
from bodega_adapters.printers.zpl_usb import usb_place
from bodega_adapters.wires.tape import Recorder

EPSON = 0x04B8
STAR = 0x0519
# Paper of 80 mm has 72 mm that can be printed on, at 203 dpi.
USUAL_WIDTH_MM = 72
_DOTS_PER_MM = 8


class EscPosPrinter(WirePrinter):
    """A `LabelPrinter` for receipts. See this module's text for what it can not know."""

    def __init__(self, name: str, place: Place, waits: Waits, *, width_mm: int) -> None:
        if not 0 < width_mm <= LABEL_WIDTH_MM_MAX:
            raise InvalidInput(
                f"printer {name}: width_mm {width_mm} is not between 1 and {LABEL_WIDTH_MM_MAX}"
            )
        abilities = PrinterAbilities("escpos", _DOTS_PER_MM, width_mm, says_status=True, confirms=False)
        super().__init__(name, abilities, place, waits)

    async def _ask(self, line: Line) -> PrinterStatus:
        async with asyncio.timeout(self._waits.status_s):
            line.owed += STATUS_BYTES
            await line.wire.write(STATUS_REQUEST)
            answers = await line.exactly(line.owed)
            line.owed = 0
        return parse_receipt_status(answers[-STATUS_BYTES:])

    async def _ask_all(self, line: Line) -> PrinterStatus:
        return await self._ask(line)

    async def _settle(self, line: Line) -> PrintReceipt:
        status = await self._ask(line)
        if not status.ready:
            return PrintReceipt("unknown", f"sent, and then the printer said: {status.detail}")
        return PrintReceipt("unknown", "sent; this printer can not say that it came out")


class EscPosTcpPrinter(EscPosPrinter):
    """A receipt printer over TCP. Options: `host`, `port`, `width_mm`, and waits as of `zpl-tcp`."""

    recognises: ClassVar = Recognition(address="tcp HOST:9100")

    def __init__(  # its options
        self,
        name: str,
        host: str,
        port: int = 9100,
        *,
        width_mm: int = USUAL_WIDTH_MM,
        connect_s: float = PRINT_CONNECT_S,
        status_s: float = PRINT_STATUS_S,
        done_s: float = PRINT_DONE_S,
        recorder: Recorder | None = None,
    ) -> None:
        place = tcp_place(name, host, port, connect_s, recorder)
        super().__init__(name, place, Waits(connect_s, status_s, done_s), width_mm=width_mm)


class EscPosSerialPrinter(EscPosPrinter):
    """A receipt printer on a serial line. Options: `port`, `baud`, `width_mm`, and waits as of `zpl-serial`."""

    recognises: ClassVar = Recognition(subsystem="tty", name="*EPSON*")

    def __init__(  # its options
        self,
        name: str,
        port: str,
        baud: int = 9600,
        *,
        width_mm: int = USUAL_WIDTH_MM,
        status_s: float = PRINT_STATUS_S,
        done_s: float = PRINT_DONE_S,
        recorder: Recorder | None = None,
    ) -> None:
        # Pictures are bytes of any value, so flow control by characters is out of the question.
        place = serial_place(name, port, baud, recorder, xonxoff=False)
        waits = Waits(PRINT_CONNECT_S, status_s, done_s, byte_s=BITS_PER_BYTE / baud)
        super().__init__(name, place, waits, width_mm=width_mm)


class EscPosUsbPrinter(EscPosPrinter):
    """A receipt printer on USB. Options: `path`, `width_mm`, and waits as of `zpl-usb`."""

    recognises: ClassVar = Recognition(subsystem="usbmisc", usb=(UsbId(EPSON), UsbId(STAR)))

    def __init__(
        self,
        name: str,
        path: str,
        *,
        width_mm: int = USUAL_WIDTH_MM,
        status_s: float = PRINT_STATUS_S,
        done_s: float = PRINT_DONE_S,
        recorder: Recorder | None = None,
    ) -> None:
        waits = Waits(PRINT_CONNECT_S, status_s, done_s)
        super().__init__(name, usb_place(path, recorder), waits, width_mm=width_mm)
