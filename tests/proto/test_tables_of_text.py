"""Tables on a terminal: they fit, ids are whole, and a pipe gets every row on one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.host.table import table_lines

ORDER = "O-01KBQ2TZV6YH3ZQ0M4D8RWJ5XA"
HEADERS = ["order", "units", "why"]
WHY = "the node is flooded and the truck of the carrier left an hour ago"
ROW = [ORDER, 3, WHY]


def test_a_table_that_fits_is_one_line_a_row() -> None:
    header, row = table_lines(HEADERS, [ROW], 120)
    assert header.split() == ["ORDER", "UNITS", "WHY"]
    assert row == f"{ORDER}      3  {WHY}"


def test_a_pipe_has_no_bound() -> None:
    assert len(table_lines(HEADERS, [[ORDER, 3, WHY * 9]], None)) == 2


def test_sentences_fold_between_words_where_the_terminal_is_narrow() -> None:
    lines = table_lines(HEADERS, [ROW, ROW], 80)
    assert max(map(len, lines)) <= 80
    assert len([line for line in lines if ORDER in line]) == 2
    assert [word for line in lines[1:4] for word in line[37:].split()][:4] == ["the", "node", "is", "flooded"]


def test_what_is_too_wide_for_a_table_is_a_block_a_row() -> None:
    lines = table_lines(HEADERS, [ROW, ROW], 38)
    assert lines[0] == f"order  {ORDER}"
    assert lines[1] == "units  3"
    assert lines.count("") == 1


@given(
    cells=st.lists(st.lists(st.text("abc -{}", max_size=90), min_size=3, max_size=3), min_size=1, max_size=4),
    columns=st.integers(50, 200),
)
def test_nothing_is_wider_than_the_terminal_and_no_letter_is_lost(
    cells: list[list[str]], columns: int
) -> None:
    lines = table_lines(HEADERS, cells, columns)
    assert max(map(len, lines)) <= columns
    shown = "".join(lines).lower()
    for letter in "{}":
        assert shown.count(letter) == sum(cell.count(letter) for row in cells for cell in row)


PROGRAM = """
from bodega.host.cli import emit_table, progress
with progress("reading", 2) as step:
    step(1)
    step(1)
emit_table(["order", "why"], [["O-1", "a sentence that goes on and on " * 5]], empty="none")
"""


@pytest.mark.parametrize("columns", [80, 132])
def test_a_person_sees_a_bar_and_a_table_that_fits_and_a_pipe_sees_neither(
    columns: int, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    ours, theirs = os.openpty()
    terminal = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    subprocess.run([sys.executable, str(program)], stdout=theirs, stderr=theirs, env=terminal, check=True)
    os.close(theirs)
    seen = os.read(ours, 65_536).decode()
    os.close(ours)
    bar, *table = seen.split("\r\n")
    assert "100%" in bar
    assert max(map(len, table)) <= columns
    piped = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True)
    assert (piped.stderr, len(piped.stdout.splitlines())) == ("", 2)
