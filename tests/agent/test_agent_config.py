"""agent.toml: what a technician gets wrong is named at once, with its line, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.errors import ConfigInvalid, PermissionRefused
from bodega_agent.config import load_config

GOOD = """
node_id = "lisbon-01"
state_dir = "/var/lib/bodega"
[hub]
nats_url = "tls://hub.example:4222"
verify_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
[[scanners]]
name = "scanner-1"
driver = "serial"
options = { port = "/dev/ttyACM0" }
[printer]
name = "zebra"
driver = "zpl-tcp"
options = { host = "127.0.0.1" }
[[cameras]]
name = "bench"
driver = "folder"
options = { path = "/var/lib/bodega/tray" }
[vision]
camera = "bench"
"""

BAD = """node_id = "lisbon 01"
state_dir = "/var/lib/bodega"
log_level = "loud"
[hub]
nats_url = "nats://hub.example:4222"
verify_key = "short"
[[scanners]]
name = "scanner-1"
driver = "serial"
options = { prot = "/dev/ttyACM0" }
[printer]
name = "zebra"
driver = "laser"
[[cameras]]
name = "bench"
driver = "folder"
options = { path = 7 }
[vision]
camera = "bench"
mode = "sometimes"
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "agent.toml"
    path.write_text(text)
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    config = load_config(_written(tmp_path, GOOD))
    assert config.node_id == "lisbon-01"
    assert config.ledger_path == Path("/var/lib/bodega/ledger.db")
    assert config.socket_path == Path("/var/lib/bodega/control.sock")
    assert [scanner.name for scanner in config.scanners] == ["scanner-1"]


def test_every_fault_is_named_at_once_also_those_of_drivers(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        load_config(_written(tmp_path, BAD))
    assert [(fault.line, fault.where) for fault in refusal.value.faults] == [
        (1, "node_id"),
        (3, "log_level"),
        (5, "hub.nats_url"),
        (6, "hub.verify_key"),
        (10, "scanners.0.options.port"),
        (10, "scanners.0.options.prot"),
        (13, "printer.driver"),
        (17, "cameras.0.options.path"),
        (20, "vision.mode"),
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("tls://hub.example:4222", "tls://u:secret@hub.example"), "file of its own"),
        (("tls://hub.example:4222", "http://hub.example"), "tls://host:4222"),
        (('camera = "bench"', 'camera = "door"'), "not one of [[cameras]]"),
        (('name = "bench"', 'name = "scanner-1"'), "unique"),
    ],
)
def test_a_fault_says_what_to_write_instead(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        load_config(_written(tmp_path, GOOD.replace(*change)))
    assert any(problem in fault.problem for fault in refusal.value.faults)
    assert "secret" not in "".join(map(str, refusal.value.faults))


def test_a_file_that_is_no_text_is_a_fault_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigInvalid, match="1 fault"):
        load_config(path)


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(PermissionRefused, match="may not be read"):
        load_config(tmp_path / "agent.toml")


SEVERAL = """
node_id = "lisbon-01"
state_dir = "/var/lib/bodega"
[printer]
name = "old"
driver = "zpl-tcp"
options = { host = "192.0.2.1" }
[[printers]]
name = "till"
prints = "receipts"
driver = "zpl-tcp"
options = { host = "192.0.2.2" }
[[printers]]
name = "new"
driver = "zpl-tcp"
options = { host = "192.0.2.3" }
[[scales]]
name = "scale"
driver = "mt-sics"
options = { port = "/dev/ttyS0" }
"""


def test_several_printers_and_scales_are_read_beside_the_one_of_old_files(tmp_path: Path) -> None:
    config = load_config(_written(tmp_path, SEVERAL))
    assert [printer.name for printer in config.all_printers] == ["old", "till", "new"]
    assert [printer.prints for printer in config.all_printers] == ["labels", "receipts", "labels"]
    assert [scale.name for scale in config.scales] == ["scale"]


@pytest.mark.parametrize(
    ("change", "line", "where", "problem"),
    [
        (('name = "scale"', 'name = "till"'), 18, "scales.0.name", "printers.0 is 'till' too"),
        (('name = "new"', 'name = "old"'), 14, "printers.1.name", "printer is 'old' too"),
        (('prints = "receipts"', 'prints = "money"'), 10, "printers.0.prints", "labels, receipts"),
        (('driver = "mt-sics"', 'driver = "spring"'), 19, "scales.0.driver", "mt-sics"),
        (("port =", "prot ="), 20, "scales.0.options.prot", "not an option"),
    ],
)
def test_what_is_wrong_with_a_printer_or_a_scale_is_named_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int, where: str, problem: str
) -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        load_config(_written(tmp_path, SEVERAL.replace(*change)))
    (fault,) = refusal.value.faults
    assert (fault.line, fault.where) == (line, where)
    assert problem in fault.problem
