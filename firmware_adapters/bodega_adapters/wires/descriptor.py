"""A wire over a file descriptor that can be waited for: a serial port, a hidraw, input or printer device file."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import select
import struct
import termios
from collections.abc import Callable
from typing import TypeAlias

import serial

from bodega.errors import InvalidInput

_READ_BYTES = 4096
_Add: TypeAlias = Callable[..., object]
_Remove: TypeAlias = Callable[[int], object]


class DescriptorWire:
    """A `Wire` that owns a descriptor in non-blocking mode; no thread is spent on it."""

    def __init__(self, descriptor: int, *, empty_is_end: bool = True) -> None:
        """`empty_is_end`: a read without a byte means that the device is gone; not so where a transfer may be empty."""
        self._descriptor = descriptor
        self._empty_is_end = empty_is_end
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def descriptor(self) -> int:
        """For ioctl; -1 when closed."""
        return self._descriptor

    async def read(self, timeout_s: float | None) -> bytes:
        """See Wire."""
        loop = asyncio.get_running_loop()
        if not await self._ready(loop.add_reader, loop.remove_reader, timeout_s):
            return b""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return b""
        if not data and (self._empty_is_end or _hung_up(self._descriptor)):
            raise OSError(errno.EIO, "the device is gone, or someone else reads it too")
        return data

    async def write(self, data: bytes) -> None:
        """See Wire."""
        loop = asyncio.get_running_loop()
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                await self._ready(loop.add_writer, loop.remove_writer, None)
            if rest and self._descriptor < 0:
                raise OSError(errno.EBADF, "closed while it was being written")

    def close(self) -> None:
        """See Wire."""
        if self._descriptor < 0:
            return
        loop = asyncio.get_running_loop()
        # Before the descriptor is closed: its number may belong to someone else a moment later.
        loop.remove_reader(self._descriptor)
        loop.remove_writer(self._descriptor)
        if _output_waits(self._descriptor):
            # Closing a terminal waits until its output has gone, for up to half a minute if nobody takes it.
            loop.run_in_executor(None, os.close, self._descriptor)
        else:
            os.close(self._descriptor)
        self._descriptor = -1
        for waiting in self._waiting:
            _settle(waiting)

    async def _ready(self, add: _Add, remove: _Remove, timeout_s: float | None) -> bool:
        """Wait until the device can be read or written; False after `timeout_s`, or when it was closed here."""
        if self._descriptor < 0:
            return False
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(ready)
        add(self._descriptor, _settle, ready)
        try:
            await asyncio.wait({ready}, timeout=timeout_s)
            return ready.done() and self._descriptor >= 0
        finally:
            self._waiting.discard(ready)
            if self._descriptor >= 0:
                remove(self._descriptor)


async def open_serial(path: str, baud: int, *, xonxoff: bool = False) -> DescriptorWire:
    """A serial port (8N1, opened exclusively; `xonxoff`: the device may hold us up).

    Raises OSError, and InvalidInput for a speed that it does not take.

    A pseudo-terminal has no modem lines and no parity, so none are set.
    """
    try:
        port = serial.Serial(path, baud, timeout=0, exclusive=True, xonxoff=xonxoff)
    except ValueError as error:
        raise InvalidInput(f"{path} does not take baud {baud}", hint="9600 is the usual one") from error
    try:
        # The duplicate keeps the lock and the settings of the open file.
        return DescriptorWire(os.dup(port.fileno()))
    finally:
        port.close()


async def open_device_file(path: str, flags: int = os.O_RDWR, *, empty_is_end: bool = True) -> DescriptorWire:
    """A character device such as /dev/usb/lp0 or /dev/hidraw0. Raises OSError."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    return DescriptorWire(descriptor, empty_is_end=empty_is_end)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _hung_up(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(0))


def _output_waits(descriptor: int) -> bool:
    """Whether a terminal has bytes that have not gone out; never for anything else."""
    try:
        (waiting,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return False
    return bool(waiting)
