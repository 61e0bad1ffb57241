"""ZPL printers on USB, through the kernel's printer class driver (usblp): /dev/usb/lp0.

The driver is bidirectional and lets one program at a time have the file. What the device calls itself (its IEEE 1284
identity) is asked by ioctl.
"""

from __future__ import annotations

import fcntl
import os
from functools import partial
from typing import ClassVar

from bodega.errors import Unavailable
from bodega.limits import PRINT_CONNECT_S, PRINT_DONE_S, PRINT_STATUS_S
from bodega_adapters.framing.ieee1284 import DeviceId, parse_device_id
from bodega_adapters.ports import Recognition, UsbId
from bodega_adapters.printers.wire_printer import Place, Waits
from bodega_adapters.printers.zpl import USUAL_DOTS_PER_MM, USUAL_WIDTH_MM, ZplPrinter
from bodega_adapters.wires.descriptor import open_device_file
from bodega_adapters.wires.tape import Recorder

ZEBRA = 0x0A5F
_DEVICE_ID_BYTES = 1024
# LPIOC_GET_DEVICE_ID(len) of the kernel's usblp.c: _IOC(_IOC_READ, 'P', 1, len).
_GET_DEVICE_ID = (2 << 30) | (_DEVICE_ID_BYTES << 16) | (ord("P") << 8) | 1


def usb_place(path: str, recorder: Recorder | None) -> Place:
    """A printer's device file."""
    opener = (recorder or Recorder()).over(partial(open_device_file, path, empty_is_end=False))
    hint = "check the cable, and that no other program (CUPS?) has the printer open"
    return Place(path, opener, hint=hint, late_answers=True)


def usb_device_id(path: str) -> DeviceId:
    """What the printer at this device file calls itself; raises `Unavailable`, and `PeerFault` for nonsense."""
    answer = bytearray(_DEVICE_ID_BYTES)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _GET_DEVICE_ID, answer)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unavailable(
            f"{path} does not say what it is: {error.strerror or error}", hint="is it a printer, and free?"
        ) from error
    return parse_device_id(bytes(answer))


class ZplUsbPrinter(ZplPrinter):
    """A ZPL printer on USB.

    Options: `path` (such as /dev/usb/lp0), `dots_per_mm` (8 or 12), `width_mm`, and the waits in seconds: `status_s`
    for one answer; `done_s` for all from the first byte of the job to its confirmation.
    """

    recognises: ClassVar = Recognition(subsystem="usbmisc", usb=(UsbId(ZEBRA),))

    def __init__(  # its options
        self,
        name: str,
        path: str,
        *,
        dots_per_mm: int = USUAL_DOTS_PER_MM,
        width_mm: int = USUAL_WIDTH_MM,
        status_s: float = PRINT_STATUS_S,
        done_s: float = PRINT_DONE_S,
        recorder: Recorder | None = None,
    ) -> None:
        waits = Waits(PRINT_CONNECT_S, status_s, done_s)
        super().__init__(name, usb_place(path, recorder), waits, dots_per_mm=dots_per_mm, width_mm=width_mm)
