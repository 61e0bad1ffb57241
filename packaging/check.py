"""Everything that can be judged without running the program: what `make check` runs.

All steps run even when one fails, and the failures are listed at the end, so that one run shows all
there is to mend. Each step is one row of a table; `check.py NAME...` runs only these.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
SOURCE_ROOTS = ("agent", "controlplane", "proto", "firmware_adapters")
BASELINE = "proto/baseline.binpb"


@dataclass(frozen=True)
class Step:
    """One judge: its name, its command line, and what to do when it says no."""

    name: str
    command: tuple[str, ...]
    remedy: str = ""


STEPS = (
    Step("ruff", ("ruff", "check", "--quiet", "."), "`make fmt` mends what can be mended by itself"),
    Step("format", ("ruff", "format", "--check", "--quiet", "--diff", "."), "run `make fmt`"),
    Step("types", ("mypy",)),
    Step("types-tools", ("mypy", "packaging", "tests/support", "tests/benchmarks")),
    Step("imports", ("lint-imports", "--no-cache"), "`.importlinter` says in sentences who may import whom"),
    Step("buf-lint", ("buf", "lint", "proto")),
    Step("buf-format", ("buf", "format", "--diff", "--exit-code", "proto"), "run `make fmt`"),
    Step(
        "buf-breaking",
        ("buf", "breaking", "proto", f"--against={BASELINE}"),
        "old nodes must understand this; `make protos-baseline` only when no node runs the old protocol",
    ),
    Step("protos-fresh", ("python", "packaging/protos.py", "--check"), "run `make protos`"),
    Step("deptry", ("deptry", "--no-ansi", *SOURCE_ROOTS), "pyproject.toml and the imports must agree"),
    Step("changelog", ("towncrier", "build", "--draft", "--version=next")),
)


def passes(step: Step) -> bool:
    """Run one step; its words are shown only when it fails."""
    search = f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": search, "PYTHONSAFEPATH": "1", "NO_COLOR": "1", "COLUMNS": "160"}
    # import-linter and the checks of our own import the packages, from the checkout and nowhere else.
    environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / one) for one in SOURCE_ROOTS)
    begun = time.monotonic()
    done = subprocess.run(
        [str(TOOLS / step.command[0]), *step.command[1:]],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    print(
        f"{'ok  ' if done.returncode == 0 else 'FAIL'} {step.name:14} {time.monotonic() - begun:5.1f} s",
        flush=True,
    )
    if done.returncode != 0:
        print(done.stdout + done.stderr, end="", flush=True)
    return done.returncode == 0


def main(names: list[str]) -> int:
    """Exit 1 when a step fails, 2 when a name is none of ours."""
    unknown = set(names) - {step.name for step in STEPS}
    if unknown:
        print(f"check: no step {', '.join(sorted(unknown))}; there are: {', '.join(s.name for s in STEPS)}")
        return 2
    failed = [step for step in STEPS if (not names or step.name in names) and not passes(step)]
    for step in failed:
        print(f"failed: {step.name}" + (f" ({step.remedy})" if step.remedy else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
