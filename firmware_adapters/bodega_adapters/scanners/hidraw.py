"""Barcode scanners of the HID Point of Sale class ("HID POS"), over the kernel's hidraw files.

Every reader of a hidraw file gets every report; a lock keeps a second agent or driver of ours from scanning double. Use
a stable path such as /dev/bodega/hidraw/... of systemd/60-bodega-devices.rules: numbers change with every replug.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from functools import partial

from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.framing.hid_pos import HidPosFramer
from bodega_adapters.ports import Recognition
from bodega_adapters.scanners.wired import SCANNER_MAKERS, WiredScanner
from bodega_adapters.wires.descriptor import DescriptorWire
from bodega_adapters.wires.tape import Recorder
from bodega_adapters.wires.wire import Opener

# linux/hidraw.h; the size of the argument is part of an ioctl's number.
_DESCRIPTOR_BYTES_MAX = 4096
_HIDIOCGRDESCSIZE = 0x80044801
_HIDIOCGRDESC = 0x90044802


class HidrawScanner(WiredScanner):
    """A `Scanner` of the HID POS class. See `bodega_adapters.ports.Scanner` for its duties.

    Options: `path` of the hidraw file. The report descriptor says everything else. `opener` opens something else in
    place of the kernel's device; the first thing read from it is the report descriptor.
    """

    recognises = Recognition(subsystem="hidraw", usb=SCANNER_MAKERS, name="*[Bb]ar[ -_]*[Cc]ode*")

    def __init__(
        self,
        name: str,
        path: str,
        *,
        clock: Callable[[], int] = wall_clock_ms,
        recorder: Recorder | None = None,
        opener: Opener | None = None,
    ) -> None:
        super().__init__(
            name,
            place=path,
            opener=opener or partial(open_hidraw, path),
            framer=HidPosFramer(),
            clock=clock,
            recorder=recorder,
        )


class HidrawWire(DescriptorWire):
    """A `Wire` that gives the report descriptor first, then one report a read."""

    def __init__(self, descriptor: int, report_descriptor: bytes) -> None:
        super().__init__(descriptor)
        self._first = report_descriptor

    async def read(self, timeout_s: float | None) -> bytes:
        """See Wire."""
        if self._first:
            first, self._first = self._first, b""
            return first
        return await super().read(timeout_s)


_REFUSALS = {
    errno.EACCES: "may not be opened: {path}; systemd/60-bodega-devices.rules gives it to the agent's group",
    errno.EWOULDBLOCK: "is read by another agent or driver: {path}",
    errno.ENOTTY: "is no hidraw file: {path}; a scanner has its own in /dev/hidraw*",
}


async def open_hidraw(path: str) -> HidrawWire:
    """A hidraw file, locked. Raises OSError that says what is in the way."""
    file = -1
    try:
        file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return HidrawWire(file, _report_descriptor(file))
    except OSError as error:
        if file >= 0:
            os.close(file)
        if error.errno not in _REFUSALS:
            raise
        raise OSError(error.errno, _REFUSALS[error.errno].format(path=path)) from error


def _report_descriptor(file: int) -> bytes:
    answer = bytearray(struct.pack("@i", 0))
    fcntl.ioctl(file, _HIDIOCGRDESCSIZE, answer)
    (size,) = struct.unpack("@i", answer)
    # struct hidraw_report_descriptor: the size that is wanted, then the bytes.
    asked = bytearray(struct.pack("@I", size)) + bytearray(_DESCRIPTOR_BYTES_MAX)
    fcntl.ioctl(file, _HIDIOCGRDESC, asked)
    return bytes(asked[4 : 4 + size])
