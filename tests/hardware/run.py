"""Drivers against real kernel devices, in a virtual machine: what `make test-hardware` runs.

`run.py [--shell] [--anew] [--limit SECONDS] [words for pytest...]`. Exit 0 when every test inside has passed, 1 when
one failed or the machine did not come to its end, 69 when something is missing that only the user can bring.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Run as a script, so the folder that the tests import from is named here.
sys.path.insert(0, str(HERE.parent))

from hardware import machine  # noqa: E402 - the line above makes it importable
from hardware.rootfs import Rootfs, RootfsFailed, ready_rootfs  # noqa: E402 - the same

EXIT_FAILED = 1
EXIT_UNAVAILABLE = 69
LIMIT_S = 900.0
CONSOLE_TAIL_LINES = 40
BUILD = ROOT / "build" / "hardware"
NEEDS = {machine.QEMU: "qemu-system-x86", "mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs"}


def say(sentence: str) -> None:
    """One line for the person who waits."""
    print(f"test-hardware: {sentence}", file=sys.stderr, flush=True)


def install_programs() -> bool:
    """The Debian packages that are missing, installed where we may; False, having said which, where we may not."""
    missing = [package for program, package in NEEDS.items() if shutil.which(program) is None]
    if not missing:
        return True
    line = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        say(f"missing. As root: {' '.join(line[:2])} {' '.join(missing)}")
        return False
    say(f"installing {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "--quiet=2"], line):
        if subprocess.run(step, env=environment, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            say(f"`{' '.join(step)}` failed")
            return False
    return True


def prepare(*, anew: bool) -> Rootfs | None:
    """The disk, fit for the packages of this environment; None, having said why, where there is none."""
    if not install_programs():
        return None
    begun = time.monotonic()
    try:
        rootfs = ready_rootfs(BUILD / "rootfs", anew=anew)
    except RootfsFailed as failure:
        say(f"no disk for the virtual machine: {failure}")
        return None
    say(f"disk ready after {time.monotonic() - begun:.0f} s")
    # Compiled packages are for one version of Python alone.
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if rootfs.python != ours:
        say(
            f"Debian's Python is {rootfs.python} and that of .venv {ours}: make it anew with python{rootfs.python}"
        )
        return None
    return rootfs


def run_tests(rootfs: Rootfs, shares: dict[str, Path], limit_s: float) -> int:
    """One boot, every test's line as it comes; the exit status."""
    console = BUILD / "console.log"
    line = machine.command_line(rootfs, shares, console, "quiet", ours="stdio")
    begun = time.monotonic()
    in_time = machine.run_to_end(line, limit_s, lambda text: print(text, flush=True))
    took_s = time.monotonic() - begun
    if not in_time:
        say(f"killed after {took_s:.0f} s; a longer limit: ARGS='--limit {2 * limit_s:.0f}'")
    failure = verdict(shares["results"] / "junit.xml")
    if failure:
        say(failure)
        if not (shares["results"] / "junit.xml").is_file():
            tail = console.read_text(errors="replace").splitlines()[-CONSOLE_TAIL_LINES:]
            print("\n".join(["the kernel's last words:", *tail]), file=sys.stderr)
        return EXIT_FAILED
    say(f"all passed; {took_s:.0f} s from power on to power off")
    return 0


def verdict(junit: Path) -> str:
    """What is wrong, by pytest's own report; empty when every test has passed."""
    if not junit.is_file():
        return "the machine ended without a report"
    suites = ElementTree.parse(junit).getroot().iter("testsuite")
    counts = [
        {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
        for suite in suites
    ]
    ran = sum(count["tests"] for count in counts)
    bad = sum(count["failures"] + count["errors"] + count["skipped"] for count in counts)
    if not ran:
        return "no test was run"
    return f"{bad} of {ran} failed" if bad else ""


def main(arguments: list[str]) -> int:
    """See this module's docstring."""
    parser = argparse.ArgumentParser(prog="make test-hardware ARGS=...", description=__doc__)
    parser.add_argument("--shell", action="store_true", help="a shell inside in place of the tests")
    parser.add_argument("--anew", action="store_true", help="build the disk again")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds before the machine is killed")
    asked, words = parser.parse_known_args(arguments)
    rootfs = prepare(anew=asked.anew)
    if rootfs is None:
        return EXIT_UNAVAILABLE
    with tempfile.TemporaryDirectory() as results:
        shares = {
            "bodega": ROOT,
            "packages": Path(sysconfig.get_paths()["purelib"]),
            "results": Path(results),
        }
        if asked.shell:
            words_for_kernel = "quiet bodega.shell"
            console = BUILD / "console.log"
            machine.run_by_hand(
                machine.command_line(rootfs, shares, console, words_for_kernel, ours="mon:stdio")
            )
            return 0
        (Path(results) / "arguments").write_text("".join(f"{word}\n" for word in words))
        return run_tests(rootfs, shares, asked.limit)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
