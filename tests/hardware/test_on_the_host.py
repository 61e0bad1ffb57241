"""The host's part of `make test-hardware`: nothing passes for a success that is none. Needs no virtual machine."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from bodega_adapters.scanners.wired import SCANNER_MAKERS
from hardware.machine import run_to_end
from hardware.rootfs import RootfsFailed, apt_sources
from hardware.run import install_programs, verdict
from support.tree import ROOT

REPORT = '<testsuite tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"/>'


def report(folder: Path, **counts: int) -> Path:
    path = folder / "junit.xml"
    path.write_text(REPORT.format(**{"tests": 3, "failures": 0, "errors": 0, "skipped": 0, **counts}))
    return path


def test_only_a_report_of_tests_that_all_passed_is_a_success(tmp_path: Path):
    assert verdict(report(tmp_path)) == ""


@pytest.mark.parametrize("counts", [{"failures": 1}, {"errors": 1}, {"skipped": 1}, {"tests": 0}])
def test_a_failure_an_error_a_skip_or_no_test_at_all_is_none(tmp_path: Path, counts: dict[str, int]):
    assert verdict(report(tmp_path, **counts))


def test_a_machine_that_ends_without_a_report_has_failed(tmp_path: Path):
    assert "without a report" in verdict(tmp_path / "junit.xml")


def test_what_a_machine_says_is_heard_line_by_line_and_one_that_does_not_end_is_killed():
    heard: list[str] = []
    says = "import time; print('one'); print('two', flush=True); time.sleep({})"
    assert run_to_end([sys.executable, "-c", says.format(0)], 60, heard.append)
    assert not run_to_end([sys.executable, "-c", says.format(600)], 3, heard.append)
    assert heard[:2] == ["one", "two"]


def test_the_disk_comes_from_the_apt_sources_of_this_release_and_from_no_other(tmp_path: Path):
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    ours = folder / "debian.sources"
    ours.write_text("Types: deb\nURIs: http://mirror.example/linux\nSuites: bookworm bookworm-updates\n")
    (folder / "other.list").write_text("deb http://other.example/apt bookworm-tools main\n")
    (folder / "old.sources.disabled").write_text(ours.read_text())
    assert apt_sources("bookworm", tmp_path) == [ours]
    with pytest.raises(RootfsFailed, match="trixie"):
        apt_sources("trixie", tmp_path)


def test_who_may_not_install_a_missing_package_is_told_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("shutil.which", lambda _program: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert not install_programs()
    assert "apt-get install qemu-system-x86 mmdebstrap e2fsprogs" in capsys.readouterr().err


def test_our_udev_rules_and_our_drivers_know_the_same_makers_of_scanners():
    rules = (ROOT / "systemd" / "60-bodega-devices.rules").read_text()
    named = re.search(r'SUBSYSTEM=="hidraw", ENV\{ID_VENDOR_ID\}=="([0-9a-f|]+)"', rules)
    assert named is not None
    assert set(named[1].split("|")) == {f"{maker.vendor:04x}" for maker in SCANNER_MAKERS}
