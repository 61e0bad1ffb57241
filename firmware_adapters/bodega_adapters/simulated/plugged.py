"""The two ends of a simulated HID device: the driver reads one, the device writes the other.

A HID device needs a real kernel to have a file in /dev, so its simulated twin is opened through `open`, which a driver
takes in place of its own way to open a path. What it carries is what the kernel's file would carry.
"""

from __future__ import annotations

import errno
import socket

from bodega.errors import Unavailable
from bodega_adapters.wires.descriptor import DescriptorWire

_UNREAD_BYTES_MAX = 1024 * 1024


class PluggedDevice:
    """Plugged in at first. `greeting` is what a driver reads first; what comes while nobody reads is lost."""

    def __init__(self, kind: socket.SocketKind, greeting: bytes = b"") -> None:
        self._kind = kind
        self._greeting = greeting
        self._is_in = True
        self._end: socket.socket | None = None

    async def open(self) -> DescriptorWire:
        """The driver's end. Raises OSError when it is unplugged, or when another program holds it."""
        if not self._is_in:
            raise OSError(errno.ENODEV, "the simulated device is unplugged")
        if self._end is not None and not _is_closed(self._end):
            raise OSError(errno.EBUSY, "is held by another program: the simulated device; stop that program")
        self._drop()
        self._end, theirs = socket.socketpair(socket.AF_UNIX, self._kind)
        for end in (self._end, theirs):
            end.settimeout(0)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD_BYTES_MAX)
        if self._greeting:
            self._end.send(self._greeting)
        return DescriptorWire(theirs.detach())

    def plug(self) -> None:
        """Put the device in; nothing if it is in."""
        self._is_in = True

    def unplug(self) -> None:
        """Pull the device out: readers get a hang-up."""
        self._is_in = False
        self._drop()

    def close(self) -> None:
        """Same as `unplug`; safe to call twice."""
        self.unplug()

    def put(self, data: bytes) -> None:
        """Give the kernel's bytes to whoever reads; raises `Unavailable` if it is unplugged or reads too slowly."""
        if not self._is_in:
            raise Unavailable("the simulated scanner is unplugged", hint="plug it in")
        if self._end is None:
            return
        try:
            sent = self._end.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop()
            return
        if sent < len(data):
            raise Unavailable("nobody reads the simulated scanner", hint="start the agent")

    def _drop(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            end.close()


def _is_closed(end: socket.socket) -> bool:
    """Whether the other end is gone: drivers of scanners write nothing, so all that can be read is an end of file."""
    try:
        return end.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
