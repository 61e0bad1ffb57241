"""What firmware_adapters/README.md tells a driver's author is true: its code runs, and keeps the scanner's contract."""

from __future__ import annotations

import inspect
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bodega_adapters import registry
from bodega_adapters.registry import open_scanner
from bodega_adapters.simulated.script import parse_script
from bodega_agent.simulation import Simulation
from contracts import test_scanner_contract as contract
from support.tree import ROOT

README = (ROOT / "firmware_adapters/README.md").read_text()


def blocks(heading: str, language: str = "python") -> list[str]:
    section = re.split(r"^## ", README.split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


DRIVER, LINE, RIG = blocks("How to add a device")
PROMISES = [
    test
    for name, test in vars(contract).items()
    if name.startswith("test_") and list(inspect.signature(test).parameters) == ["rig"]
]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The README's driver under the README's rig, registered by the README's line."""
    module = ModuleType("bodega_adapters.scanners.tcp")
    # The driver's annotations are looked up in its module.
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(DRIVER, "README.md", "exec"), vars(module))
    monkeypatch.setattr(registry, "SCANNERS", dict(registry.SCANNERS))
    monkeypatch.setitem(registry._TABLES, "scanner", registry.SCANNERS)
    exec(LINE, {"SCANNERS": registry.SCANNERS})
    rigs: dict[str, Callable[[Path], Any]] = {}
    names = {
        "RIGS": rigs,
        "Path": Path,
        "Scanner": contract.Scanner,
        "open_scanner": open_scanner,
        "socket": socket,
    }
    exec(compile(RIG, "README.md", "exec"), names)
    rig = rigs["tcp"](tmp_path)
    yield rig
    rig.unplug()


@pytest.mark.parametrize("promise", PROMISES, ids=lambda test: test.__name__)
async def test_the_worked_example_keeps_every_promise_of_its_port(rig, promise):
    assert len(PROMISES) >= 10
    await promise(rig)


def test_the_examples_options_are_checked_like_any_others(rig):
    faults = registry.device_faults("scanner", "tcp", {"port": "high"})
    assert [fault.where for fault in faults] == ["options.host", "options.port"]
    assert registry.records("scanner", "tcp")


def test_the_entry_point_is_of_the_group_that_is_read():
    (text,) = blocks("How to add a device", "toml")
    assert list(tomllib.loads(text)["project"]["entry-points"]) == [registry.ENTRY_POINT_GROUP]


async def test_the_script_is_right(tmp_path):
    (text,) = blocks("Without devices", "toml")
    simulation = Simulation(tmp_path)
    await simulation.start()
    try:
        assert [step.at_s for step in parse_script(text, simulation.devices)] == [2, 5, 8]
    finally:
        await simulation.close()


def test_what_there_is_to_try_prints_what_it_says():
    (text,) = blocks("Try it")
    shown = re.search(r"^# (\w+\(.*\))$", text, re.MULTILINE)
    assert shown is not None
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines()[-1] == shown[1]


def test_every_driver_of_ours_is_in_the_table():
    for kind, table in registry._TABLES.items():
        for driver in table:
            assert f"`{driver}`" in README, f"{kind} {driver} is not in the table of drivers"
