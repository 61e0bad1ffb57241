"""The units are right by systemd's own judgement: no typo, and an exposure of at most 2.0."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from support.tree import ROOT

UNITS = sorted((ROOT / "systemd").glob("*.service"))
# Ten times the exposure level; lower is better, and well-known agents score 84 to 96.
EXPOSURE_TENTHS_MAX = 20
by_name = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and "CI" not in os.environ,
    reason="systemd-analyze is not on this machine (apt-get install systemd); CI has it",
)


def _analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def _directives(unit: Path) -> dict[str, list[str]]:
    """The [Service] section; a directive may stand more than once, so values are lists."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def _placed(unit: Path, folder: Path) -> Path:
    """The unit with programs that exist, as it will be on a box: verify looks whether they do."""
    text = unit.read_text()
    for program in set(re.findall(r"/opt/bodega/bin/\w+", text)):
        stand_in = folder / Path(program).name
        stand_in.write_text("#!/bin/sh\n")
        stand_in.chmod(0o755)
        text = text.replace(program, str(stand_in))
    placed = folder / unit.name
    placed.write_text(text)
    return placed


def test_there_is_a_unit_for_each_daemon() -> None:
    assert [unit.name for unit in UNITS] == ["bodega-agent.service", "bodega-controlplane.service"]


@needs_systemd
@by_name
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    verdict = _analyze("verify", "--man=no", _placed(unit, tmp_path))
    # It exits 0 on a typo, so every word on standard error counts.
    assert (verdict.returncode, verdict.stderr) == (0, "")


@needs_systemd
def test_a_typo_is_found(tmp_path: Path) -> None:
    unit = _placed(UNITS[0], tmp_path)
    unit.write_text(unit.read_text().replace("WatchdogSec", "WatchdogSecs"))
    assert "WatchdogSecs" in _analyze("verify", "--man=no", unit).stderr


@needs_systemd
@by_name
def test_exposure_stays_low(unit: Path) -> None:
    verdict = _analyze("security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE_TENTHS_MAX}", unit)
    assert verdict.returncode == 0, verdict.stdout[-400:] + verdict.stderr
    assert "Overall exposure level" in verdict.stdout


@needs_systemd
def test_exposure_of_an_open_unit_is_refused(tmp_path: Path) -> None:
    unit = tmp_path / "open.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    assert _analyze("security", "--offline=yes", f"--threshold={EXPOSURE_TENTHS_MAX}", unit).returncode != 0


@by_name
def test_a_hung_daemon_is_restarted_and_a_stopping_one_has_time(unit: Path) -> None:
    service = _directives(unit)
    assert service["Type"] == ["notify"]
    assert service["NotifyAccess"] == ["main"]
    assert service["WatchdogSec"] == ["30"]
    assert service["Restart"] == ["always"]
    assert service["TimeoutStopSec"] == ["10"]


@by_name
def test_a_daemon_runs_as_nobody_special(unit: Path) -> None:
    service = _directives(unit)
    assert service["User"] == ["bodega"]
    assert service["CapabilityBoundingSet"] == [""]
    assert service["DevicePolicy"] == ["closed"]


def test_two_daemons_on_one_box_share_no_state_and_no_runtime_directory() -> None:
    for directive in ("StateDirectory", "RuntimeDirectory"):
        names = [_directives(unit)[directive][0] for unit in UNITS]
        assert len(set(names)) == len(UNITS), f"{directive}: one daemon would remove the other's"


@by_name
def test_the_unit_starts_a_program_that_the_wheel_installs(unit: Path) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    program = _directives(unit)["ExecStart"][0].split()[0]
    assert Path(program).name in scripts


@needs_systemd
def test_the_user_that_the_units_run_as_is_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    definition = ROOT / "systemd" / "bodega.sysusers.conf"
    made = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", definition], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    assert "bodega:" in (tmp_path / "etc" / "passwd").read_text()
