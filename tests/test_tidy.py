"""The code is written by the house rules of support/tidy.py: every rule over every file it is meant for.

Each rule also meets a small bad text, so that a rule that can never fail is found out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support import tidy
from support.tree import ROOT, is_source, own_files, own_python

Rule = Callable[[str], list[str]]
BINARY_SUFFIXES = frozenset({".binpb", ".png", ".jpg", ".onnx", ".bin", ".zip", ".whl"})


def _faults(rule: Rule, paths: list[Path]) -> list[str]:
    return [
        line
        for path in paths
        for line in tidy.numbered(path, rule((ROOT / path).read_text(encoding="utf-8")))
    ]


def _tests() -> list[Path]:
    return [path for path in own_python() if path.parts[0] == "tests" and path.name.startswith("test_")]


def _quiet_sources() -> list[Path]:
    return [path for path in own_python() if is_source(path) and not {"cli", "demo"} & set(path.parts)]


def _texts() -> list[Path]:
    return [path for path in own_files() if path.suffix not in BINARY_SUFFIXES]


@pytest.mark.parametrize(
    ("rule", "paths"),
    [
        (tidy.long_file, own_python),
        (tidy.long_function, own_python),
        (tidy.no_docstring, own_python),
        (tidy.unfinished, own_python),
        (tidy.unreasoned_suppression, own_python),
        (tidy.printing, _quiet_sources),
        (tidy.bare_except, own_python),
        (tidy.unitless_limit, lambda: sorted(Path("proto/bodega").glob("limits*.py"))),
        (tidy.assertion_free_test, _tests),
        (tidy.sleeping, _tests),
        (tidy.machine_trace, _texts),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_file_keeps_the_rule(rule: Rule, paths: Callable[[], list[Path]]) -> None:
    chosen = paths()
    assert chosen, "the rule looks at no file at all"
    faults = _faults(rule, chosen)
    assert not faults, "\n".join(["", *faults, "", rule.__doc__ or ""])


BAD_EXAMPLES: list[tuple[Rule, str]] = [
    (tidy.long_file, "x = 1\n" * (tidy.FILE_LINES_MAX + 1)),
    (tidy.long_function, "def f():\n" + "    x = 1\n" * tidy.FUNCTION_LINES_MAX),
    (tidy.no_docstring, "x = 1\n"),
    (tidy.unfinished, "x = 1  # TO" + "DO: later\n"),
    (tidy.unreasoned_suppression, "import x  # no" + "qa\n"),
    (tidy.unreasoned_suppression, "import x  # no" + "qa: F401\n"),
    (tidy.unreasoned_suppression, "x = y  # type: ig" + "nore\n"),
    (tidy.unreasoned_suppression, "x = y  # type: ig" + "nore[attr-defined]\n"),
    (tidy.printing, "print('hello')\n"),
    (tidy.bare_except, "try:\n    x = 1\nexcept:\n    x = 2\n"),
    (tidy.unitless_limit, "SCAN_GAP_MAX = 5\n"),
    (tidy.unitless_limit, "TIMEOUT: float = 5\n"),
    (tidy.assertion_free_test, "def test_it():\n    f()\n"),
    (tidy.sleeping, "import time\ntime.sleep(1)\n"),
    (tidy.sleeping, "from time import sleep\nsleep(1)\n"),
    (tidy.machine_trace, "path = '/ho" + "me/somebody/bodega'\n"),
    (tidy.machine_trace, "index = 'https://" + tidy.REGISTRY_HOSTS[0] + "/simple'\n"),
    (tidy.impure_call, "import datetime\nnow = datetime.datetime.now(datetime.UTC)\n"),
    (tidy.impure_call, "data = open('file').read()\n"),
]


@pytest.mark.parametrize(("rule", "text"), BAD_EXAMPLES)
def test_every_rule_can_fail(rule: Rule, text: str) -> None:
    assert rule(text)


GOOD_EXAMPLES: list[tuple[Rule, str]] = [
    (tidy.long_function, "def f():\n" + "    x = 1\n" * (tidy.FUNCTION_LINES_MAX - 1)),
    (tidy.unreasoned_suppression, "run(line)  # no" + "qa: S603 - the line is ours, no shell is involved\n"),
    (tidy.unreasoned_suppression, "x = y  # type: ig" + "nore[attr-defined]  # the stubs lack this name\n"),
    (tidy.unreasoned_suppression, "text = 'a # no" + "qa in a string is no comment'\n"),
    (tidy.unitless_limit, "SCAN_GAP_MS_MAX = 5\nORDER_LINES_MAX = 2\nSTOP_S: float = 1.0\n_private = 1\n"),
    (tidy.assertion_free_test, "def test_it():\n    with pytest.raises(ValueError):\n        f()\n"),
    (tidy.assertion_free_test, "def test_it():\n    check_books_agree(node, hub)\n"),
    (tidy.sleeping, "import asyncio\nawait_me = asyncio.sleep(1)\n"),
    (tidy.machine_trace, "path = '/etc/bodega/agent.toml'\nratio = work/hours\n"),
]


@pytest.mark.parametrize(("rule", "text"), GOOD_EXAMPLES)
def test_no_rule_cries_wolf(rule: Rule, text: str) -> None:
    assert rule(text) == []
