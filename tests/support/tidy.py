"""The house rules for how code is written, each a pure function from a text to its faults.

A rule takes the text of one file and gives sentences that start with a line number; test_tidy.py runs
every rule over every file, and over a small bad example, so that no rule can be one that never fails.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
REASON_CHARS_MIN = 6

# A bound says what it counts: a measure at its end (but for its role), or somewhere a noun in the plural.
MEASURES = frozenset({"S", "MS", "NS", "MM", "HZ", "DPI", "RATIO", "PERCENT", "QUANTITY"})
PLURAL_CHARS_MIN = 4
ROLES = frozenset({"MAX", "MIN", "DEFAULT"})

# Written in pieces, so that this file does not break its own rule.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("debian", "org"), ("ubuntu", "com"),
        ("crates", "io"), ("golang", "org"), ("maven", "org"),
    )
)  # fmt: skip
MACHINE_PATH = re.compile(
    "(?<![\\w./-])/(?:" + "|".join(("work", "root", "home", "tmp/" + "wt")) + ")/[\\w.]+"
)

_SUPPRESSION = re.compile(r"#\s*(?:noqa\b(?P<noqa>.*)|type:\s*ignore\b(?P<ignore>.*))")
_NOQA_CODES = re.compile(r":\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*(?P<reason>.*)")
_IGNORE_CODES = re.compile(r"\[[\w, -]+\](?P<reason>.*)")
_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _called_name(call: ast.Call) -> str:
    """The dotted name that a call calls, as far as it is one: `time.sleep`, `check_book`."""
    return ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def long_file(text: str) -> list[str]:
    """A file that nobody can read in one sitting should be two."""
    lines = len(text.splitlines())
    return (
        [f"{lines}: the file has {lines} lines, at most {FILE_LINES_MAX}"] if lines > FILE_LINES_MAX else []
    )


def long_function(text: str) -> list[str]:
    """A function fits on a screen."""
    faults = []
    for node in _functions(ast.parse(text)):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            faults.append(f"{node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES_MAX}")
    return faults


def no_docstring(text: str) -> list[str]:
    """Every module says why it exists."""
    return [] if ast.get_docstring(ast.parse(text)) else ["1: the module says not why it exists (docstring)"]


def unfinished(text: str) -> list[str]:
    """A note to do something later is an issue, or it is nothing."""
    return [f"{line}: {comment}" for line, comment in _comments(text) if _UNFINISHED.search(comment)]


def unreasoned_suppression(text: str) -> list[str]:
    """A linter or type checker is silenced for a named rule and a written reason."""
    faults = []
    for line, comment in _comments(text):
        for match in _SUPPRESSION.finditer(comment):
            said = match["noqa"] if match["noqa"] is not None else match["ignore"]
            codes = (_NOQA_CODES if match["noqa"] is not None else _IGNORE_CODES).match(said)
            if codes is None:
                faults.append(f"{line}: names no code: {comment}")
            elif len(codes["reason"].strip(" #-:")) < REASON_CHARS_MIN:
                faults.append(f"{line}: gives no reason on the line: {comment}")
    return faults


def printing(text: str) -> list[str]:
    """Only commands talk to a terminal; everything else logs."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return [f"{call.lineno}: print()" for call in calls if _called_name(call) == "print"]


def bare_except(text: str) -> list[str]:
    """An `except` names what it expects."""
    handlers = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ExceptHandler))
    return [f"{handler.lineno}: bare except" for handler in handlers if handler.type is None]


def unitless_limit(text: str) -> list[str]:
    """A bound names its unit, last but for its role: `SCAN_GAP_MS_MAX`, `ORDER_LINES_MAX`, `STOP_S`."""
    faults = []
    for node in ast.parse(text).body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        for name in (target.id for target in targets if isinstance(target, ast.Name) and target.id.isupper()):
            words = name.split("_")
            while words and words[-1] in ROLES:
                words.pop()
            counted = any(word.endswith("S") and len(word) >= PLURAL_CHARS_MIN for word in words)
            if not (counted or set(words[-1:]) & MEASURES):
                faults.append(f"{node.lineno}: {name} names no unit")
    return faults


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = _called_name(node).rpartition(".")[2]
    # `until` (support.waiting) fails when its fact does not come true in time.
    return name in {"raises", "warns", "fail", "until"} or name.lstrip("_").startswith(
        ("check_", "assert_", "run_state_machine")
    )


def assertion_free_test(text: str) -> list[str]:
    """A test that asserts nothing passes whatever happens."""
    tests = (node for node in _functions(ast.parse(text)) if node.name.startswith("test_"))
    silent = (test for test in tests if not any(_asserts(node) for node in ast.walk(test)))
    return [f"{test.lineno}: {test.name} asserts nothing" for test in silent]


def sleeping(text: str) -> list[str]:
    """A test waits for what it needs (support.waiting, virtual time), never for a while."""
    tree = ast.parse(text)
    from_time = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "time"
        and any(one.name == "sleep" for one in node.names)
        for node in ast.walk(tree)
    )
    names = {"time.sleep"} | ({"sleep"} if from_time else set())
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [f"{call.lineno}: time.sleep()" for call in calls if _called_name(call) in names]


def machine_trace(text: str) -> list[str]:
    """No path of somebody's machine, and no package registry's address: those are the user's settings."""
    return [
        f"{number}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE_PATH.search(line) or any(host in line for host in REGISTRY_HOSTS)
    ]


def impure_call(text: str) -> list[str]:
    """What import contracts cannot see in a pure module: clocks and files reached through other names."""
    forbidden = {"open", "input", "print", "exec", "eval", "__import__"}
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return [
        f"{call.lineno}: {name}()"
        for call in calls
        if (name := _called_name(call)) in forbidden or name.rpartition(".")[2] in {"now", "utcnow", "today"}
    ]


def numbered(path: object, faults: Iterable[str]) -> list[str]:
    """Faults as `path:line: what`, which editors open at the place."""
    return [f"{path}:{fault}" for fault in faults]
