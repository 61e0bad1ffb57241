"""Run the benchmarks: what `make bench` runs.

A benchmark is a module `bench_*.py` beside this file with a `NAME` and a `run()` that yields Results.
Standard output carries JSON lines and nothing else, so that it can be piped; words for people go to
standard error.
"""

from __future__ import annotations

import importlib.util
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Run as a script, so the folder that the tests import from is named here.
sys.path.insert(0, str(HERE.parent))

from benchmarks.result import Result  # noqa: E402 - the line above makes it importable

EXIT_FAILED = 1
EXIT_USAGE = 2


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A module's name, what it measures in one sentence, and how to run it."""

    name: str
    purpose: str
    run: Callable[[], Iterable[Result]]


def discover(folder: Path = HERE) -> dict[str, Benchmark]:
    """Every benchmark in a folder, by name; ValueError when two share one."""
    found: dict[str, Benchmark] = {}
    for path in sorted(folder.glob("bench_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        if module.NAME in found:
            raise ValueError(f"two benchmarks are named '{module.NAME}'; one is {path.name}")
        purpose = (module.__doc__ or "").strip().partition("\n")[0]
        found[module.NAME] = Benchmark(module.NAME, purpose, module.run)
    return found


def measure(benchmark: Benchmark) -> bool:
    """Run one and print each result as it comes; False when it broke or had nothing to say."""
    print(f"bench: {benchmark.name}: {benchmark.purpose}", file=sys.stderr, flush=True)
    begun = time.monotonic()
    lines = 0
    out = sys.stdout
    try:
        # What a library prints on its own must not get between the JSON lines.
        with redirect_stdout(sys.stderr):
            for result in benchmark.run():
                print(result.line(), file=out, flush=True)
                lines += 1
    except Exception:  # noqa: BLE001 - one broken benchmark must not hide the numbers of the others
        traceback.print_exc()
        return False
    print(f"bench: {benchmark.name}: {lines} results in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return lines > 0


def chosen(asked: str, there: Iterable[str]) -> list[str]:
    """The benchmark of this name, or all of its family: "devices" is every "devices.*"."""
    return [name for name in there if name == asked or name.startswith(f"{asked}.")]


def main(names: list[str], folder: Path = HERE) -> int:
    """Run the named ones, or all; exit 1 when one broke, 2 when a name is none of ours."""
    benchmarks = discover(folder)
    unknown = [name for name in names if not chosen(name, benchmarks)]
    if unknown:
        there = ", ".join(benchmarks) or "none yet"
        print(f"bench: no benchmark '{', '.join(unknown)}'; there are: {there}", file=sys.stderr)
        return EXIT_USAGE
    # Each once, in the order asked, also where a name is asked for twice over.
    wanted = dict.fromkeys(found for name in names or benchmarks for found in chosen(name, benchmarks))
    broken = [name for name in wanted if not measure(benchmarks[name])]
    if broken:
        print(f"bench: failed: {', '.join(broken)}", file=sys.stderr)
    return EXIT_FAILED if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
