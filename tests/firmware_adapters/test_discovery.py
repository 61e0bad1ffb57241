"""What is plugged in is read from /sys and /dev; the driver that knows it is proposed, with its stable name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bodega.limits import DEVICES_FOUND_MAX
from bodega_adapters.discovery import Plugged, drivers_for, plugged_in, snippet, stable_name
from bodega_adapters.ports import Recognition, UsbId
from bodega_adapters.registry import DriverInfo, drivers

BY_ID = "usb-Example_Scanner_0001-if00"


class Machine:
    """A /sys and a /dev, as the kernel lays them out."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def usb(self, port: str, vendor: str, product: str, name: str) -> Path:
        device = self.root / "sys/devices/usb1" / port
        (device / f"{port}:1.0").mkdir(parents=True)
        (device / "idVendor").write_text(f"{vendor}\n")
        (device / "idProduct").write_text(f"{product}\n")
        (device / "product").write_text(f"{name}\n")
        return device / f"{port}:1.0"

    def add(self, subsystem: str, called: str, hardware: Path | None, file: str, **texts: str) -> None:
        entry = self.root / "sys/class" / subsystem / called
        entry.mkdir(parents=True)
        if hardware is not None:
            (entry / "device").symlink_to(hardware)
        for key, value in texts.items():
            (entry / key).write_text(value)
        (self.root / "dev" / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / "dev" / file).touch()

    def name(self, folder: str, link: str, target: str) -> None:
        (self.root / "dev" / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "dev" / folder / link).symlink_to(target)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    scanner = machine.usb("1-1", "0c2e", "0b6a", "Example Scanner")
    machine.add("tty", "ttyACM0", scanner, "ttyACM0")
    machine.name("serial/by-id", BY_ID, "../../ttyACM0")
    machine.add("tty", "tty1", None, "tty1")
    scale = machine.usb("1-2", "0eb8", "2200", "METTLER TOLEDO")
    machine.add("tty", "ttyACM1", scale, "ttyACM1")
    camera = machine.usb("1-3", "046d", "0825", "Webcam")
    machine.add("video4linux", "video0", camera, "video0", name="Webcam C270\n")
    machine.name("v4l/by-id", "usb-Webcam-video-index0", "../../video0")
    machine.add("input", "input7", camera, "input/input7")
    return machine


def test_every_device_file_is_found_with_its_stable_name_and_its_usb_ids(machine):
    assert plugged_in(machine.root) == [
        Plugged(
            "tty", "/dev/ttyACM0", f"/dev/serial/by-id/{BY_ID}", "Example Scanner", UsbId(0x0C2E, 0x0B6A)
        ),
        Plugged("tty", "/dev/ttyACM1", "", "METTLER TOLEDO", UsbId(0x0EB8, 0x2200)),
        Plugged(
            "video4linux",
            "/dev/video0",
            "/dev/v4l/by-id/usb-Webcam-video-index0",
            "Webcam C270",
            UsbId(0x046D, 0x0825),
        ),
    ]


def test_a_machine_without_devices_has_none(tmp_path):
    assert plugged_in(tmp_path) == []


def test_no_more_devices_than_the_bound_are_told(machine):
    hardware = machine.usb("1-9", "1", "2", "hub")
    for number in range(DEVICES_FOUND_MAX + 1):
        machine.add("hidraw", f"hidraw{number}", hardware, f"hidraw{number}")
    assert len(plugged_in(machine.root)) == DEVICES_FOUND_MAX


def test_the_driver_that_knows_the_ids_comes_before_the_one_that_takes_any(machine):
    _scanner, scale, _camera = plugged_in(machine.root)
    named = [one.driver for one in drivers_for(scale, drivers())]
    assert named[0] == "mt-sics"
    assert "serial" in named


@pytest.mark.parametrize(
    ("recognises", "fits"),
    [
        (Recognition(subsystem="tty"), True),
        (Recognition(subsystem="hidraw"), False),
        (Recognition(subsystem="tty", usb=(UsbId(0x0C2E),)), True),
        (Recognition(subsystem="tty", usb=(UsbId(0x0C2E, 0x0B6B),)), False),
        (Recognition(subsystem="tty", name="usb-Example_*"), True),
        (Recognition(subsystem="tty", name="*Other*"), False),
        (Recognition(subsystem="tty", usb=(UsbId(1),), name="*Scanner*"), True),
        (Recognition(address="tcp HOST:9100"), False),
        (Recognition(), False),
    ],
)
def test_how_a_driver_recognises_its_device(machine, recognises, fits):
    driver = DriverInfo("scanner", "odd", "acme", recognises=recognises)
    assert bool(drivers_for(plugged_in(machine.root)[0], [driver])) == fits


def test_a_snippet_is_ready_for_the_configuration_and_names_the_stable_path(machine):
    scanner, _scale, camera = plugged_in(machine.root)
    known = {(one.kind, one.driver): one for one in drivers()}
    lines = tomllib.loads(snippet(scanner, known["scanner", "serial"], "scanner-1"))
    assert lines["scanners"] == [
        {"name": "scanner-1", "driver": "serial", "options": {"port": f"/dev/serial/by-id/{BY_ID}"}}
    ]
    assert tomllib.loads(snippet(camera, known["camera", "folder"], "c"))["cameras"][0]["name"] == "c"


def test_a_name_that_changes_with_the_next_plug_has_a_better_one(machine):
    assert stable_name("/dev/ttyACM0", machine.root) == f"/dev/serial/by-id/{BY_ID}"
    assert stable_name("/dev/video0", machine.root) == "/dev/v4l/by-id/usb-Webcam-video-index0"
    assert stable_name(f"/dev/serial/by-id/{BY_ID}", machine.root) == ""
    assert stable_name("/dev/ttyACM1", machine.root) == ""
    assert stable_name("/dev/ttyS9", machine.root) == ""


def test_names_of_udevs_and_of_our_own_rules_are_stable_by_port_where_there_is_no_serial_number(machine):
    printer = machine.usb("1-4", "0a5f", "0166", "ZTC ZD421")
    machine.add("usbmisc", "lp0", printer, "usb/lp0")
    machine.name("bodega/lp", "ZTC_ZD421-if00", "../../usb/lp0")
    machine.add("video4linux", "video2", printer, "video2")
    machine.name("v4l/by-path", "platform-csi-video-index0", "../../video2")
    stable = {one.path: one.stable for one in plugged_in(machine.root)}
    assert stable["/dev/usb/lp0"] == "/dev/bodega/lp/ZTC_ZD421-if00"
    assert stable["/dev/video2"] == "/dev/v4l/by-path/platform-csi-video-index0"
    assert stable_name("/dev/usb/lp0", machine.root) == "/dev/bodega/lp/ZTC_ZD421-if00"
    assert stable_name("/dev/bodega/lp/ZTC_ZD421-if00", machine.root) == ""


def test_the_hidraw_file_of_a_keyboard_and_a_port_without_a_chip_are_no_devices(machine):
    for number, descriptor in enumerate(("05010906a101", "068c000902a101")):
        hardware = machine.usb(f"1-{5 + number}", "05e0", "1200", "Scanner")
        (hardware / "report_descriptor").write_bytes(bytes.fromhex(descriptor))
        machine.add("hidraw", f"hidraw{number}", hardware, f"hidraw{number}")
        machine.add("tty", f"ttyS{number}", hardware, f"ttyS{number}", type=f"{number * 4}\n")
    found = {one.path for one in plugged_in(machine.root)}
    assert found & {"/dev/hidraw0", "/dev/hidraw1"} == {"/dev/hidraw1"}
    assert found & {"/dev/ttyS0", "/dev/ttyS1"} == {"/dev/ttyS1"}
