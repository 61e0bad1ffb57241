"""The registry: drivers by name, wrong options in one voice, other packages through entry points, no cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bodega.errors import InvalidInput, Unavailable
from bodega_adapters.ports import Recognition
from bodega_adapters.registry import (
    device_faults,
    drivers,
    open_camera,
    open_printer,
    open_scale,
    open_scanner,
)
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_adapters.wires.tape import Recorder
from support.devices import eventually, listening

ACME = """
from bodega_adapters.ports import Recognition, ScannerAbilities

class AcmeScanner:
    recognises = Recognition(subsystem="hidraw")
    abilities = ScannerAbilities(aim=True, keeps_gs=True)
    connected = False

    def __init__(self, name: str, serial_number: str, volume: int = 3) -> None:
        self.name, self.serial_number, self.volume = name, serial_number, volume

    async def scans(self):
        return
        yield

    async def close(self) -> None:
        return

class HalfAScanner:
    def __init__(self, name: str) -> None:
        self.name = name

    async def close(self) -> None:
        return

class NamelessScanner(AcmeScanner):
    def __init__(self, name: str) -> None:
        return
"""


@pytest.fixture
def acme_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another distribution, installed as pip would leave it: a module and its metadata."""
    (tmp_path / "acme_bodega.py").write_text(ACME)
    metadata = tmp_path / "acme_bodega-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-bodega\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[bodega.adapters]\n"
        "scanner.acme = acme_bodega:AcmeScanner\n"
        "scanner.broken = acme_bodega:Nothing\n"
        "scanner.half = acme_bodega:HalfAScanner\n"
        "scanner.nameless = acme_bodega:NamelessScanner\n"
        "scanner.serial = acme_bodega:AcmeScanner\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_shipped_drivers_open_by_name_with_their_options(tmp_path):
    assert open_scanner("serial", "gun-1", {"port": "/dev/null", "baud": 115_200}).name == "gun-1"
    assert open_printer("zpl-tcp", "zebra-1", {"host": "192.0.2.1", "status_s": 1}).name == "zebra-1"
    assert open_camera("folder", "tray-1", {"path": str(tmp_path)}).name == "tray-1"


@pytest.mark.parametrize("opener", [open_scanner, open_printer, open_camera, open_scale])
def test_an_unknown_driver_is_refused_and_the_known_ones_are_named(opener):
    with pytest.raises(InvalidInput, match="'abacus'") as caught:
        opener("abacus", "one", {})
    assert any(known in caught.value.hint for known in ("serial", "zpl-tcp", "folder", "mt-sics"))


def test_every_wrong_option_is_named_at_once_with_the_right_ones():
    with pytest.raises(InvalidInput) as caught:
        open_scanner("serial", "gun-1", {"baud": "fast", "colour": "red"})
    assert [fault.where for fault in caught.value.faults] == ["gun-1.port", "gun-1.baud", "gun-1.colour"]
    assert "port, baud, terminators" in caught.value.hint


def test_true_is_not_a_number_and_a_clock_is_not_an_option():
    with pytest.raises(InvalidInput, match="baud: is not of type int"):
        open_scanner("serial", "gun-1", {"port": "/dev/null", "baud": True})
    with pytest.raises(InvalidInput, match="clock: is not an option"):
        open_scanner("serial", "gun-1", {"port": "/dev/null", "clock": "12:00"})


@pytest.mark.usefixtures("acme_package")
def test_another_package_adds_a_driver_with_an_entry_point():
    scanner = open_scanner("acme", "gun-9", {"serial_number": "X1"})
    assert (scanner.name, scanner.serial_number, scanner.volume) == ("gun-9", "X1", 3)
    with pytest.raises(InvalidInput, match="serial_number: is needed"):
        open_scanner("acme", "gun-9", {})
    with pytest.raises(InvalidInput, match="no printer driver 'acme'"):
        open_printer("acme", "gun-9", {})


@pytest.mark.usefixtures("acme_package")
def test_a_broken_package_is_unavailable_and_never_shadows_ours():
    with pytest.raises(Unavailable, match="does not load") as caught:
        open_scanner("broken", "gun-9", {})
    assert caught.value.hint
    assert not hasattr(open_scanner("serial", "gun-1", {"port": "/dev/null"}), "serial_number")


@pytest.mark.usefixtures("acme_package")
def test_a_driver_that_lacks_what_its_port_demands_is_refused_and_told_what():
    with pytest.raises(InvalidInput, match="is no Scanner: it lacks recognises, scans") as caught:
        open_scanner("half", "gun-9", {})
    assert "ports.Scanner" in caught.value.hint
    assert "lacks recognises, scans" in device_faults("scanner", "half", {})[0].problem
    with pytest.raises(InvalidInput, match="lacks name"):
        open_scanner("nameless", "gun-9", {})


async def test_a_recorder_goes_to_a_driver_that_takes_one_and_to_no_other(tmp_path):
    heard: list[bytes] = []
    recorder = Recorder()
    recorder.listener = lambda _way, data: heard.append(data)
    device = SimulatedScanner()
    scanner = open_scanner("serial", "gun-1", {"port": device.path}, recorder=recorder)
    async with listening(scanner) as listener:
        await eventually(lambda: scanner.connected)
        device.scan("A-01", symbology=None)
        await listener.wait_for(1)
    device.close()
    assert b"".join(heard) == b"A-01\r\n"
    assert open_camera("folder", "tray-1", {"path": str(tmp_path)}, recorder=recorder).name == "tray-1"


@pytest.mark.usefixtures("acme_package")
def test_every_driver_is_listed_with_its_package_its_options_and_what_it_recognises():
    found = {(one.kind, one.driver): one for one in drivers()}
    serial, acme = found["scanner", "serial"], found["scanner", "acme"]
    assert (serial.package, acme.package) == ("bodega", "acme-bodega")
    assert [(one.name, one.type, one.default, one.needed) for one in acme.options] == [
        ("serial_number", str, None, True),
        ("volume", int, 3, False),
    ]
    assert acme.recognises == Recognition(subsystem="hidraw")
    assert serial.records
    assert not acme.records
    assert "does not load" in found["scanner", "broken"].problem
    assert "lacks recognises, scans" in found["scanner", "half"].problem


def test_the_registry_and_the_ports_load_no_device_library():
    code = (
        "import sys, bodega_adapters.registry, bodega_adapters.ports\n"
        "heavy = {'cv2', 'numpy', 'serial', 'biip', 'asyncio'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 0, result.stderr
