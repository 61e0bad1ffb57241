"""Recompile `requirements/*.txt` from pyproject.toml: what `make lock` runs.

The largest set is solved first and constrains all others, so that a version is the same on every
host. The output carries hashes and never an address or a path: `--no-config` and an environment
without the locker's own index settings keep a private wheel from slipping into everybody's pins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "packaging" / "requirements"
# Name of the file -> what of pyproject.toml it holds. "dev" comes first: the others must agree with it.
# "bootstrap" is uv alone, without the project's own dependencies: what is needed to install the rest fast.
SETS: dict[str, tuple[str, ...]] = {
    "dev": ("--extra=demo", "--extra=postgres", "--group=dev", "--group=build", "--group=bootstrap"),
    "demo": ("--extra=demo", "--group=build"),
    "agent": ("--extra=agent",),
    "controlplane": ("--extra=controlplane",),
    "postgres": ("--extra=postgres",),
    "vision-cpu": ("--extra=vision-cpu",),
    "vision-gpu": ("--extra=vision-gpu",),
    "bootstrap": ("--group=bootstrap",),
}
STEERING = ("UV_", "PIP_")


def unsteered(environment: dict[str, str]) -> dict[str, str]:
    """An environment without the locker's own indexes and folders of wheels."""
    return {key: value for key, value in environment.items() if not key.startswith(STEERING)}


def command(name: str, target: Path, *, upgrade: bool) -> list[str]:
    """uv's command line for one set."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or "uv"
    line = [uv, "pip", "compile", "--quiet", "--no-config", "--universal", "--python-version=3.11"]
    line += ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate"]
    line += ["--custom-compile-command=make lock", f"--output-file={target}"]
    line += ["--upgrade"] if upgrade else []
    line += [f"--constraints={REQUIREMENTS / 'dev.txt'}"] if name != "dev" else []
    return [*line, *SETS[name], *(["pyproject.toml"] if name != "bootstrap" else [])]


def main(arguments: list[str]) -> int:
    """`lock.py [--upgrade]`: without it, versions move only where pyproject.toml makes them."""
    environment = unsteered(dict(os.environ))
    for name in SETS:
        target = REQUIREMENTS / f"{name}.txt"
        done = subprocess.run(
            command(name, target, upgrade="--upgrade" in arguments), cwd=ROOT, env=environment, check=False
        )
        if done.returncode != 0:
            print(f"lock: {name} has no solution; uv's own words are above", file=sys.stderr)
            return 1
        pinned = sum(line[:1].isalnum() for line in target.read_text().splitlines())
        print(f"{name:14} {pinned:3} packages", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
