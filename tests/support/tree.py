"""The project's own files: what the house rules are checked on."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("agent", "controlplane", "proto", "firmware_adapters")
TOP_FOLDERS = (*SOURCE_ROOTS, "packaging", "systemd", "tests")
GENERATED_SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def own_files(root: Path = ROOT) -> list[Path]:
    """Every file that belongs to the project: in git, or new and not ignored. Relative to the root."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted(Path(name) for name in set(listing.split("\0")) if name and (root / name).is_file())


def is_generated(path: Path) -> bool:
    """Whether a tool wrote this file, so that rules for human writing do not apply."""
    return path.name.endswith(GENERATED_SUFFIXES)


def own_python(root: Path = ROOT) -> list[Path]:
    """Every Python file that people write."""
    return [path for path in own_files(root) if path.suffix == ".py" and not is_generated(path)]


def is_source(path: Path) -> bool:
    """Whether a file is part of the four packages that are shipped."""
    return path.parts[0] in SOURCE_ROOTS
