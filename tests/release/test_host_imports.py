"""Each host's pinned set holds what that host's code imports, so that no box starts to a ModuleNotFoundError."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from support.tree import ROOT, own_python

# The four packages, and what pytest puts on the path: the folders and files of tests/ and packaging/.
OURS = {"bodega", "bodega_adapters", "bodega_agent", "bodega_controlplane"}
OURS |= {
    path.parts[1].removesuffix(".py") for path in own_python() if path.parts[0] in {"packaging", "tests"}
}
# Parts that run in a process of their own, or only on a developer's machine, with an extra of their own.
VISION = (
    "agent/bodega_agent/vision/",
    "firmware_adapters/bodega_adapters/cameras/",
    "firmware_adapters/bodega_adapters/simulated/tray_picture.py",
)
# Run by the system's own Python, with Debian's packages.
DEBIANS = ("tests/hardware/rtsp/gst_rtsp_server.py",)
DEMO = ("agent/bodega_agent/demo/",)
MODEL_BUILDERS = re.compile(r"vision/models/build_\w+\.py$")
OPTIONAL_TWIN = {"onnxruntime-gpu"}


def _at_run_time(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import that is carried out, and none that only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.level == 0):
            yield node
        elif not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")):
            yield from _at_run_time(node)


def _third_party_imports(paths: list[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        for node in _at_run_time(ast.parse((ROOT / path).read_text())):
            modules = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            found.update({module.partition(".")[0]: path for module in modules})
    return {name: path for name, path in found.items() if name not in {*sys.stdlib_module_names, *OURS, ""}}


def _pinned(*names: str) -> set[str]:
    text = "".join((ROOT / "packaging" / "requirements" / f"{name}.txt").read_text() for name in names)
    return {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def _below(*folders: str, without: tuple[str, ...] = ()) -> list[Path]:
    return [
        path
        for path in own_python()
        if str(path).startswith(folders)
        and not str(path).startswith(without)
        and not MODEL_BUILDERS.search(str(path))
    ]


@pytest.mark.parametrize(
    ("sets", "paths"),
    [
        (("agent",), _below("agent/", "firmware_adapters/", "proto/", without=VISION + DEMO)),
        (("agent", "vision-cpu"), _below(*VISION)),
        (("agent", "vision-gpu"), _below(*VISION)),
        (("controlplane",), _below("controlplane/", "proto/")),
        (("demo",), _below("agent/", "controlplane/", "firmware_adapters/", "proto/")),
        (("dev",), [path for path in own_python() if not str(path).startswith(DEBIANS)]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)
def test_the_pinned_set_of_a_host_holds_all_that_its_code_imports(
    sets: tuple[str, ...], paths: list[Path]
) -> None:
    assert paths
    distributions = packages_distributions()
    pinned = _pinned(*sets)
    for module, path in _third_party_imports(paths).items():
        providers = {canonicalize_name(name) for name in distributions.get(module, [])}
        assert providers, f"{path} imports {module}, which no pinned package provides"
        if module == "onnxruntime":
            providers |= OPTIONAL_TWIN
        assert providers & pinned, f"{path} imports {module}, and {'+'.join(sets)} holds none of {providers}"
