"""What is plugged in, read from /sys and /dev, and which drivers fit: nothing is opened, nothing is sent.

    /sys/class/tty/ttyACM0      -> device /dev/ttyACM0, stable name /dev/serial/by-id/..., USB ids from its parents
    /sys/class/input/event3, /sys/class/hidraw/hidraw0, /sys/class/usbmisc/lp0, /sys/class/video4linux/video0

The root folder is a parameter, so that a test can build one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from bodega.limits import DEVICES_FOUND_MAX
from bodega_adapters.ports import Recognition, UsbId
from bodega_adapters.registry import DriverInfo

# By subsystem: where its device files lie below /dev, and where their stable names do, the best first. udev itself
# gives none to hidraw files and printers: those are of systemd/60-bodega-devices.rules.
_CLASSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "tty": ("", ("serial/by-id", "serial/by-path")),
    "input": ("input", ("input/by-id", "input/by-path")),
    "hidraw": ("", ("bodega/hidraw",)),
    "usbmisc": ("usb", ("bodega/lp",)),
    "video4linux": ("", ("v4l/by-id", "v4l/by-path")),
}
_INPUT_EVENTS = "event"
# How the report descriptor of a keyboard begins: usage page Generic Desktop, usage Keyboard (HID 1.11, appendix B.1).
_KEYBOARD = bytes.fromhex("05010906")
# What the kernel calls a serial port that the board does not have (serial_core.h, PORT_UNKNOWN).
_NO_UART = "0"
_PARENTS_MAX = 12


@dataclass(frozen=True, slots=True)
class Plugged:
    """One device file. `stable` is a name that survives a replug and a reboot; empty if the system gives none."""

    subsystem: str
    path: str
    stable: str
    name: str
    usb: UsbId | None = None

    @property
    def best_path(self) -> str:
        """What to write into agent.toml."""
        return self.stable or self.path


def plugged_in(root: Path = Path("/")) -> list[Plugged]:
    """Every device file that a driver of any kind might speak to; sorted by path, at most DEVICES_FOUND_MAX."""
    found = [one for subsystem in _CLASSES for one in _of_class(root, subsystem)]
    return sorted(found, key=lambda one: one.path)[:DEVICES_FOUND_MAX]


def drivers_for(device: Plugged, drivers: Iterable[DriverInfo]) -> list[DriverInfo]:
    """The drivers that recognise it, those that know its USB ids or its name first."""
    fits = [(one, _fit(one.recognises, device)) for one in drivers if one.recognises is not None]
    ranked = sorted(((one, rank) for one, rank in fits if rank), key=lambda pair: -pair[1])
    return [one for one, _rank in ranked]


def stable_name(path: str, root: Path = Path("/")) -> str:
    """The stable name of a device file such as /dev/ttyACM0; empty if it has none, or is one already."""
    place = root / path.lstrip("/")
    for subsystem, (folder, _stable_folders) in _CLASSES.items():
        if place.parent == root / "dev" / folder:
            stable = _stable_names(root, subsystem).get(place.name)
            if stable:
                return stable
    return ""


def snippet(device: Plugged, driver: DriverInfo, name: str) -> str:
    """Lines for agent.toml that make this device one of the node's."""
    table = {"scanner": "scanners", "printer": "printers", "camera": "cameras", "scale": "scales"}[
        driver.kind
    ]
    texts = [option.name for option in driver.options if option.type is str]
    needed = [option.name for option in driver.options if option.needed and option.type is str]
    option = (needed or texts or ["path"])[0]
    return (
        f"[[{table}]]\n"
        f"name = {json.dumps(name)}\n"
        f"driver = {json.dumps(driver.driver)}\n"
        f"options = {{ {option} = {json.dumps(device.best_path)} }}\n"
    )


def _of_class(root: Path, subsystem: str) -> Iterator[Plugged]:
    folder = root / "sys/class" / subsystem
    stable = _stable_names(root, subsystem)
    for entry in _entries(folder):
        # A virtual terminal or a mouse of the kernel's own has no device behind it.
        hardware = entry / "device"
        if not hardware.exists() or _is_no_device(subsystem, entry):
            continue
        file = root / "dev" / _CLASSES[subsystem][0] / entry.name
        if not file.exists():
            continue
        usb, said = _usb(hardware.resolve())
        name = _text(entry / "name") or _text(hardware / "name") or said
        path = "/" + str(file.relative_to(root))
        yield Plugged(subsystem, path, stable.get(entry.name, ""), name, usb)


def _is_no_device(subsystem: str, entry: Path) -> bool:
    """Files behind which nothing is that a driver would speak to.

    A scanner that poses as a keyboard has a hidraw file too; its place is the input event.
    """
    if subsystem == "input":
        return not entry.name.startswith(_INPUT_EVENTS)
    if subsystem == "hidraw":
        return _bytes(entry / "device" / "report_descriptor").startswith(_KEYBOARD)
    return _text(entry / "type") == _NO_UART


def _stable_names(root: Path, subsystem: str) -> dict[str, str]:
    """Stable names, by the device file that they point to; the first of several."""
    names: dict[str, str] = {}
    for below in _CLASSES[subsystem][1]:
        for link in _entries(root / "dev" / below):
            names.setdefault(link.resolve().name, f"/dev/{below}/{link.name}")
    return names


def _usb(hardware: Path) -> tuple[UsbId | None, str]:
    """The ids of the USB device that this belongs to, and what it calls itself; climbs from the interface."""
    here = hardware
    for _ in range(_PARENTS_MAX):
        vendor, product = _text(here / "idVendor"), _text(here / "idProduct")
        if vendor and product:
            said = " ".join(part for part in (_text(here / "manufacturer"), _text(here / "product")) if part)
            try:
                return UsbId(int(vendor, 16), int(product, 16)), said
            except ValueError:
                return None, said
        if here.parent == here:
            break
        here = here.parent
    return None, ""


def _fit(recognised: Recognition | None, device: Plugged) -> int:
    """0: not at all; 1: of this kind; 2 and 3: by its name, by its ids."""
    if recognised is None or not recognised.subsystem or recognised.subsystem != device.subsystem:
        return 0
    by_ids = any(_same(one, device.usb) for one in recognised.usb)
    names = (device.stable.rpartition("/")[2], device.name)
    by_name = bool(recognised.name) and any(fnmatch(name, recognised.name) for name in names)
    if by_ids:
        return 3
    if by_name:
        return 1 if recognised.name == "*" else 2
    return 0 if recognised.usb or recognised.name else 1


def _same(wanted: UsbId, found: UsbId | None) -> bool:
    if found is None or wanted.vendor != found.vendor:
        return False
    return wanted.product is None or wanted.product == found.product


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _text(file: Path) -> str:
    return _bytes(file).decode(errors="replace").strip()


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
