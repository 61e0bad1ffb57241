"""What is shipped: the wheel holds the four packages whole, and the installer refuses what it cannot do."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.tree import ROOT, SOURCE_ROOTS, own_files

INSTALL = ROOT / "packaging" / "install.sh"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline with the pinned hatchling."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True
    )
    [built] = folder.glob("bodega-*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_four_packages_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    packages = {root: next((ROOT / root).glob("*/__init__.py")).parent.name for root in SOURCE_ROOTS}
    ours = {
        str(path.relative_to(path.parts[0]))
        for path in own_files()
        if path.parts[0] in packages and path.parts[1] == packages[path.parts[0]]
    }
    assert names == ours


def test_the_wheel_brings_both_commands_and_the_licence(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    [entry_points] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
    text = archive.read(entry_points).decode()
    assert "bodega = " in text
    assert "bodegactl = " in text
    assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "usage:"),
        (["everything"], 2, "usage:"),
        (["agent", "--vision", "abacus"], 2, "usage:"),
        (["agent", "--root"], 2, "usage:"),
        (["agent", "--root", "/image", "--now"], 2, "nothing to start --now"),
        (["agent", "--root", "{tmp}", "--wheel", "{tmp}/none.whl"], 66, "make dist"),
    ],
)
def test_the_installer_says_what_is_wrong_and_touches_nothing(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    line = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    done = subprocess.run(["bash", INSTALL, *line], capture_output=True, text=True, check=False)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert list(tmp_path.iterdir()) == []
