"""The pinned requirements fit pyproject.toml, carry hashes, and name no address: they work behind any index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import lock
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
GROUPS: dict[str, list[str | dict[str, str]]] = PROJECT["dependency-groups"]
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)")
# The two runtimes of ONNX share one import name and come out of step now and then.
VERSIONS_MAY_DIFFER = {"onnxruntime"}


def _entries(name: str) -> list[str]:
    """The logical lines of one file: a requirement together with its hashes."""
    text = (ROOT / "packaging" / "requirements" / f"{name}.txt").read_text()
    joined = text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def _versions(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in _entries(name):
        match = PINNED.match(entry)
        assert match, f"{name}.txt: not pinned: {entry[:80]}"
        found.setdefault(canonicalize_name(match["name"]), set()).add(match["version"])
    return found


def _of_extra(extra: str) -> list[Requirement]:
    requirements: list[Requirement] = []
    for line in EXTRAS[extra]:
        requirement = Requirement(line)
        if requirement.name == "bodega":
            requirements += [inner for named in requirement.extras for inner in _of_extra(named)]
        else:
            requirements.append(requirement)
    return requirements


def _of_group(group: str) -> list[Requirement]:
    requirements: list[Requirement] = []
    for entry in GROUPS[group]:
        requirements += _of_group(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
    return requirements


def _declared(name: str) -> list[Requirement]:
    """What pyproject.toml asks for in one set of lock.SETS."""
    asked = [option.removeprefix("--").split("=") for option in lock.SETS[name]]
    requirements = (
        [] if name == "bootstrap" else [Requirement(line) for line in PROJECT["project"]["dependencies"]]
    )
    for kind, which in asked:
        requirements += _of_extra(which) if kind == "extra" else _of_group(which)
    return requirements


@pytest.mark.parametrize("name", lock.SETS)
def test_every_declared_requirement_is_pinned_to_a_version_that_satisfies_it(name: str) -> None:
    pinned = _versions(name)
    for requirement in _declared(name):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        assert versions, f"{name}.txt lacks {requirement}: run `make lock`"
        unfit = [version for version in versions if version not in requirement.specifier]
        assert not unfit, f"{name}.txt pins {requirement.name} {unfit}, pyproject.toml asks for {requirement}"


@pytest.mark.parametrize("name", lock.SETS)
def test_every_pinned_package_has_a_hash_and_no_address(name: str) -> None:
    for entry in _entries(name):
        assert "--hash=sha256:" in entry, f"{name}.txt: no hash: {entry[:80]}"
    text = (ROOT / "packaging" / "requirements" / f"{name}.txt").read_text()
    assert "make lock" in text.partition("==")[0], "the header says how to make it again"
    for trace in ("://", "--index", "--extra-index", "--find-links", "@ file", " /"):
        assert trace not in text, f"{name}.txt carries an address or a path: {trace}"


def test_there_is_one_file_for_every_extra_and_no_other() -> None:
    files = {path.stem for path in (ROOT / "packaging" / "requirements").glob("*.txt")}
    assert files == set(lock.SETS)
    assert set(EXTRAS) <= files


def test_a_package_has_one_version_on_every_host() -> None:
    everywhere: dict[str, dict[frozenset[str], str]] = {}
    for name in lock.SETS:
        for package, versions in _versions(name).items():
            everywhere.setdefault(package, {})[frozenset(versions)] = name
    torn = {package: seen for package, seen in everywhere.items() if len(seen) > 1}
    assert torn.keys() <= VERSIONS_MAY_DIFFER, torn


def test_the_larger_set_holds_all_of_the_smaller() -> None:
    assert _versions("demo").keys() <= _versions("dev").keys()


def test_the_lock_ignores_the_lockers_own_indexes() -> None:
    line = lock.command("agent", Path("agent.txt"), upgrade=False)
    assert {"--no-config", "--no-emit-index-url", "--no-emit-find-links", "--generate-hashes"} <= set(line)
    steered = lock.unsteered({"PIP_FIND_LINKS": "x", "UV_INDEX": "y", "HOME": "/nowhere"})
    assert steered == {"HOME": "/nowhere"}
