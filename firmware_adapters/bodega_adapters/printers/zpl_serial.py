"""ZPL printers on a serial line: RS-232, or a USB cable that the kernel shows as ttyACM or ttyUSB.

Flow control is XON/XOFF, as ZPL printers leave the factory: a label is larger than their receive buffer may be. ZPL
is text, so no byte of it is one of those two.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from bodega.errors import InvalidInput
from bodega.limits import PRINT_CONNECT_S, PRINT_DONE_S, PRINT_STATUS_S
from bodega_adapters.ports import Recognition
from bodega_adapters.printers.wire_printer import Place, Waits
from bodega_adapters.printers.zpl import USUAL_DOTS_PER_MM, USUAL_WIDTH_MM, ZplPrinter
from bodega_adapters.wires.descriptor import open_serial
from bodega_adapters.wires.tape import Recorder

# 8N1: a byte is ten bits on the line.
BITS_PER_BYTE = 10


def serial_place(
    name: str, port: str, baud: int, recorder: Recorder | None, *, xonxoff: bool = True
) -> Place:
    """A printer's serial line; raises `InvalidInput` for a speed that is none."""
    if baud <= 0:
        raise InvalidInput(f"printer {name}: baud {baud} is not a speed", hint="9600 is the usual one")
    opener = (recorder or Recorder()).over(partial(open_serial, port, baud, xonxoff=xonxoff))
    hint = "check that the printer is on, the cable, and that nothing else has the port open"
    return Place(port, opener, hint=hint, late_answers=True, silent_when_off=True)


class ZplSerialPrinter(ZplPrinter):
    """A ZPL printer on a serial line.

    Options: `port` (a path, such as /dev/serial/by-id/...), `baud`, `dots_per_mm` (8 or 12), `width_mm`, and the waits
    in seconds: `status_s` for one answer; `done_s` from the last byte of the job to its confirmation.
    """

    recognises: ClassVar = Recognition(subsystem="tty", name="*Zebra*")

    def __init__(  # its options
        self,
        name: str,
        port: str,
        baud: int = 9600,
        *,
        dots_per_mm: int = USUAL_DOTS_PER_MM,
        width_mm: int = USUAL_WIDTH_MM,
        status_s: float = PRINT_STATUS_S,
        done_s: float = PRINT_DONE_S,
        recorder: Recorder | None = None,
    ) -> None:
        place = serial_place(name, port, baud, recorder)
        waits = Waits(PRINT_CONNECT_S, status_s, done_s, byte_s=BITS_PER_BYTE / baud)
        super().__init__(name, place, waits, dots_per_mm=dots_per_mm, width_mm=width_mm)
