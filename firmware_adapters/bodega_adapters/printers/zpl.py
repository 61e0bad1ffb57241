"""ZPL printers over any wire: status read back with `~HS` and `~HQES`.

Which is asked when: `~HS` before a job, once, on the job's own connection; after it until the queue is empty; then
`~HQES` once, because a cutter or a print head that fails is told there only. People who ask for the status get both.
A printer that does not know `~HQES` is not asked again until it has been away.

Answers come in the order of the questions, and those still owed are read and thrown away first: a late answer
to the question before the job must not pass as the answer after it.
"""

from __future__ import annotations

import asyncio

from bodega.errors import InvalidInput, PeerFault
from bodega.host.log import get_logger
from bodega.limits import LABEL_WIDTH_MM_MAX, PRINT_POLL_S
from bodega_adapters.framing.printer_status import (
    ERROR_STATUS_REQUEST,
    HOST_STATUS_LINES,
    HOST_STATUS_REQUEST,
    ErrorStatus,
    parse_error_status,
    parse_host_status,
    with_flags,
)
from bodega_adapters.ports import DOTS_PER_MM, PrinterAbilities, PrinterStatus, PrintReceipt
from bodega_adapters.printers.line import Line
from bodega_adapters.printers.wire_printer import Place, Waits, WirePrinter

log = get_logger(__name__)

# What most label printers are: 203 dpi, labels of 4 inches.
USUAL_DOTS_PER_MM = 8
USUAL_WIDTH_MM = 101
_ETX = b"\x03"


class ZplPrinter(WirePrinter):
    """A `LabelPrinter` that speaks ZPL II. See `bodega_adapters.ports.LabelPrinter` for its duties."""

    def __init__(self, name: str, place: Place, waits: Waits, *, dots_per_mm: int, width_mm: int) -> None:
        if dots_per_mm not in DOTS_PER_MM:
            raise InvalidInput(
                f"printer {name}: {dots_per_mm} dots/mm is no resolution of a label printer",
                hint="use 8 (203 dpi) or 12 (300 dpi)",
            )
        if not 0 < width_mm <= LABEL_WIDTH_MM_MAX:
            raise InvalidInput(
                f"printer {name}: width_mm {width_mm} is not between 1 and {LABEL_WIDTH_MM_MAX}"
            )
        abilities = PrinterAbilities("zpl", dots_per_mm, width_mm, says_status=True, confirms=True)
        super().__init__(name, abilities, place, waits)
        self._knows_flags = True

    async def _ask(self, line: Line) -> PrinterStatus:
        async with asyncio.timeout(self._waits.status_s):
            line.owed += HOST_STATUS_LINES
            await line.wire.write(HOST_STATUS_REQUEST)
            lines: list[bytes] = []
            while line.owed:
                lines.append(await line.until(_ETX))
                line.owed -= 1
        return parse_host_status(b"".join(lines[-HOST_STATUS_LINES:]))

    async def _ask_all(self, line: Line) -> PrinterStatus:
        if not self.presence.connected:
            self._knows_flags = True
        return with_flags(await self._ask(line), await self._ask_flags(line))

    async def _ask_flags(self, line: Line) -> ErrorStatus:
        """No flag of a printer that does not know the question. Raises OSError."""
        if not self._knows_flags:
            return ErrorStatus((), ())
        try:
            async with asyncio.timeout(self._waits.status_s):
                line.owed += 1
                await line.wire.write(ERROR_STATUS_REQUEST)
                answer = await line.until(_ETX)
                line.owed -= 1
            return parse_error_status(answer)
        except (TimeoutError, PeerFault):
            log.info("printer_knows_no_error_flags", device=self.name)
            self._knows_flags = False
            return ErrorStatus((), ())

    async def _settle(self, line: Line) -> PrintReceipt:
        while True:
            status = await self._ask(line)
            if not status.ready:
                return PrintReceipt("unknown", f"sent, and then the printer said: {status.detail}")
            if status.queued_labels == 0:
                break
            await asyncio.sleep(PRINT_POLL_S)
        flags = await self._ask_flags(line)
        if flags.errors:
            return PrintReceipt("unknown", f"sent, and then the printer said: {', '.join(flags.errors)}")
        return PrintReceipt("confirmed", "printed, queue empty")
