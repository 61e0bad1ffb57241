"""`make bench`: JSON lines on standard output and nothing else, whatever a benchmark does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.result import Result

GOOD = '''"""Measures nothing, fast."""
from benchmarks.result import Result
NAME = "good"
def run():
    print("a library says hello")
    yield Result.against("good.rate", 90.0, "1/s", 100.0)
    yield Result("good.plain", 1.5, "s")
'''
BROKEN = 'NAME = "broken"\ndef run():\n    raise RuntimeError("no broker")\n    yield\n'
SILENT = 'NAME = "silent"\ndef run():\n    return []\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bench_good.py").write_text(GOOD)
    return tmp_path


def test_each_result_is_one_json_line_and_words_go_to_stderr(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main([], folder) == 0
    said = capsys.readouterr()
    assert [json.loads(line) for line in said.out.splitlines()] == [
        {"name": "good.rate", "value": 90.0, "unit": "1/s", "limit": 100.0, "ratio": 0.9},
        {"name": "good.plain", "value": 1.5, "unit": "s", "limit": None, "ratio": None},
    ]
    assert "Measures nothing, fast." in said.err
    assert "a library says hello" in said.err


def test_an_unknown_name_is_one_line_with_the_known_ones(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["nonsense"], folder) == run.EXIT_USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "bench: no benchmark 'nonsense'; there are: good\n"


def test_a_family_is_run_by_the_name_before_the_dot(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("devices.scan", "devices.print", "deviceslike"):
        text = GOOD.replace('NAME = "good"', f'NAME = "{name}"').replace('"good.rate"', f'"{name}.rate"')
        (folder / f"bench_{name.replace('.', '_')}.py").write_text(text)
    assert run.main(["devices", "devices.scan"], folder) == 0
    named = [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]
    assert named == ["devices.print.rate", "good.plain", "devices.scan.rate", "good.plain"]
    assert run.main(["device"], folder) == run.EXIT_USAGE


@pytest.mark.parametrize(("name", "text"), [("broken", BROKEN), ("silent", SILENT)])
def test_a_benchmark_that_breaks_or_says_nothing_fails_the_run_but_not_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    (folder / f"bench_a_{name}.py").write_text(text)
    assert run.main([], folder) == run.EXIT_FAILED
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert f"failed: {name}" in said.err


def test_two_benchmarks_of_one_name_are_refused(folder: Path) -> None:
    (folder / "bench_twin.py").write_text(GOOD)
    with pytest.raises(ValueError, match="two benchmarks are named 'good'"):
        run.discover(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_result_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        Result("x", value, "s")
