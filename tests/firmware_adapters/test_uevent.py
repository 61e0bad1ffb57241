"""Uevents as the kernel and as udev send them; what can not be read is nothing, and never an error."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_adapters.framing.uevent import UDEV_MAGIC, UDEV_PREFIX, Uevent, parse

PROPERTIES = b"\0".join(
    [
        b"ACTION=add",
        b"DEVPATH=/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/tty/ttyACM0",
        b"SUBSYSTEM=tty",
        b"MAJOR=166",
        b"DEVNAME=%sttyACM0",
        b"SEQNUM=4711",
        b"",
    ]
)
KERNEL = b"add@/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/tty/ttyACM0\0" + PROPERTIES % b""


def udev(properties: bytes, magic: int = UDEV_MAGIC, offset: int = 40) -> bytes:
    head = UDEV_PREFIX + struct.pack(">I", magic) + struct.pack("=III", 40, offset, len(properties))
    return head + bytes(16) + properties


@pytest.mark.parametrize("message", [KERNEL, udev(PROPERTIES % b"/dev/")])
def test_a_scanner_that_is_plugged_in(message):
    assert parse(message) == Uevent("add", "tty", "ttyACM0")
    assert parse(message).arrived


@pytest.mark.parametrize(
    ("action", "arrived"), [("remove", False), ("unbind", False), ("bind", True), ("change", True)]
)
def test_which_actions_bring_a_device(action, arrived):
    assert parse(f"ACTION={action}\0SUBSYSTEM=usb\0".encode()).arrived == arrived


@pytest.mark.parametrize(
    "message",
    [b"", b"\0", b"add@/devices/x\0", UDEV_PREFIX, udev(PROPERTIES, magic=7), udev(PROPERTIES, offset=9999)],
)
def test_what_is_no_uevent_is_nothing(message):
    assert parse(message) is None


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_can_break_it(data, as_udev):
    event = parse(udev(data) if as_udev else data)
    assert event is None or event.action
