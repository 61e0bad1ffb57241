"""The registry: drivers by name, wrong options in one voice, other packages through entry points, no cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bodega.errors import InvalidInput, Unavailable
from bodega_adapters.registry import open_camera, open_printer, open_scanner

ACME = """
class AcmeScanner:
    def __init__(self, name: str, serial_number: str, volume: int = 3) -> None:
        self.name, self.serial_number, self.volume = name, serial_number, volume
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
        "scanner.serial = acme_bodega:AcmeScanner\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_shipped_drivers_open_by_name_with_their_options(tmp_path):
    assert open_scanner("serial", "gun-1", {"port": "/dev/null", "baud": 115_200}).name == "gun-1"
    assert open_printer("zpl-tcp", "zebra-1", {"host": "192.0.2.1", "status_s": 1}).name == "zebra-1"
    assert open_camera("folder", "tray-1", {"path": str(tmp_path)}).name == "tray-1"


@pytest.mark.parametrize("opener", [open_scanner, open_printer, open_camera])
def test_an_unknown_driver_is_refused_and_the_known_ones_are_named(opener):
    with pytest.raises(InvalidInput, match="'abacus'") as caught:
        opener("abacus", "one", {})
    assert any(known in caught.value.hint for known in ("serial", "zpl-tcp", "folder"))


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
