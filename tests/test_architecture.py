"""The house stands as the READMEs draw it: who imports whom, tables total, nothing generated stale."""

from __future__ import annotations

import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path

import diagrams
import protos
import pytest

from bodega.core.tables import StateTable
from support import tables, tidy
from support.tree import ROOT, SOURCE_ROOTS, TOP_FOLDERS, own_python

PURE_FOLDERS = (
    "proto/bodega/core",
    "firmware_adapters/bodega_adapters/framing",
    "agent/bodega_agent/rules",
    "controlplane/bodega_controlplane/rules",
)
TABLES = diagrams.state_tables()
PICTURES = diagrams.drawings()


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """import-linter with this project's contracts over the packages below `root`."""
    # Wide, because the names of contracts are sentences and each must stay on one line to be found.
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(root / one) for one in SOURCE_ROOTS),
        "COLUMNS": "300",
    }
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache", "--config", ROOT / ".importlinter"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_every_import_contract_is_kept() -> None:
    outcome = lint_imports(ROOT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.fixture(scope="module")
def copied_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four packages again, so that a test can break a contract in them."""
    root = tmp_path_factory.mktemp("house")
    for path in own_python():
        if path.parts[0] in SOURCE_ROOTS:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes((ROOT / path).read_bytes())
    return root


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("proto/bodega/intruder.py", "import bodega_adapters", "Imports run one way"),
        ("firmware_adapters/bodega_adapters/intruder.py", "import bodega_agent", "Imports run one way"),
        ("controlplane/bodega_controlplane/intruder.py", "import bodega_adapters", "knows no device"),
        ("proto/bodega/core/intruder.py", "import time", "Rules and framings are pure"),
        ("proto/bodega/core/intruder.py", "import bodega.host.log", "Rules and framings are pure"),
        ("agent/bodega_agent/rules/intruder.py", "import asyncio", "Rules and framings are pure"),
        (
            "firmware_adapters/bodega_adapters/framing/intruder.py",
            "import serial",
            "Rules and framings are pure",
        ),
        ("agent/bodega_agent/intruder.py", "import nats", "Only the transports speak NATS"),
        ("agent/bodega_agent/intruder.py", "import apsw", "Only the agent's store"),
        ("controlplane/bodega_controlplane/intruder.py", "import cel", "Only the engine's owner loads CEL"),
        ("agent/bodega_agent/intruder.py", "import sqlite3", "Nobody uses the SQLite"),
        (
            "controlplane/bodega_controlplane/intruder.py",
            "import sqlalchemy",
            "Only the control plane's store",
        ),
        ("agent/bodega_agent/intruder.py", "from bodega_agent.demo import main", "The demo is at the top"),
        ("agent/bodega_agent/intruder.py", "import structlog", "Only bodega.host.log"),
    ],
)
def test_a_broken_import_contract_is_named(copied_house: Path, module: str, line: str, contract: str) -> None:
    intruder = copied_house / module
    intruder.write_text(f"{line}\n")
    try:
        outcome = lint_imports(copied_house)
    finally:
        intruder.unlink()
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    broken = [row for row in outcome.stdout.splitlines() if "BROKEN" in row]
    assert any(contract in row for row in broken), outcome.stdout


@pytest.mark.parametrize("folder", PURE_FOLDERS)
def test_pure_folders_call_no_clock_and_open_no_file(folder: str) -> None:
    modules = [path for path in own_python() if path.is_relative_to(folder)]
    assert modules, f"{folder} is empty or has moved"
    faults = [
        line for path in modules for line in tidy.numbered(path, tidy.impure_call((ROOT / path).read_text()))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_state_table_answers_every_pair_and_strands_nobody(table: tables.AnyTable) -> None:
    assert tables.faults_of(table) == []


class _Light(StrEnum):
    RED = "red"
    GREEN = "green"
    BROKEN = "broken"


class _Signal(StrEnum):
    GO = "go"
    STOP = "stop"


@pytest.mark.parametrize(
    ("steps", "terminal", "fault"),
    [
        (
            {(_Light.RED, _Signal.GO): _Light.GREEN},
            {_Light.GREEN, _Light.BROKEN},
            "broken can never be reached",
        ),
        ({(_Light.RED, _Signal.GO): _Light.RED}, {_Light.RED}, "red is final but can be left"),
        ({(_Light.RED, _Signal.GO): _Light.GREEN}, set(), "green is a dead end but not final"),
        ({(_Light.RED, _Signal.GO): _Light.GREEN}, set(), "stop is never legal"),
        ({(_Light.RED, "shout"): _Light.GREEN}, set(), "is no pair of its states and events"),
        ({(_Light.RED, _Signal.GO): "blue"}, set(), "leads to a foreign state"),
    ],
)
def test_a_broken_state_table_is_found_out(steps: dict, terminal: set, fault: str) -> None:
    table = StateTable("light", _Light, _Signal, _Light.RED, steps, frozenset(terminal))
    assert any(fault in sentence for sentence in tables.faults_of(table))


def test_a_table_that_allows_what_it_does_not_list_is_found_out() -> None:
    class Lenient(StateTable):
        def step(self, state: _Light, event: _Signal) -> _Light:
            return self.steps.get((state, event), state)

    table = Lenient(
        "light", _Light, _Signal, _Light.RED, {(_Light.RED, _Signal.GO): _Light.GREEN}, frozenset()
    )
    assert "(red, stop) answers something else than the table says" in tables.faults_of(table)


def test_generated_code_is_what_the_protos_generate() -> None:
    assert protos.definitions(), "there is no .proto file where they are looked for"
    assert protos.stale() == []


def test_stale_missing_and_left_over_generated_code_is_found_out(tmp_path: Path) -> None:
    folder = tmp_path / "bodega" / "v1"
    folder.mkdir(parents=True)
    for name in ("fresh", "old", "missing"):
        (folder / f"{name}.proto").write_text(
            f'syntax = "proto3";\npackage bodega.v1;\nmessage {name.title()} {{}}\n'
        )
    protos.generate(tmp_path, tmp_path)
    (folder / "old_pb2.py").write_text("# edited by hand\n")
    (folder / "missing_pb2.py").unlink()
    (folder / "gone_pb2.py").write_text("")
    assert protos.stale(tmp_path) == [
        "bodega/v1/gone_pb2.py has no .proto any more",
        "bodega/v1/missing_pb2.py is missing",
        "bodega/v1/old_pb2.py is not what its .proto generates",
    ]


def test_every_state_table_is_drawn_in_a_readme_and_every_drawing_is_fresh() -> None:
    drawn: set[str] = set()
    for path in diagrams.readmes():
        text = path.read_text()
        assert diagrams.redraw(text, PICTURES) == text, f"{path} is stale: run `make diagrams`"
        drawn |= diagrams.drawn(text)
    assert drawn == set(PICTURES), "each table needs one <!-- diagram:NAME --> in a README"


def test_a_stale_drawing_is_redrawn_and_an_unknown_one_refused() -> None:
    stale = "before\n<!-- diagram:fulfillment -->\nold\n<!-- /diagram -->\nafter\n"
    fresh = diagrams.redraw(stale, PICTURES)
    assert TABLES["fulfillment"].mermaid() in fresh
    assert fresh.startswith("before\n")
    assert fresh.endswith("\nafter\n")
    with pytest.raises(KeyError, match="nonsense"):
        diagrams.redraw("<!-- diagram:nonsense -->\n<!-- /diagram -->", PICTURES)


@pytest.mark.parametrize("folder", TOP_FOLDERS)
def test_every_top_level_folder_says_what_lives_there(folder: str) -> None:
    text = (ROOT / folder / "README.md").read_text()
    assert text.startswith("# "), "a README starts with its title"
    assert len(text.splitlines()) > 3, "what lives here, what may be imported, how to add one more"


def test_the_top_level_holds_nothing_else() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    left_by_tools = {"build", "dist", "__pycache__"}
    assert folders - left_by_tools == set(TOP_FOLDERS)
