"""USB devices made by the kernel's gadget framework, plugged into dummy_hcd: the host side is as real as with a cable.

A gadget is a folder in configfs whose functions (acm, hid, printer) the kernel carries out. Plugging is a bind to one
of dummy_hcd's sockets, pulling the cable is an unbind: drivers, device files, udev's links and events come and go as
with any USB device. The far ends are /dev/ttyGS*, /dev/hidg* and /dev/g_printer*.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
import tty
from collections.abc import Mapping
from pathlib import Path

from support.devices import eventually

GADGETS = Path("/sys/kernel/config/usb_gadget")
USB_DEVICES = Path("/sys/bus/usb/devices")
GONE_S = 20.0
VENDOR, PRODUCT = 0x05E0, 0x1701  # Symbol Technologies, a barcode scanner

ACM: Mapping[str, bytes] = {}
PRINTER: Mapping[str, bytes] = {"q_len": b"10", "pnp_string": b"MFG:Zebra;CMD:ZPL;MDL:SIM;CLS:PRINTER;"}


class Gadget:
    """One USB device. `function` is "acm", "hid" or "printer"; `socket` is a number of dummy_hcd, one a gadget."""

    def __init__(
        self,
        function: str,
        settings: Mapping[str, bytes],
        *,
        socket: int,
        serial: str,
        product: str,
        vendor: int = VENDOR,
        product_id: int = PRODUCT,
    ) -> None:
        self._socket = f"dummy_udc.{socket}"
        self._serial = serial
        self._folder = GADGETS / f"bodega-{serial}"
        self._function = self._folder / "functions" / f"{function}.{serial}"
        self._configuration = self._folder / "configs" / "c.1"
        self._folder.mkdir()
        _write(self._folder / "idVendor", f"{vendor:#06x}".encode())
        _write(self._folder / "idProduct", f"{product_id:#06x}".encode())
        words = self._folder / "strings" / "0x409"
        words.mkdir()
        for name, word in (("manufacturer", "Acme"), ("product", product), ("serialnumber", serial)):
            _write(words / name, word.encode())
        self._configuration.mkdir()
        self._function.mkdir()
        for name, value in settings.items():
            _write(self._function / name, value)
        (self._configuration / self._function.name).symlink_to(self._function)

    @property
    def acm_port(self) -> Path:
        """The far end of a serial gadget; it outlives the plug."""
        return Path(f"/dev/ttyGS{(self._function / 'port_num').read_text().strip()}")

    @property
    def hid_file(self) -> Path:
        """The far end of a HID gadget, while it is plugged in."""
        number = (self._function / "dev").read_text().strip()
        return Path("/dev") / Path(f"/sys/dev/char/{number}").resolve().name

    def plug(self) -> None:
        """Put it in; nothing when it is in."""
        if not self._is_in:
            _write(self._folder / "UDC", self._socket.encode())

    async def plugged(self, file: Path) -> None:
        """Put it in, and wait until the device file, or udev's name for it, is there."""
        self.plug()
        await eventually(file.exists)

    def unplug(self) -> None:
        """Pull it out; nothing when it is out."""
        if self._is_in:
            _write(self._folder / "UDC", b"\n")

    @property
    def _is_in(self) -> bool:
        return bool((self._folder / "UDC").read_text().strip())

    def remove(self) -> None:
        """Pull it out and forget it."""
        self.unplug()
        (self._configuration / self._function.name).unlink()
        for folder in (self._function, self._configuration, self._folder / "strings" / "0x409", self._folder):
            folder.rmdir()
        # Or the next test takes udev's name of this device for its own: the kernel tells of an unbind later.
        give_up_s = time.monotonic() + GONE_S
        while any(_serial(device) == self._serial for device in USB_DEVICES.iterdir()):
            assert time.monotonic() < give_up_s, f"{self._serial} is still there {GONE_S} s after its unplug"
            time.sleep(0.01)
        subprocess.run(["udevadm", "settle"], check=True)


async def send(far_end: Path, data: bytes) -> None:
    """Let the gadget send something up its wire; ends when the host's side of the kernel has it."""
    await asyncio.to_thread(_send, far_end, data)


def _send(far_end: Path, data: bytes) -> None:
    # Opened for each, because an unplug hangs up the far end too. Closing waits until the bytes are gone.
    descriptor = os.open(far_end, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if os.isatty(descriptor):
            tty.setraw(descriptor)
        assert os.write(descriptor, data) == len(data)
    finally:
        os.close(descriptor)


def _serial(device: Path) -> str:
    try:
        return (device / "serial").read_text().strip()
    except OSError:
        return ""


def _write(path: Path, value: bytes) -> None:
    """In one write, as sysfs and configfs demand."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, value)
    finally:
        os.close(descriptor)


def lost_and_back(logs: list) -> list[str]:
    """What people were told of the presence of devices, out of structlog's captured lines."""
    told = [line for line in logs if line["event"] in {"device_lost", "device_back"}]
    print(*told, sep="\n")  # shown when the test fails
    return [line["event"] for line in told]
