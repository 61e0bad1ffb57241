"""What the kernel says when a device comes or goes: a uevent, as it or udev puts it on a netlink socket.

The kernel's (lib/kobject_uevent.c), every part ended by a zero byte:

    add@/devices/...    ACTION=add    DEVPATH=/devices/...    SUBSYSTEM=tty    DEVNAME=ttyACM0

udev's (libudev, struct udev_monitor_netlink_header): "libudev" and a zero byte, the magic 0xfeedcafe (big-endian), the
size of the header, where the properties begin and how long they are (host order); the properties are as the kernel's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

UDEV_PREFIX = b"libudev\0"
UDEV_MAGIC = 0xFEEDCAFE
_HEADER = struct.Struct("=8s4sIII")


@dataclass(frozen=True, slots=True)
class Uevent:
    """`action`: add, remove, bind, unbind, change. `device` is its name below /dev; empty if it has none there."""

    action: str
    subsystem: str
    device: str

    @property
    def arrived(self) -> bool:
        """Whether a device may be there now that was not before."""
        return self.action in ("add", "bind", "change")


def parse(message: bytes) -> Uevent | None:
    """Read one message; None if it is none: what arrives is a hint, and nobody is to be told of a bad one."""
    properties = _udev_properties(message) if message.startswith(UDEV_PREFIX) else message
    words = dict(
        word.decode(errors="replace").partition("=")[::2] for word in properties.split(b"\0") if b"=" in word
    )
    action = words.get("ACTION", "")
    if not action:
        return None
    return Uevent(action, words.get("SUBSYSTEM", ""), words.get("DEVNAME", "").removeprefix("/dev/"))


def _udev_properties(message: bytes) -> bytes:
    if len(message) < _HEADER.size:
        return b""
    _prefix, magic, _header_bytes, offset, length = _HEADER.unpack_from(message)
    if int.from_bytes(magic, "big") != UDEV_MAGIC:
        return b""
    return message[offset : offset + length]
